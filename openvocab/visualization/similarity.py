"""Similarity of class names to every place of an image (DenseVLM, Figure 5)."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from einops import einsum
from torch import Tensor
from torch.nn import functional as F

from .canvas import BLACK, fit_to_width, put_label, tile


def similarity_maps(features: Tensor, rows: Tensor) -> Tensor:
    """Cosine similarity of text rows to the tokens of a dense map.

    Args:
        features: (D, h, w) dense embedding of one image, of any length.
        rows: (K, D) text rows, of any length.

    Returns:
        (K, h, w) float32 within -1 .. 1.
    """
    features = F.normalize(features.float(), dim=0)
    rows = F.normalize(rows.float(), dim=1)
    return einsum(rows, features, 'k d, d h w -> k h w')


def model_similarity(
    model: torch.nn.Module, image: np.ndarray, long_side: int
) -> Tensor:
    """Runs a recogniser on one image and compares it with its text rows.

    Args:
        model: A ``RegionRecognizer`` with the vocabulary set, in eval mode.
        image: (H, W, 3) uint8 BGR.
        long_side: The image's longer side is resized to this, in pixels.

    Returns:
        (K, h, w) on the CPU; the tokens cover the whole image.
    """
    ratio = long_side / max(image.shape[:2])
    size = tuple(max(1, round(side * ratio)) for side in image.shape[1::-1])
    interpolation = cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(image, size, interpolation=interpolation)
    inputs = torch.from_numpy(np.ascontiguousarray(resized.transpose(2, 0, 1)))
    with torch.no_grad():
        batch = model.data_preprocessor({'inputs': [inputs]}, False)
        features = model(batch['inputs'], mode='tensor')[0]
        return similarity_maps(features, model.text_bank()).cpu()


def heat_overlay(
    image: np.ndarray, similarity: np.ndarray, opacity: float = 0.6
) -> np.ndarray:
    """Lays a similarity map over the grey image: lowest blue, highest red.

    Each map is stretched over its own range, which is written into the corner: the
    absolute cosine differs between encoders, the ranking of places is what compares.

    Args:
        image: (H, W, 3) uint8 BGR.
        similarity: (h, w) float.
        opacity: Weight of the colours.

    Returns:
        (H, W, 3) uint8 BGR.
    """
    low, high = float(similarity.min()), float(similarity.max())
    unit = (similarity - low) / max(high - low, 1e-12)
    size = (image.shape[1], image.shape[0])
    unit = cv2.resize(unit.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    levels = (unit.clip(0, 1) * 255).astype(np.uint8)
    colors = cv2.applyColorMap(levels, cv2.COLORMAP_JET)
    # Grey below, so that a colour means similarity and nothing else.
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    picture = cv2.addWeighted(colors, opacity, grey, 1 - opacity, 0)
    corner = (0, image.shape[0])
    put_label(picture, f'{low:.2f} .. {high:.2f}', corner, BLACK, 0.38)
    return picture


def similarity_figure(
    image: np.ndarray,
    classes: Sequence[str],
    titles: Sequence[str],
    maps: Sequence[Tensor],
    cell_width: int = 320,
) -> np.ndarray:
    """Draws classes (rows) by encoders (columns), the image itself at the left.

    Args:
        image: (H, W, 3) uint8 BGR.
        classes: K class names.
        titles: One per encoder.
        maps: One (K, h, w) per encoder, in the order of ``titles``.
        cell_width: Pixels of one picture.

    Returns:
        One uint8 BGR image.

    Raises:
        ValueError: The numbers of classes, titles and maps do not fit.
    """
    if len(titles) != len(maps) or any(len(m) != len(classes) for m in maps):
        raise ValueError(
            f'similarity_figure: {len(classes)} classes and {len(titles)} titles do '
            f'not fit maps of shape {[tuple(m.shape) for m in maps]}'
        )
    image = fit_to_width(image, cell_width)
    rows = []
    for index, name in enumerate(classes):
        first = image.copy()
        put_label(first, name, (0, 0), (255, 255, 255), 0.6)
        overlays = [heat_overlay(image, m[index].numpy()) for m in maps]
        rows.append([first, *overlays])
    return tile(rows, ['image', *titles])
