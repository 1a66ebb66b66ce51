"""Label images of 8 and 16 bits: decoding and writing."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from openvocab.fileio import atomic_path


def decode_label_image(content: bytes) -> np.ndarray:
    """Decodes a single-channel image; a palette is not applied.

    Args:
        content: The bytes of a png, tif, ... file.

    Returns:
        (H, W) integers: uint8, uint16, or int32 where Pillow widens 16 bits.

    Raises:
        ValueError: Not an image, or one with several channels.
    """
    try:
        with Image.open(io.BytesIO(content)) as image:
            pixels = np.asarray(image)
    except Exception as error:  # Pillow's readers let many kinds through
        reason = 'empty file' if not content else str(error) or type(error).__name__
        raise ValueError(f'not a readable label image ({reason})') from None
    if pixels.ndim != 2 or pixels.dtype.kind not in 'iub':
        raise ValueError(
            f'a label image has one channel of integers, this one is {pixels.shape} '
            f'{pixels.dtype}'
        )
    return pixels.view(np.uint8) if pixels.dtype == bool else pixels


def write_label_image(path: str | Path, labels: np.ndarray) -> None:
    """Writes labels as an 8- or 16-bit png, whole or not at all.

    Args:
        path: The file; its folder is created.
        labels: (H, W) uint8 or uint16.

    Raises:
        TypeError: Another dtype, which would have to be cast.
    """
    if labels.dtype not in (np.uint8, np.uint16):
        raise TypeError(f'labels are uint8 or uint16, got {labels.dtype}: {path}')
    with atomic_path(path) as temporary:
        Image.fromarray(labels).save(temporary)
