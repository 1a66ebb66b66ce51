"""The data element that carries regions through the alignment and its report."""

from mmengine.structures import BaseDataElement, InstanceData
from torch import Tensor


class RegionDataSample(BaseDataElement):
    """One image with its regions.

    Metainfo (all sizes are ``(height, width)`` in pixels): ``img_id``, ``img_path``,
    ``ori_shape`` of the file, ``img_shape`` after resizing and before padding,
    ``pad_shape`` of the tensor given to the model.

    Attributes:
        regions: ``bboxes`` (N, 4) float32, xyxy in pixels of the model input; where
            annotated ``labels`` (N,) int64 and ``is_thing`` (N,) bool; where crops
            are cut ``crops`` (N, 3, S, S) uint8 and ``crop_valid`` (N,) bool.
        segment_map: (H, W) int32 over the padded input; the value ``i + 1`` marks
            the pixels of region ``i``, 0 marks none.
        predictions: set by ``predict``; maps ``'boxes'``, ``'masks'`` and
            ``'crops'`` to an ``InstanceData`` with ``region`` (M,), the index of the
            region that a row speaks of, and ``topk`` (M, k) class indices, best
            first, k = min(5, number of classes). On the CPU.
    """

    @property
    def regions(self) -> InstanceData:
        """Boxes and annotations of the N regions."""
        return self._regions

    @regions.setter
    def regions(self, value: InstanceData) -> None:
        self.set_field(value, '_regions', dtype=InstanceData)

    @regions.deleter
    def regions(self) -> None:
        del self._regions

    @property
    def segment_map(self) -> Tensor:
        """Pixels of every region, (H, W)."""
        return self._segment_map

    @segment_map.setter
    def segment_map(self, value: Tensor) -> None:
        self.set_field(value, '_segment_map', dtype=Tensor)

    @segment_map.deleter
    def segment_map(self) -> None:
        del self._segment_map

    @property
    def predictions(self) -> dict[str, InstanceData]:
        """Classes named by ``predict``."""
        return self._predictions

    @predictions.setter
    def predictions(self, value: dict[str, InstanceData]) -> None:
        self.set_field(value, '_predictions', dtype=dict)

    @predictions.deleter
    def predictions(self) -> None:
        del self._predictions
