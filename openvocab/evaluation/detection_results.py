"""Detections of one image as small arrays, and as COCO's result format."""

import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from faster_coco_eval.core.mask import encode

from openvocab.fileio import write_atomically


@dataclass(frozen=True)
class Detections:
    """Detections of one image, on the CPU.

    Attributes:
        boxes: (N, 4) x1, y1, x2, y2 in pixels of the original image.
        scores: (N,) confidences.
        labels: (N,) positions in the vocabulary.
        masks: N compressed RLEs, or None where only boxes are evaluated.
    """

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    masks: Sequence[Mapping[str, Any]] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def xywh(self, row: int) -> list[float]:
        """Returns one box as x, y, width and height."""
        left, top, right, bottom = self.boxes[row].tolist()
        return [left, top, right - left, bottom - top]


def to_numpy(values: Any) -> np.ndarray:
    """Brings scores, labels or boxes to the CPU."""
    tensor = torch.as_tensor(values).detach().cpu()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def encode_masks(masks: Any, rows: np.ndarray) -> list[dict[str, Any]]:
    """Encodes some of the masks of an image.

    Args:
        masks: (N, H, W) bool on any device, or a list of N RLEs.
        rows: (M,) the masks wanted.

    Returns:
        M compressed RLEs.
    """
    if isinstance(masks, (list, tuple)):
        return [masks[row] for row in rows]
    masks = torch.as_tensor(masks)
    chosen = masks[torch.as_tensor(rows, device=masks.device)].to(torch.uint8)
    # The encoder wants (H, W, M), columns first.
    return encode(np.asfortranarray(chosen.cpu().numpy().transpose(1, 2, 0)))


def write_results(
    path: str | Path,
    images: Mapping[Hashable, Detections],
    category_ids: Mapping[int, int],
    iou_type: str,
) -> None:
    """Writes the result json that COCO's and LVIS's servers take, whole or not at all.

    Args:
        path: The file.
        images: Image id -> detections.
        category_ids: Label -> category id; detections of other labels are left out.
        iou_type: ``bbox`` or ``segm``.
    """
    entries = [
        entry
        for image_id, detections in images.items()
        for entry in _entries(image_id, detections, category_ids, iou_type)
    ]
    write_atomically(path, json.dumps(entries).encode())


def _entries(
    image_id: Hashable,
    detections: Detections,
    category_ids: Mapping[int, int],
    iou_type: str,
) -> Iterator[dict[str, Any]]:
    plain_id = image_id.item() if isinstance(image_id, np.generic) else image_id
    for row, label in enumerate(detections.labels.tolist()):
        if label in category_ids:
            entry = dict(
                image_id=plain_id,
                category_id=category_ids[label],
                score=float(detections.scores[row]),
            )
            if iou_type == 'bbox':
                entry['bbox'] = detections.xywh(row)
            else:
                entry['segmentation'] = _text_rle(detections.masks[row])
            yield entry


def _text_rle(rle: Mapping[str, Any]) -> dict[str, Any]:
    counts = rle['counts']
    return dict(
        size=[int(side) for side in rle['size']],
        counts=counts.decode() if isinstance(counts, bytes) else counts,
    )
