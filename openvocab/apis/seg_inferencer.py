"""Segmentation of images into any classes."""

from typing import Any

import numpy as np
from mmdet.structures.mask import encode_mask_results
from mmseg.apis import MMSegInferencer
from mmseg.models import BaseSegmentor
from mmseg.structures import SegDataSample

from openvocab.visualization import draw_segmentation
from openvocab.vocab.ignored_label import default_ignore_index

from .inferencer import OpenVocabInferencer


class OpenVocabSegInferencer(OpenVocabInferencer, MMSegInferencer):
    """mmseg's inferencer for segmentors that take any classes.

    ::

        inferencer = OpenVocabSegInferencer('configs/cat_seg/NAME.py', 'iter_80000.pth')
        result = inferencer('street.jpg', texts='sky, road, dog')
        result['predictions'][0]
        # {'file': 'street.jpg', 'height': 480, 'width': 640, 'labels': [1, 0],
        #  'scores': [0.81, 0.64], 'label_names': ['road', 'sky'],
        #  'areas': [200320, 106880],
        #  'masks': [{'size': [480, 640], 'counts': '...'}, ..]}

    Plain values have one entry per class that was found, the largest first: ``scores``
    is the mean over its pixels of the segmentor's own scores (probabilities in most,
    cosines in training-free ones), ``areas`` its pixels, ``masks`` its mask in COCO's
    compressed RLE. With ``return_datasamples`` the label map is ``pred_sem_seg``.
    Pixels that score below ``pred_score_thr``, by default none, get the ignored label.

    Args:
        model: A config file, a config, or the name of one of our models.
        weights: What ``tools/train.py`` wrote; None leaves all but the encoder
            untrained.
        classes: Not used: a class has the name and the colour of its vocabulary.
        palette: Not used, likewise.
        dataset_name: Not used, likewise.
        device: Of the model; by default a GPU if there is one.
        scope: See mmseg.
        show_progress: Show a progress bar.
    """

    model_type = BaseSegmentor
    default_score_thr = float('-inf')

    def keep(self, sample: SegDataSample, score_thr: float) -> SegDataSample:
        """Gives the ignored label to pixels below the threshold."""
        ignored = default_ignore_index(len(self.model.dataset_meta['classes']))
        unsure = sample.seg_scores.data < score_thr
        sample.pred_sem_seg.data = sample.pred_sem_seg.data.masked_fill(unsure, ignored)
        return sample

    def draw(self, image: np.ndarray, sample: SegDataSample) -> np.ndarray:
        """Tints the classes and writes their names and mean scores on them."""
        return draw_segmentation(
            image,
            sample.pred_sem_seg.data[0].numpy(),
            self.model.dataset_meta,
            sample.seg_scores.data[0].numpy(),
        )

    def record(self, sample: SegDataSample) -> dict[str, Any]:
        """Plain values of the classes that were found."""
        labels = sample.pred_sem_seg.data[0].numpy()
        scores = sample.seg_scores.data[0].numpy()
        classes = self.model.dataset_meta['classes']
        values, areas = np.unique(labels, return_counts=True)
        found = [
            (value, area)
            for value, area in zip(values.tolist(), areas.tolist(), strict=True)
            if value < len(classes)
        ]
        found.sort(key=lambda item: -item[1])
        masks = [labels == value for value, _ in found]
        encoded = [
            dict(size=list(mask['size']), counts=mask['counts'].decode())
            for mask in encode_mask_results(masks)
        ]
        return dict(
            labels=[value for value, _ in found],
            scores=[float(scores[mask].mean()) for mask in masks],
            label_names=[classes[value] for value, _ in found],
            areas=[area for _, area in found],
            masks=encoded,
        )
