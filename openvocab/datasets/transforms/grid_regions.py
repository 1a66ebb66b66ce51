"""Regions of a random grid over the image."""

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from openvocab.registry import TRANSFORMS

from .frames import unpadded_shape


@TRANSFORMS.register_module()
class GridRegions(BaseTransform):
    """Splits the un-padded image into m x n equal cells.

    Rows m and columns n are drawn independently and uniformly from
    ``min_cells_per_side .. max_cells_per_side``: 2 .. 6 is the rule printed in the
    DenseVLM paper (section 3.1), 1 .. 6 that of CLIPSelf (section 3.2). What the
    public code of both does is :class:`BoundedGridRegions`.

    Writes ``regions['bboxes']`` (N, 4) float32: x1, y1, x2, y2 in pixels of the resized
    image, shuffled. Random numbers come from numpy's global generator, which mmengine
    seeds per worker.

    Args:
        min_cells_per_side: Smallest number of rows and of columns.
        max_cells_per_side: Largest number of rows and of columns.
        max_regions: Cells kept per image.
    """

    def __init__(
        self,
        min_cells_per_side: int = 2,
        max_cells_per_side: int = 6,
        max_regions: int = 36,
    ) -> None:
        if not 1 <= min_cells_per_side <= max_cells_per_side:
            raise ValueError(
                f'{type(self).__name__}: 1 <= min_cells_per_side <= max_cells_per_side '
                f'expected, got {min_cells_per_side} and {max_cells_per_side}'
            )
        if max_regions < 1:
            raise ValueError(f'{type(self).__name__}: max_regions must be at least 1')
        self.min_cells_per_side = min_cells_per_side
        self.max_cells_per_side = max_cells_per_side
        self.max_regions = max_regions
        self.grids = self._grids()

    def _grids(self) -> list[tuple[int, int]]:
        """Lists the (rows, columns) to draw from."""
        sides = range(self.min_cells_per_side, self.max_cells_per_side + 1)
        return [(rows, columns) for rows in sides for columns in sides]

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Draws one grid and writes its cells."""
        rows, columns = self.grids[np.random.randint(len(self.grids))]
        boxes = grid_boxes(rows, columns, unpadded_shape(results))
        order = np.random.permutation(len(boxes))[: self.max_regions]
        results['regions'] = dict(bboxes=boxes[order])
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(min_cells_per_side={self.min_cells_per_side}, '
            f'max_cells_per_side={self.max_cells_per_side}, '
            f'max_regions={self.max_regions})'
        )


@TRANSFORMS.register_module()
class BoundedGridRegions(GridRegions):
    """Random grid whose cells stay roughly square.

    For m rows, ``min_cells_per_side .. max_cells_per_side``, the columns n range over
    ``ceil(m / 2) + min_cells_per_side - 1 .. min(2 m, max_cells_per_side)`` and each
    pair is equally likely. With a minimum of 2 this is the rule in the public DenseVLM
    code, the one its published weights come from; with 1 it is CLIPSelf's.
    """

    def _grids(self) -> list[tuple[int, int]]:
        low, high = self.min_cells_per_side, self.max_cells_per_side
        return [
            (rows, columns)
            for rows in range(low, high + 1)
            for columns in range((rows + 1) // 2 + low - 1, min(2 * rows, high) + 1)
        ]


def grid_boxes(rows: int, columns: int, shape: tuple[int, int]) -> np.ndarray:
    """Returns the cells of a grid, row by row.

    Args:
        rows: Number of rows m.
        columns: Number of columns n.
        shape: (height, width) to cover.

    Returns:
        (m * n, 4) float32 x1, y1, x2, y2.
    """
    ys = np.linspace(0, shape[0], rows + 1, dtype=np.float32)
    xs = np.linspace(0, shape[1], columns + 1, dtype=np.float32)
    x1, y1 = np.meshgrid(xs[:-1], ys[:-1])
    x2, y2 = np.meshgrid(xs[1:], ys[1:])
    return np.stack([x1, y1, x2, y2], axis=-1).reshape(-1, 4)
