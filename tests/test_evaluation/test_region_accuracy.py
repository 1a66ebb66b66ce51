import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData

from helpers.processes import on_ranks
from openvocab.evaluation import RegionAccuracy
from openvocab.structures import RegionDataSample

# Things cat, dog; stuff sky, grass, sea, mud, ice.
META = dict(
    classes=('cat', 'dog', 'sky', 'grass', 'sea', 'mud', 'ice'),
    is_thing=(True, True, False, False, False, False, False),
)
CAT, DOG, SKY, GRASS, SEA, MUD, ICE = range(7)


def ranked(first):
    """Five classes, ``first`` best; the others in order."""
    return [first, *[c for c in range(7) if c != first]][:5]


def sample(img_id, labels, masks, boxes=None, crops=None):
    """``masks`` etc. map region index to the ranked classes."""
    labels = torch.tensor(labels, dtype=torch.int64)
    element = RegionDataSample(metainfo=dict(img_id=img_id, img_path=f'{img_id}.jpg'))
    element.regions = InstanceData(
        bboxes=torch.zeros(len(labels), 4),
        labels=labels,
        is_thing=torch.tensor(META['is_thing'])[labels],
    )
    given = dict(masks=masks, boxes=boxes, crops=crops)
    element.predictions = {
        kind: InstanceData(
            region=torch.tensor(list(rows), dtype=torch.int64),
            topk=torch.tensor(list(rows.values()) or [[0] * 5])[: len(rows)],
        )
        for kind, rows in given.items()
        if rows is not None
    }
    return element


def evaluate(samples, size=None, **kwargs):
    metric = RegionAccuracy(**kwargs)
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = META
    for element in samples:
        evaluator.process([element])
    return evaluator.evaluate(len(samples) if size is None else size), metric


def test_hand_computed():
    samples = [
        sample(
            1,
            [CAT, CAT, SKY],
            masks={0: ranked(CAT), 1: ranked(SKY), 2: ranked(SKY)},
            # Rows out of order: they speak of the region they name.
            boxes={1: ranked(DOG), 0: ranked(CAT), 2: ranked(SKY)},
            crops={0: ranked(CAT), 1: ranked(CAT)},
        ),
        sample(
            2,
            [DOG, SKY, GRASS, SKY],
            masks={0: ranked(DOG), 1: ranked(CAT), 2: ranked(CAT), 3: ranked(SEA)},
            boxes={0: ranked(CAT)},
        ),
        sample(3, [ICE], masks={0: ranked(CAT)}, boxes={}),
        sample(4, [], masks={}, boxes={}),
    ]
    metrics, metric = evaluate(samples)
    expected = dict(
        # cat 1/2, dog 0/1; the box of the sky does not count.
        boxes_top1=25.0,
        boxes_top5=100.0,
        # cat 1/2, dog 1/1.
        masks_t_top1=75.0,
        masks_t_top5=100.0,
        # sky 1/3, grass 0/1, ice 0/1; ice is not among cat's first five.
        masks_s_top1=100 / 9,
        masks_s_top5=200 / 3,
        crops_top1=100.0,
        crops_top5=100.0,
        # Of 5 stuff masks sky -> cat, grass -> cat, ice -> cat; of 3 things one.
        stuff_as_thing=60.0,
        thing_as_stuff=100 / 3,
    )
    assert metrics == pytest.approx(expected)
    assert all(type(value) is float for value in metrics.values())
    assert sorted(metric.confusions) == [
        ('cat', 'sky', 1),
        ('grass', 'cat', 1),
        ('ice', 'cat', 1),
        ('sky', 'cat', 1),
        ('sky', 'sea', 1),
    ]


def test_confusions_are_sorted_and_limited():
    labels = [SKY, SKY, GRASS]
    masks = {0: ranked(CAT), 1: ranked(CAT), 2: ranked(DOG)}
    _, metric = evaluate([sample(1, labels, masks)], num_confusions=1)
    assert metric.confusions == [('sky', 'cat', 2)]


def test_measures_without_regions_are_left_out():
    metrics, _ = evaluate([sample(1, [SKY], {0: ranked(SKY)}, boxes={})])
    assert metrics == dict(masks_s_top1=100.0, masks_s_top5=100.0, stuff_as_thing=0.0)
    metrics, metric = evaluate([sample(1, [], {}, {})])
    assert metrics == {}
    assert metric.confusions == []


def test_fewer_than_five_classes():
    metrics, _ = evaluate([sample(1, [CAT, DOG], {0: [1, 0], 1: [1, 0]})])
    assert metrics['masks_t_top1'] == 50
    assert metrics['masks_t_top5'] == 100


def test_wrong_input_is_named():
    element = sample('x', [CAT], {0: ranked(CAT)})
    del element.regions.labels
    with pytest.raises(KeyError, match='image x lacks region labels'):
        evaluate([element])
    metric = RegionAccuracy()
    metric.process(None, [sample(1, [CAT], {0: ranked(CAT)}).to_dict()])
    with pytest.raises(KeyError, match='is_thing'):
        metric.evaluate(1)


def five_images():
    generator = torch.Generator().manual_seed(0)
    samples = []
    for img_id in range(5):
        labels = torch.randint(0, 7, (6,), generator=generator).tolist()
        rows = {
            i: torch.randperm(7, generator=generator)[:5].tolist() for i in range(6)
        }
        samples.append(sample(img_id, labels, rows, boxes=rows))
    return samples


@pytest.mark.dist
@pytest.mark.parametrize(
    'shards',
    [
        # DefaultSampler with round_up; contiguous shards that repeat an image in the
        # middle; a rank that saw only one.
        [[0, 2, 4], [1, 3, 0]],
        [[0, 1, 2], [2, 3, 4]],
        [[0], [1, 2, 3, 4]],
    ],
)
def test_two_processes_equal_one(shards, tmp_path):
    images = five_images()

    def score(shard):
        metrics, metric = evaluate([images[i] for i in shard], size=5)
        return [metrics, [list(row) for row in metric.confusions]]

    (first, confusions), (second, _) = on_ranks(score, shards, tmp_path)
    expected = score(range(5))
    assert first == second == pytest.approx(expected[0])
    assert confusions == expected[1]
