"""Detection of any classes in images."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from mmdet.apis import DetInferencer
from mmdet.models.detectors.base import BaseDetector
from mmdet.structures import DetDataSample

from openvocab.visualization import draw_detections
from openvocab.vocab import Vocabulary

from .inferencer import OpenVocabInferencer


class OpenVocabDetInferencer(OpenVocabInferencer, DetInferencer):
    """mmdet's inferencer for detectors that take any classes.

    ::

        inferencer = OpenVocabDetInferencer('configs/fvit/NAME.py', 'epoch_3.pth')
        result = inferencer(['a.jpg', 'folder'], texts=['fire hydrant', 'dog'])
        result['predictions'][0]
        # {'file': 'a.jpg', 'height': 480, 'width': 640, 'labels': [1],
        #  'scores': [0.81], 'bboxes': [[3.1, 20.7, 40.2, 61.0]],
        #  'label_names': ['dog']}

    Plain values are mmdet's, with names: ``labels, scores, label_names`` (N,), best
    first, ``bboxes`` (N, 4) as x1, y1, x2, y2 in pixels of the image and, where the
    model has a mask head, ``masks``, N in COCO's compressed RLE. Scores below
    ``pred_score_thr``, by default 0.3, are left out.

    Args:
        model: A config file, a config, or the name of one of our models.
        weights: What ``tools/train.py`` wrote; None leaves all but the encoder
            untrained.
        device: Of the model; by default a GPU if there is one.
        scope: See mmdet.
        palette: Not used: a class has the colour that its vocabulary gives it.
        show_progress: Show a progress bar.
    """

    model_type = BaseDetector
    default_score_thr = 0.3

    def using_classes(
        self, vocabulary: Vocabulary, novel: Sequence[str] | None
    ) -> AbstractContextManager[None]:
        """Exchanges the detector's classes; novel ones lean on its encoder."""
        return self.model.using_vocabulary(vocabulary, novel=novel)

    def keep(self, sample: DetDataSample, score_thr: float) -> DetDataSample:
        """Removes detections below the threshold."""
        found = sample.pred_instances
        sample.pred_instances = found[found.scores >= score_thr]
        return sample

    def draw(self, image: np.ndarray, sample: DetDataSample) -> np.ndarray:
        """Draws boxes, and masks where there are any, with names and scores."""
        return draw_detections(image, sample, self.model.dataset_meta, score_thr=0)

    def record(self, sample: DetDataSample) -> dict[str, Any]:
        """Plain values of the detections."""
        names = list(sample.pred_instances.label_names)
        return self.pred2dict(sample) | dict(label_names=names)
