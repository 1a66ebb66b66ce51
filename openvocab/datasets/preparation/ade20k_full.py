"""Images and 16-bit label maps of ADE20K with its 847 most frequent classes.

The benchmark of MaskFormer, on the release of 17 January 2021: 2,000 validation images
whose shorter side is reduced to 512 px.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from openvocab.fileio import atomic_path, write_atomically
from openvocab.vocab.ignored_label import WORD_IGNORED
from openvocab.vocab.vocabulary import Vocabulary

from ..label_image import write_label_image
from ..segmentation.label_table import LabelTable
from .label_conversion import LabelConversion
from .pictures import read_colour_codes, read_rgb

_SHORT_SIDE = 512
# The class index is written as 256 (R // 10) + G.
_LARGEST_INDEX = 256 * 25 + 255


@dataclass(frozen=True)
class FullLabels(LabelConversion):
    """One image of ADE20K and its ``*_seg.png``.

    Attributes:
        image: The photograph.
        image_target: The jpg to write. A small photograph is copied, a larger one is
            reduced (bilinear) and stored at quality 95 (the public scripts store all
            of them at Pillow's default, 75).
    """

    image: Path
    image_target: Path

    def labels(self) -> np.ndarray:
        """Reads the labels, (H, W) uint16; all other classes are 65535."""
        pixels = read_colour_codes(self.source)
        index = pixels[..., 0].astype(np.uint16) // 10 * 256 + pixels[..., 1]
        labels = _full_table().apply(index)
        size = reduced_size(*labels.shape)
        if size == labels.shape:
            return labels
        return cv2.resize(labels, size[::-1], interpolation=cv2.INTER_NEAREST)

    def write(self) -> np.ndarray:
        """Writes label map and image."""
        labels = self.labels()
        pixels = read_rgb(self.image)
        size = reduced_size(*pixels.shape[:2])
        if size != labels.shape:
            raise ValueError(f'its image {self.image} has another size')
        if size == pixels.shape[:2]:
            write_atomically(self.image_target, self.image.read_bytes())
        else:
            pixels = cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_LINEAR)
            with atomic_path(self.image_target) as temporary:
                Image.fromarray(pixels).save(temporary, quality=95)
        write_label_image(self.target, labels)
        return labels

    def pairs(self) -> list[tuple[Path, Path]]:
        """Label map and image."""
        return [*super().pairs(), (self.image, self.image_target)]


def reduced_size(height: int, width: int) -> tuple[int, int]:
    """Height and width with the shorter side at most 512 px, aspect ratio kept."""
    short = min(height, width)
    if short <= _SHORT_SIDE:
        return height, width
    long = round(max(height, width) / float(short) * _SHORT_SIDE)
    return (_SHORT_SIDE, long) if height <= width else (long, _SHORT_SIDE)


@cache
def _full_table() -> LabelTable:
    indices = [entry.id for entry in Vocabulary.load('ade20k_847').classes]
    others = set(range(_LARGEST_INDEX + 1)) - set(indices)
    return LabelTable(indices, others, WORD_IGNORED)


def full_conversions(source: Path, target: Path) -> list[LabelConversion]:
    """One conversion per image below ``images/ADE/validation``.

    Args:
        source: ``ADE20K_2021_17_01/images/ADE/validation``, with a folder per scene.
        target: Folder of ``images_847`` and ``annotations_847``.
    """
    split = source.name
    return [
        FullLabels(
            source=image.with_name(f'{image.stem}_seg.png'),
            target=target / 'annotations_847' / split / f'{image.stem}.png',
            image=image,
            image_target=target / 'images_847' / split / image.name,
        )
        for image in sorted(source.rglob('ADE_*.jpg'))
    ]
