"""Region proposals that belong to a set of images."""

from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .annotation_io import read_json


def load_proposals(path: str | Path) -> dict[str, np.ndarray]:
    """Reads region proposals.

    Two layouts are read:

    - a mapping ``{image id or file name: [[x1, y1, x2, y2(, score)], ...]}``;
    - a COCO result list ``[{image_id, bbox: [x, y, w, h](, score)}, ...]``, which is
      what detectors write. A COCO annotation json (with ``annotations``) is read the
      same way.

    Args:
        path: The json file.

    Returns:
        For each key, as a string, an array (N, 5) float32 of x1, y1, x2, y2 in pixels
        of the original image, and the score (1 where the file gives none), best first.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is not valid json or has another layout.
    """
    content = read_json(path)
    if isinstance(content, dict) and isinstance(content.get('annotations'), list):
        content = content['annotations']
    try:
        if isinstance(content, list):
            return _from_results(content)
        return {key: _as_boxes(rows) for key, rows in content.items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f'{path} holds no proposals: expected {{image: [[x1, y1, x2, y2], ...]}} '
            f'or a list of {{image_id, bbox}} ({error!r})'
        ) from None


def _from_results(results: Iterable[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    grouped: dict[Hashable, list[list[float]]] = {}
    for result in results:
        x, y, width, height = result['bbox']
        row = [x, y, x + width, y + height, result.get('score', 1.0)]
        grouped.setdefault(result['image_id'], []).append(row)
    return {str(key): _as_boxes(rows) for key, rows in grouped.items()}


def _as_boxes(rows: list[list[float]]) -> np.ndarray:
    if len(rows) == 0:
        return np.zeros((0, 5), dtype=np.float32)
    boxes = np.asarray(rows, dtype=np.float32)
    if boxes.ndim != 2 or boxes.shape[1] not in (4, 5):
        raise ValueError(f'rows of 4 or 5 numbers expected, got shape {boxes.shape}')
    if boxes.shape[1] == 4:
        boxes = np.concatenate([boxes, np.ones((len(boxes), 1), np.float32)], axis=1)
    return boxes[np.argsort(-boxes[:, 4], kind='stable')]
