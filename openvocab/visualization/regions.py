"""Pictures of region data: boxes, segments, class names, crops."""

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from torch import Tensor

from openvocab.structures import RegionDataSample

from .canvas import BLACK, Color, fit_to_width, put_label, tile

_GOLDEN = 0.618034


def draw_sample(
    inputs: Tensor, sample: RegionDataSample, metainfo: Mapping[str, Any], width: int
) -> np.ndarray:
    """Draws what ``PackRegions`` packed: the image with regions, crops below.

    Args:
        inputs: (3, H, W) uint8 BGR image, padded.
        sample: Its regions.
        metainfo: Of the data set: ``classes`` and, where known, ``is_thing, splits,
            palette``.
        width: Pixels of the picture's width.

    Returns:
        (H', width, 3) uint8 BGR.
    """
    height, unpadded_width = sample.img_shape
    image = inputs.permute(1, 2, 0).numpy()[:height, :unpadded_width]
    regions = sample.regions
    labels = regions.labels.tolist() if 'labels' in regions else None
    captions = region_captions(labels, len(regions.bboxes), metainfo)
    segment_map = None
    if 'segment_map' in sample:
        segment_map = sample.segment_map.numpy()[:height, :unpadded_width]
    colors = region_colors(labels, len(regions.bboxes), metainfo)
    picture = draw_regions(
        fit_to_width(np.ascontiguousarray(image), width),
        regions.bboxes.numpy() * (width / unpadded_width),
        captions,
        colors,
        segment_map,
    )
    if 'crops' in regions and len(regions.crops):
        strip = crop_sheet(regions.crops, width)
        picture = np.concatenate([picture, strip])
    return picture


def draw_regions(
    image: np.ndarray,
    boxes: np.ndarray,
    captions: Sequence[str],
    colors: Sequence[Color],
    segment_map: np.ndarray | None = None,
) -> np.ndarray:
    """Draws boxes with captions and, where given, tinted segments.

    Args:
        image: (H, W, 3) uint8 BGR; it is not changed.
        boxes: (N, 4) x1, y1, x2, y2 in its pixels.
        captions: N texts.
        colors: N BGR colours.
        segment_map: (h, w) int of any size, i + 1 where region i is.
    """
    picture = image.copy()
    if segment_map is not None and len(boxes):
        tint_segments(picture, segment_map, colors)
    corners = np.round(boxes).astype(int)
    for (x1, y1, x2, y2), color in zip(corners, colors, strict=True):
        cv2.rectangle(picture, (x1, y1), (x2 - 1, y2 - 1), color, 2)
    for (x1, y1, _, _), caption, color in zip(corners, captions, colors, strict=True):
        put_label(picture, caption, (x1, y1), color)
    return picture


def tint_segments(
    picture: np.ndarray, segment_map: np.ndarray, colors: Sequence[Color]
) -> None:
    """Tints and outlines segments, in place.

    Args:
        picture: (H, W, 3) uint8 BGR.
        segment_map: (h, w) int of any size, i + 1 where segment i is.
        colors: One BGR colour per segment.
    """
    small = np.clip(segment_map, 0, None).astype(np.float32)
    size = (picture.shape[1], picture.shape[0])
    index = cv2.resize(small, size, interpolation=cv2.INTER_NEAREST).astype(int)
    table = np.array([(0, 0, 0), *colors], dtype=np.uint8)
    tinted = cv2.addWeighted(picture, 0.55, table[index], 0.45, 0)
    picture[index > 0] = tinted[index > 0]
    picture[_outlines(index)] = BLACK


def _outlines(index: np.ndarray) -> np.ndarray:
    """Marks the pixels whose right or lower neighbour belongs to another region."""
    edges = np.zeros(index.shape, dtype=bool)
    edges[:, :-1] |= index[:, :-1] != index[:, 1:]
    edges[:-1] |= index[:-1] != index[1:]
    return edges


def region_captions(
    labels: Sequence[int] | None, count: int, metainfo: Mapping[str, Any]
) -> list[str]:
    """Returns ``name (thing, novel)`` per region, or its number without labels."""
    if labels is None:
        return [str(i) for i in range(count)]
    is_thing, splits = metainfo.get('is_thing'), metainfo.get('splits')
    captions = []
    for label in labels:
        notes = []
        if is_thing is not None:
            notes.append('thing' if is_thing[label] else 'stuff')
        if splits is not None and splits[label]:
            notes.append(splits[label])
        name = metainfo['classes'][label]
        captions.append(f'{name} ({", ".join(notes)})' if notes else name)
    return captions


def region_colors(
    labels: Sequence[int] | None, count: int, metainfo: Mapping[str, Any]
) -> list[Color]:
    """Returns BGR colours: the palette's (RGB) of the class, else spread hues."""
    palette = metainfo.get('palette')
    if labels is not None and palette:
        return [tuple(int(v) for v in palette[label][::-1]) for label in labels]
    hues = (np.arange(count) * _GOLDEN % 1 * 180).astype(np.uint8)
    hsv = np.stack([hues, np.full_like(hues, 200), np.full_like(hues, 255)], axis=-1)
    bgr = cv2.cvtColor(hsv.reshape(-1, 1, 3), cv2.COLOR_HSV2BGR) if count else hsv
    return [tuple(int(v) for v in color) for color in bgr.reshape(-1, 3)]


def crop_sheet(crops: Tensor, width: int, per_row: int = 12) -> np.ndarray:
    """Returns crops (N, 3, S, S) uint8, numbered by region, as a sheet of a width."""
    side = max(1, (width - 4 * (per_row - 1)) // per_row)
    cells = []
    for number, crop in enumerate(crops):
        pixels = np.ascontiguousarray(crop.permute(1, 2, 0).numpy())
        cell = fit_to_width(pixels, side)
        put_label(cell, str(number), (0, 0), (255, 255, 255), 0.35)
        cells.append(cell)
    rows = [cells[i : i + per_row] for i in range(0, len(cells), per_row)]
    sheet = tile(rows)
    filled = np.full((sheet.shape[0] + 4, width, 3), 255, dtype=np.uint8)
    filled[4:, : sheet.shape[1]] = sheet
    return filled
