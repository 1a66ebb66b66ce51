"""The last transform: tensors for the model."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.structures import InstanceData

from openvocab.registry import TRANSFORMS
from openvocab.structures import RegionDataSample

from .frames import unpadded_shape

META_KEYS = (
    'img_id',
    'img_path',
    'ori_shape',
    'img_shape',
    'pad_shape',
    'scale_factor',
    'sample_idx',
)


@TRANSFORMS.register_module()
class PackRegions(BaseTransform):
    """Packs the image and its regions.

    Returns ``inputs``, a (3, H, W) uint8 tensor of the padded image in its channel
    order, and ``data_samples``, a :class:`RegionDataSample` whose ``regions`` hold what
    the pipeline wrote (``bboxes`` and, where made, ``labels, is_thing, crops,
    crop_valid``) and whose ``segment_map``, where made, is padded with 0 to (H, W).
    In its metainfo ``img_shape`` is the shape without and ``pad_shape`` with padding.

    Args:
        meta_keys: What is copied into the metainfo where present.
    """

    def __init__(self, meta_keys: Sequence[str] = META_KEYS) -> None:
        self.meta_keys = tuple(meta_keys)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Packs one item."""
        image = results['img']
        height, width = image.shape[:2]
        meta = {key: results[key] for key in self.meta_keys if key in results}
        meta.update(img_shape=unpadded_shape(results), pad_shape=(height, width))
        sample = RegionDataSample(metainfo=meta)
        regions = results.get('regions') or dict(bboxes=np.zeros((0, 4), np.float32))
        sample.regions = InstanceData(
            **{key: torch.as_tensor(value) for key, value in regions.items()}
        )
        if 'segment_map' in results:
            small = results['segment_map']
            padded = cv2.copyMakeBorder(
                small,
                0,
                height - small.shape[0],
                0,
                width - small.shape[1],
                cv2.BORDER_CONSTANT,
                value=0,
            )
            sample.segment_map = torch.from_numpy(padded)
        inputs = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
        return dict(inputs=inputs, data_samples=sample)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(meta_keys={self.meta_keys})'
