"""LVIS evaluation against a slow reading of its definition, and by hand."""

import json
import math
import time

import numpy as np
import pytest

from helpers.detection_world import (
    HEIGHT,
    WIDTH,
    World,
    data_sample,
    evaluate,
    rectangle,
)

THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)
AREAS = dict(ap=(0, 1e10), aps=(0, 32**2), apm=(32**2, 96**2), apl=(96**2, 1e10))


def overlap(first, second):
    """IoU of two masks, or of two boxes."""
    if first.ndim == 2:
        return (first & second).sum() / (first | second).sum()
    low, high = np.maximum(first[:2], second[:2]), np.minimum(first[2:], second[2:])
    shared = np.prod(np.clip(high - low, 0, None))
    return shared / (area(first) + area(second) - shared)


def area(shape):
    shape = shape.astype(np.float64)
    return shape.sum() if shape.ndim == 2 else np.prod(shape[2:] - shape[:2])


def verdicts(objects, detections, threshold, limits, exhaustive):
    """(score, is hit) of the detections of one image that count, best first."""

    def outside(size):
        return not limits[0] <= size <= limits[1]

    free = list(range(len(objects)))
    for score, shape in sorted(detections, key=lambda item: -item[0]):
        fits = [k for k in free if overlap(shape, objects[k][0]) >= threshold]
        # Objects of another size are matched only where no other is.
        fits = [k for k in fits if not outside(objects[k][1])] or fits
        if fits:
            best = max(fits, key=lambda k: (overlap(shape, objects[k][0]), k))
            free.remove(best)
            if not outside(objects[best][1]):
                yield score, True
        elif exhaustive and not outside(area(shape)):
            yield score, False


def average_precision(images, threshold, limits):
    """AP of one class; ``images``: (objects, detections, exhaustive) of each."""
    total = sum(
        limits[0] <= size <= limits[1] for objects, *_ in images for _, size in objects
    )
    if not total:
        return math.nan
    ranked = [
        v
        for objects, found, exhaustive in images
        for v in verdicts(objects, found, threshold, limits, exhaustive)
    ]
    ranked.sort(key=lambda verdict: -verdict[0])
    hits = np.cumsum([hit for _, hit in ranked])
    precision = hits / np.arange(1, len(ranked) + 1)
    recall = hits / total
    return np.mean([max(precision[recall >= r], default=0) for r in RECALLS])


def reference(world, iou_type, max_dets):
    """Measures by name, averaged over classes and thresholds; in percent."""
    classes = [[] for _ in world.category_ids]
    for image in sorted(world.content['images'], key=lambda image: image['id']):
        own = [a for a in world.content['annotations'] if a['image_id'] == image['id']]
        boxes, scores, labels = world.found[image['id']]
        best = sorted(range(len(scores)), key=lambda k: -scores[k])[:max_dets]
        for label, category in enumerate(world.category_ids):
            objects = [a for a in own if a['category_id'] == category]
            if not objects and category not in image['neg_category_ids']:
                continue
            shapes = [shape_of(a['bbox'], iou_type) for a in objects]
            found = [
                (scores[k], shape(boxes[k], iou_type))
                for k in sorted(best)
                if labels[k] == label
            ]
            classes[label].append(
                (
                    list(zip(shapes, (a['area'] for a in objects), strict=True)),
                    [item for item in found if area(item[1]) > 0],
                    category not in image['not_exhaustive_category_ids'],
                )
            )
    table = {
        name: np.array(
            [[average_precision(c, t, limits) for t in THRESHOLDS] for c in classes]
        )
        for name, limits in AREAS.items()
    }
    means = {name: values.mean(axis=1) for name, values in table.items()}
    means.update(ap50=table['ap'][:, 0], ap75=table['ap'][:, 5])
    splits = np.array(world.meta['splits'])
    chosen = {f'ap{split}': ('ap', splits == split) for split in 'rcf'}
    chosen['ap50_base'] = 'ap50', splits != 'r'
    chosen['ap50_novel'] = 'ap50', splits == 'r'
    chosen.update({name: (name, splits != '') for name in means})
    return {
        f'{iou_type}_{key}': 100 * np.nanmean(means[name][mask])
        for key, (name, mask) in chosen.items()
    }


def shape(box, iou_type):
    return rectangle(box) if iou_type == 'segm' else box.astype(np.float64)


def shape_of(bbox, iou_type):
    x, y, width, height = bbox
    return shape(np.array([x, y, x + width, y + height]), iou_type)


def federated_world(seed, **kwargs):
    world = World(seed, classes=9, **kwargs)
    for entry in world.content['annotations']:
        del entry['ignore'], entry['iscrowd']
        # Masks on the pixel grid, so that polygons and rectangles are the same.
        corners = shape_of(np.round(entry['bbox']), 'bbox')
        left, top, right, bottom = corners.tolist()
        entry['bbox'] = [left, top, right - left, bottom - top]
        polygon = [left, top, right, top, right, bottom, left, bottom]
        entry['segmentation'] = [polygon]
        entry['area'] = entry['bbox'][2] * entry['bbox'][3]
    for image in world.content['images']:
        own = {
            entry['category_id']
            for entry in world.content['annotations']
            if entry['image_id'] == image['id']
        }
        others = [i for i in world.category_ids if i not in own]
        image['neg_category_ids'] = [i for i in others if world.random.random() < 0.5]
        image['not_exhaustive_category_ids'] = [
            i for i in world.category_ids if world.random.random() < 0.3
        ]
    return world


@pytest.mark.parametrize('iou_type', ['bbox', 'segm'])
@pytest.mark.parametrize(('seed', 'max_dets'), [(1, 300), (2, 300), (3, 7)])
def test_equals_the_definition(tmp_path, iou_type, seed, max_dets):
    world = federated_world(seed, crowded=(1000 - 7 * 2, 2, 320))
    path = world.write(tmp_path)
    arguments = dict(ann_file=path, metric=iou_type, federated=True, max_dets=max_dets)
    metrics = evaluate(world.samples(), world.meta, **arguments)
    expected = reference(world, iou_type, max_dets)
    assert metrics.keys() == expected.keys()
    for name, value in metrics.items():
        assert value == pytest.approx(expected[name], abs=1e-6, nan_ok=True), name
    # What the writing of result files keeps changes nothing.
    prefix = str(tmp_path / 'results')
    written = evaluate(world.samples(), world.meta, outfile_prefix=prefix, **arguments)
    assert written == pytest.approx(metrics, nan_ok=True)
    # The fixture tells federated evaluation from the plain one.
    plain = evaluate(world.samples(), world.meta, ann_file=path, metric=iou_type)
    assert plain[f'{iou_type}_ap'] < metrics[f'{iou_type}_ap'] - 1


THERE = [10, 10, 30, 30]
ELSEWHERE = [50, 50, 90, 90]


@pytest.mark.parametrize(
    ('second', 'expected'),
    [
        # Nothing is known of cats in the second image: its detection does not count.
        (dict(), 100),
        # No cat is there: a false one precedes the hit, precision is 1/2 everywhere.
        (dict(neg_category_ids=[5]), 50),
        # The same, but not all cats are annotated there.
        (dict(neg_category_ids=[5], not_exhaustive_category_ids=[5]), 100),
        # The negatives of another class.
        (dict(neg_category_ids=[6]), 100),
    ],
)
def test_hand_computed(tmp_path, second, expected):
    empty = dict(neg_category_ids=[], not_exhaustive_category_ids=[])
    sizes = dict(height=HEIGHT, width=WIDTH)
    content = dict(
        images=[{**empty, **sizes, 'id': 1}, {**empty, **sizes, **second, 'id': 2}],
        categories=[dict(id=5, name='cat'), dict(id=6, name='dog')],
        annotations=[
            dict(id=1, image_id=1, category_id=5, bbox=[10, 10, 20, 20], area=400)
        ],
    )
    path = tmp_path / 'lvis.json'
    path.write_text(json.dumps(content))
    samples = [
        data_sample(1, np.float32([THERE]), [0.5], [0], masks=False),
        data_sample(2, np.float32([ELSEWHERE]), [0.9], [0], masks=False),
    ]
    meta = dict(classes=('cat', 'dog'), splits=('r', 'c'))
    metrics = evaluate(samples, meta, ann_file=str(path), federated=True)
    assert metrics['bbox_apr'] == metrics['bbox_ap50_novel'] == pytest.approx(expected)
    assert metrics['bbox_ap'] == pytest.approx(expected)
    assert math.isnan(metrics['bbox_apc']) and math.isnan(metrics['bbox_ap50_base'])


@pytest.mark.parametrize(('federated', 'expected'), [(True, 100), (False, 50)])
@pytest.mark.parametrize('iou_type', ['bbox', 'segm'])
def test_detections_without_area(tmp_path, iou_type, federated, expected):
    """Of an empty mask lvis-api knows nothing, and pycocotools a false detection."""
    left, top, right, bottom = THERE
    entry = dict(id=1, image_id=1, category_id=5, bbox=[10, 10, 20, 20], area=400)
    entry['segmentation'] = [[left, top, right, top, right, bottom, left, bottom]]
    image = dict(id=1, height=HEIGHT, width=WIDTH, neg_category_ids=[])
    content = dict(
        images=[dict(image, not_exhaustive_category_ids=[])],
        categories=[dict(id=5, name='cat')],
        annotations=[entry],
    )
    path = tmp_path / 'lvis.json'
    path.write_text(json.dumps(content))
    sample = data_sample(1, np.float32([[50, 50, 50, 90], THERE]), [0.9, 0.5], [0, 0])
    metrics = evaluate(
        [sample],
        dict(classes=('cat',)),
        ann_file=str(path),
        metric=iou_type,
        federated=federated,
    )
    assert metrics[f'{iou_type}_ap'] == pytest.approx(expected)


def test_1203_classes_are_quick(tmp_path):
    world = World(4, images=20, classes=1203)
    for image in world.content['images']:
        image['neg_category_ids'] = world.category_ids
        image['not_exhaustive_category_ids'] = []
    path = world.write(tmp_path)
    samples = world.samples()
    start = time.process_time()  # of this process: others may keep the machine busy
    metrics = evaluate(
        samples, world.meta, ann_file=path, federated=True, metric=['bbox', 'segm']
    )
    assert time.process_time() - start < 4  # both kinds
    assert metrics['bbox_ap'] > 0 and metrics['segm_ap'] > 0
