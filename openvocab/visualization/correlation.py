"""Which places of an image an encoder relates to one place, the anchor.

Three views (DeCLIP, Figures 7 and 9): the correlation of the dense embedding, that of
every block's output, and the attention with which the last block is read out.

An anchor is a point (x, y) of the image as shares of its width and height, so that it
means the same on every grid.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from openvocab.models.backbones import CLIPBackbone, ProxyCLIP
from openvocab.models.backbones.towers import TransformerTower
from openvocab.models.image_fit import fit_images

from .canvas import WHITE, fit_to_width, put_label, tile
from .similarity import heat_overlay, similarity_maps

Anchor = tuple[float, float]
_RED = (0, 0, 255)


class Row(NamedTuple):
    """One row of a figure."""

    label: str
    """What is written on the image at its left."""
    anchor: Anchor
    """Marked in all pictures of the row."""
    maps: Sequence[Tensor]
    """One (h, w) map per column, of any size."""


def encoder_input(image: np.ndarray, encoder: nn.Module, long_side: int) -> Tensor:
    """An image the way that an encoder takes it.

    Args:
        image: (H, W, 3) uint8 BGR.
        encoder: Has ``mean`` and ``std`` (RGB, of values within 0 .. 1), ``patch_size``
            and parameters, which say the device.
        long_side: Longer side in pixels; sides are rounded down to the patch.

    Returns:
        (1, 3, h, w) float32; its tokens cover the whole image.
    """
    device = next(encoder.parameters()).device
    pixels = torch.from_numpy(image[:, :, ::-1].copy()).to(device).permute(2, 0, 1)
    mean, std = (
        torch.tensor(values, device=device).view(3, 1, 1)
        for values in (encoder.mean, encoder.std)
    )
    batch = ((pixels / 255 - mean) / std)[None]
    return fit_images(batch, encoder.patch_size, long_side).images


def correlation_map(features: Tensor, anchor: Anchor) -> Tensor:
    """Cosine of the token at the anchor to every token.

    Args:
        features: (D, h, w), of any length.
        anchor: Where.

    Returns:
        (h, w) float32 within -1 .. 1, on the CPU.
    """
    row, column = token_of(anchor, features.shape[-2:])
    return similarity_maps(features, features[None, :, row, column])[0].cpu()


@torch.no_grad()
def attention_map(backbone: CLIPBackbone, images: Tensor, anchor: Anchor) -> Tensor:
    """How much the anchor's token attends to every patch in the readout.

    Args:
        backbone: Its tower is a transformer.
        images: (1, 3, H, W), normalised.
        anchor: Where.

    Returns:
        (h, w) float32, mean over heads, on the CPU; what the class token gets is left
        out.

    Raises:
        ValueError: The tower is convolutional.
        NotImplementedError: The readout has no attention weights.
    """
    tower = backbone.tower
    if not isinstance(tower, TransformerTower):
        raise ValueError(f'{backbone.arch} has no attention; show its features')
    if isinstance(backbone, ProxyCLIP):
        block, tokens = backbone.last_block(images)
        grid, prefix = tuple(block.guide.shape[-2:]), 0
    else:
        last = len(tower.groups) - 1
        (tokens,), grid = tower.first_blocks(images, [last])
        block, prefix = tower.view(last, grid), tower.num_prefix_tokens
    weights = backbone.readout.weights(block, tokens)[0].float().mean(dim=0)
    row, column = token_of(anchor, grid)
    found = weights[prefix + row * grid[1] + column, prefix:]
    return found.reshape(grid).cpu()


@torch.no_grad()
def block_maps(backbone: CLIPBackbone, images: Tensor, anchor: Anchor) -> list[Tensor]:
    """Correlations of every block's (or stage's) output, the last one read out.

    Args:
        backbone: Any that can be tapped.
        images: (1, 3, H, W), normalised.
        anchor: Where.

    Returns:
        One (h, w) per block, see :func:`correlation_map`.

    Raises:
        ValueError: The backbone cannot be tapped (ProxyCLIP, GEM).
    """
    if type(backbone).forward is not CLIPBackbone.forward:
        raise ValueError(
            f'{type(backbone).__name__} has no outputs of single blocks; show its '
            'features or its attention'
        )
    taps, _ = backbone.tower.forward(images, range(len(backbone.tower.levels)))
    return [correlation_map(tap[0], anchor) for tap in taps]


def token_of(anchor: Anchor, grid: Sequence[int]) -> tuple[int, int]:
    """Row and column of the token that an anchor lies in.

    Raises:
        ValueError: The anchor lies outside the image.
    """
    if not all(0 <= share < 1 for share in anchor):
        raise ValueError(f'anchor {anchor} does not lie in the image')
    return int(anchor[1] * grid[0]), int(anchor[0] * grid[1])


def correlation_figure(
    image: np.ndarray,
    titles: Sequence[str],
    rows: Sequence[Row],
    cell_width: int = 320,
) -> np.ndarray:
    """Draws maps over the image, anchors marked by a red dot.

    Args:
        image: (H, W, 3) uint8 BGR.
        titles: One per column of maps.
        rows: With as many maps each.
        cell_width: Pixels of one picture.

    Returns:
        One uint8 BGR image; the image itself stands at the left of every row.

    Raises:
        ValueError: A row has another number of maps than there are titles.
    """
    image = fit_to_width(image, cell_width)
    cells = []
    for row in rows:
        if len(row.maps) != len(titles):
            raise ValueError(
                f'correlation_figure: {len(row.maps)} maps of {row.label} do not fit '
                f'{len(titles)} titles'
            )
        first = image.copy()
        put_label(first, row.label, (0, 0), WHITE, 0.5)
        pictures = [first, *(heat_overlay(image, each.numpy()) for each in row.maps)]
        for picture in pictures:
            _mark(picture, row.anchor)
        cells.append(pictures)
    return tile(cells, ['image', *titles])


def _mark(picture: np.ndarray, anchor: Anchor) -> None:
    """Draws a red dot with a white rim, in place."""
    height, width = picture.shape[:2]
    centre = int(anchor[0] * width), int(anchor[1] * height)
    radius = max(3, width // 64)
    cv2.circle(picture, centre, radius + 1, WHITE, cv2.FILLED, cv2.LINE_AA)
    cv2.circle(picture, centre, radius, _RED, cv2.FILLED, cv2.LINE_AA)
