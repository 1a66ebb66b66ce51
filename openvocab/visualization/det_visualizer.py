"""mmdet's visualiser for detections of any classes."""

from typing import Any

import numpy as np
from mmdet.structures import DetDataSample
from mmdet.visualization import DetLocalVisualizer
from mmengine.structures import InstanceData

from openvocab.registry import VISUALIZERS

from .detections import own_metainfo


@VISUALIZERS.register_module()
class DetVisualizer(DetLocalVisualizer):
    """mmdet's ``DetLocalVisualizer``, in the colours of every image's own classes.

    Where a data sample was searched for the classes of its own ``vocabulary``, labels
    of its predictions index those; its annotations index ``dataset_meta``, as ever.
    """

    def add_datasample(
        self,
        name: str,
        image: np.ndarray,
        data_sample: DetDataSample | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Draws a sample and hands the picture to all backends; see the parent."""
        self._own_meta = self.dataset_meta
        if data_sample is not None:
            self._own_meta = own_metainfo(data_sample, self.dataset_meta)
        super().add_datasample(name, image, data_sample, *args, **kwargs)

    def _draw_instances(
        self,
        image: np.ndarray,
        instances: InstanceData,
        classes: list[str] | None,
        palette: list[tuple] | None,
    ) -> np.ndarray:
        if 'label_names' in instances:  # our predictions
            classes = self._own_meta.get('classes')
            palette = self._own_meta.get('palette')
        return super()._draw_instances(image, instances, classes, palette)
