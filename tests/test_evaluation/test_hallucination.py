import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from openvocab.registry import METRICS
from openvocab.vocab import Vocabulary

CLASSES = Vocabulary.load(['cat', 'dog', 'sky', 'sea'])
CAT, DOG, SKY, SEA, NONE = 0, 1, 2, 3, 255


def evaluate(*images):
    metric = METRICS.build(dict(type='openvocab.HallucinationMetric'))
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = CLASSES.metainfo()
    for index, (labelled, predicted) in enumerate(images):
        sample = SegDataSample(metainfo=dict(img_path=str(index)))
        sample.gt_sem_seg = PixelData(data=torch.tensor([[labelled]]))
        sample.pred_sem_seg = PixelData(data=torch.tensor([[predicted]]))
        evaluator.process([sample])
    return evaluator.evaluate(len(images))


def test_hand_computed():
    found = evaluate(
        # dog is not there; sea is predicted only where nothing is labelled
        ([CAT, CAT, SKY, NONE], [CAT, DOG, CAT, SEA]),
        # missing a class is no hallucination
        ([CAT, DOG, SKY, SKY], [CAT, CAT, CAT, CAT]),
        # all three wrong
        ([SEA, SEA, SEA, SEA], [CAT, DOG, SKY, SKY]),
        # does not count
        ([NONE, NONE, NONE, NONE], [CAT, DOG, SKY, SKY]),
    )
    assert found == dict(hallucination=pytest.approx((50 + 0 + 100) / 3))


def test_no_labels():
    assert evaluate(([NONE], [CAT])) == {}
