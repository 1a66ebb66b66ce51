"""The confusion of regions, by hand."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from openvocab.evaluation import RegionConfusion
from openvocab.evaluation.region_confusion import group_confusion
from openvocab.structures import RegionDataSample


def sample(number, labels, named, kind='masks'):
    item = RegionDataSample(metainfo=dict(img_id=number, img_path=f'{number}.jpg'))
    item.regions = InstanceData(labels=torch.tensor(labels))
    found = InstanceData(
        region=torch.arange(len(labels)),
        topk=torch.tensor([[n, 0, 1] for n in named]).reshape(-1, 3),
    )
    item.predictions = {kind: found}
    return item.to_dict()


def evaluate(samples, **kwargs):
    metric = RegionConfusion(**kwargs)
    metric.dataset_meta = dict(
        classes=['cat', 'dog', 'sky'], is_thing=[True, True, False]
    )
    metric.process(None, samples)
    return metric, metric.evaluate(len(samples))


def test_matrix_by_hand():
    samples = [sample(0, [0, 0, 2], [0, 1, 2]), sample(1, [1], [2]), sample(2, [], [])]
    metric, scores = evaluate(samples)
    expected = [[1, 1, 0], [0, 0, 1], [0, 0, 1]]
    assert metric.matrix.tolist() == expected
    # the parent's figure agrees: cat 50 %, dog 0 %
    assert scores['masks_t_top1'] == 25
    names, shares = group_confusion(metric.matrix, ['thing', 'thing', 'stuff'])
    assert names == ['thing', 'stuff']
    np.testing.assert_allclose(shares, [[200 / 3, 100 / 3], [0, 100]])


def test_groups_without_regions_are_nan():
    _, shares = group_confusion(np.array([[3, 0], [0, 0]]), ['a', 'b'])
    assert shares[0].tolist() == [100, 0] and np.isnan(shares[1]).all()


def test_a_repeated_image_counts_once():
    metric, _ = evaluate([sample(0, [0], [1]), sample(0, [0], [1])])
    assert metric.matrix.sum() == 1


def test_other_kinds_and_none():
    metric, _ = evaluate([sample(0, [0], [1], kind='boxes')], kind='boxes')
    assert metric.matrix[0, 1] == 1
    with pytest.raises(ValueError, match='no region was read through crops'):
        evaluate([sample(0, [0], [1])], kind='crops')
