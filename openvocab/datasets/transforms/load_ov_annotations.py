"""Label maps of any number of classes."""

from typing import Any

import mmengine.fileio
import numpy as np
from mmcv.transforms import BaseTransform

from openvocab.registry import TRANSFORMS

from ..label_image import decode_label_image


@TRANSFORMS.register_module()
class LoadOVAnnotations(BaseTransform):
    """Loads the label map of an :class:`OVSegDataset` item.

    mmseg's ``LoadAnnotations`` casts to 8 bits, so that classes beyond 255 turn into
    others; this one keeps them. Ignored values, the shift of ``reduce_zero_label`` and
    held-out classes are those of the data set. At test time it stands after the
    resizing, so that the map keeps the original size.

    Writes ``gt_seg_map`` (H, W): uint8, or uint16 where the vocabulary has more than
    255 classes.

    Raises:
        FileNotFoundError: The label file is missing.
        KeyError: The item is not of an :class:`OVSegDataset`.
        ValueError: The file is not a single-channel image, has a value that is neither
            a class nor ignored, or another size than the image.
    """

    def __init__(self, backend_args: dict[str, Any] | None = None) -> None:
        self.backend_args = backend_args

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Reads the label file."""
        path = results['seg_map_path']
        if 'label_table' not in results:
            raise KeyError(
                f'LoadOVAnnotations: {path} comes without a table of its labels; use '
                'openvocab.OVSegDataset'
            )
        try:
            content = mmengine.fileio.get(path, backend_args=self.backend_args)
        except FileNotFoundError:
            raise FileNotFoundError(f'label file not found: {path}') from None
        try:
            labels = results['label_table'].apply(decode_label_image(content))
        except ValueError as error:
            raise ValueError(f'{path}: {error}') from None
        _check_size(labels, path, results)
        results['gt_seg_map'] = labels
        results.setdefault('seg_fields', []).append('gt_seg_map')
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(backend_args={self.backend_args})'


def _check_size(labels: np.ndarray, path: str, results: dict[str, Any]) -> None:
    original = results.get('ori_shape')
    if original is not None and labels.shape != tuple(original[:2]):
        raise ValueError(
            f'{path} is {labels.shape}, its image {results.get("img_path")} is '
            f'{tuple(original[:2])} (height, width)'
        )
