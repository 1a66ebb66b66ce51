"""Regions of a panoptic png."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from openvocab.registry import TRANSFORMS

from .frames import scale_factor, unpadded_shape


@TRANSFORMS.register_module()
class LoadPanopticRegions(BaseTransform):
    """Turns the segments of an image into labelled boxes and one index map.

    Stands after ``Resize`` (the png is read at the original size and brought to the
    frame of the input here). Segments whose tight box has an area outside
    ``min_size^2 .. max_size^2`` pixels *of the original image* are skipped: that is
    the frame of the public CLIPSelf and DenseVLM evaluation, and it makes the set of
    scored regions independent of the input size. Of the rest the first ``max_regions``
    in the order of the annotation are kept.

    Writes ``regions``: ``bboxes`` (N, 4) float32 tight x1, y1, x2, y2 in pixels of the
    resized image, ``labels`` (N,) int64, ``is_thing`` (N,) bool; and ``segment_map``
    (h, w) int32 over the resized, un-padded image: i + 1 where region i is, else 0. It
    is resized by nearest neighbour; a segment that this would lose keeps one pixel.

    Args:
        min_size: Square root of the smallest box area, in pixels.
        max_size: Square root of the largest box area, in pixels.
        max_regions: Segments kept per image.

    Raises:
        FileNotFoundError: The png is missing.
        ValueError: The png is corrupt, has another size than the image, or lacks an
            annotated segment.
    """

    def __init__(
        self, min_size: float = 8, max_size: float = 1024, max_regions: int = 100
    ) -> None:
        self.min_size = min_size
        self.max_size = max_size
        self.max_regions = max_regions

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Reads the png and writes the regions."""
        path = results['seg_map_path']
        segments = _Runs.of(read_panoptic_png(path))
        if segments.shape != tuple(results['ori_shape']):
            raise ValueError(
                f'{path} is {segments.shape}, its image {results["img_path"]} is '
                f'{tuple(results["ori_shape"])} (height, width)'
            )
        index = segments.index_in(results['segment_ids'])
        boxes = segments.boxes(index, len(results['segment_ids']))
        lost = np.flatnonzero(boxes[:, 2] <= boxes[:, 0])
        if len(lost):
            raise ValueError(
                f'{path} has no pixel of the annotated segment '
                f'{results["segment_ids"][lost[0]]}'
            )
        areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
        fits = (areas >= self.min_size**2) & (areas <= self.max_size**2)
        kept = np.flatnonzero(fits)[: self.max_regions]
        renumber = np.zeros(len(boxes) + 1, dtype=np.int32)
        renumber[kept + 1] = np.arange(1, len(kept) + 1)
        index = renumber[index]

        scale = np.tile(scale_factor(results), 2)
        results['regions'] = dict(
            bboxes=(boxes[kept] * scale).astype(np.float32),
            labels=results['segment_labels'][kept],
            is_thing=results['segment_is_thing'][kept],
        )
        results['segment_map'] = segments.resized_map(
            index, len(kept), unpadded_shape(results)
        )
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(min_size={self.min_size}, '
            f'max_size={self.max_size}, max_regions={self.max_regions})'
        )


def read_panoptic_png(path: str | Path) -> np.ndarray:
    """Reads segment ids.

    Args:
        path: A png whose pixels hold R + 256 G + 256^2 B.

    Returns:
        (H, W) int32 ids.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is no readable image.
    """
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f'panoptic png not found: {path}') from None
    bgr = None
    if content:
        # absurd sizes in a damaged header are an error of OpenCV's
        with suppress(cv2.error):
            bgr = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ValueError(f'{path} is not a readable png')
    # The bytes R, G, B, A of a pixel are the little-endian int32 we want, but for A.
    rgba = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGBA)
    return rgba.view('<i4')[..., 0] & 0xFFFFFF


@dataclass
class _Runs:
    """An id map as horizontal runs of equal ids: a hundred times fewer than pixels.

    Attributes:
        shape: (H, W) of the map.
        starts: (R,) flat index of the first pixel of each run.
        ids: (R,) id of each run.
    """

    shape: tuple[int, int]
    starts: np.ndarray
    ids: np.ndarray

    @classmethod
    def of(cls, id_map: np.ndarray) -> '_Runs':
        is_start = np.ones(id_map.shape, dtype=bool)
        np.not_equal(id_map[:, 1:], id_map[:, :-1], out=is_start[:, 1:])
        starts = np.flatnonzero(is_start)
        return cls(id_map.shape, starts, id_map.reshape(-1)[starts])

    @property
    def lengths(self) -> np.ndarray:
        """(R,) pixels per run."""
        height, width = self.shape
        return np.diff(self.starts, append=height * width)

    def index_in(self, ids: np.ndarray) -> np.ndarray:
        """Returns (R,) int32: i + 1 for runs of ``ids[i]``, 0 for other ids."""
        index = np.zeros(len(self.ids), dtype=np.int32)
        if len(ids):
            order = np.argsort(ids)
            position = np.searchsorted(ids, self.ids, sorter=order)
            candidate = order[np.minimum(position, len(ids) - 1)]
            index = np.where(ids[candidate] == self.ids, candidate + 1, 0)
        return index.astype(np.int32)

    def boxes(self, index: np.ndarray, count: int) -> np.ndarray:
        """Returns tight boxes, (count, 4) int64; those without a pixel are inverted."""
        height, width = self.shape
        rows, x1 = np.divmod(self.starts, width)
        x2 = x1 + self.lengths
        boxes = np.empty((count + 1, 4), dtype=np.int64)
        boxes[:] = (width, height, 0, 0)
        np.minimum.at(boxes[:, 0], index, x1)
        np.minimum.at(boxes[:, 1], index, rows)
        np.maximum.at(boxes[:, 2], index, x2)
        np.maximum.at(boxes[:, 3], index, rows + 1)
        return boxes[1:]

    def resized_map(
        self, index: np.ndarray, count: int, shape: tuple[int, int]
    ) -> np.ndarray:
        """Returns the index as a map of another size, (h, w) int32."""
        full = np.repeat(index, self.lengths).reshape(self.shape)
        if shape == self.shape:
            return full
        small = cv2.resize(
            full, (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST_EXACT
        )
        present = np.bincount(small.reshape(-1), minlength=count + 1)
        for lost in np.flatnonzero(present == 0):
            if lost > 0:
                row, column = divmod(self.starts[index == lost][0], self.shape[1])
                small[
                    row * shape[0] // self.shape[0],
                    column * shape[1] // self.shape[1],
                ] = lost
        return small
