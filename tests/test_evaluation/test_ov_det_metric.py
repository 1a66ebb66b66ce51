import copy
import json
import math
import os

import numpy as np
import pytest
import torch
from mmdet.evaluation import OVCocoMetric
from mmengine.evaluator import Evaluator
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from helpers.detection_world import CLASSES, META, World, data_sample, evaluate
from helpers.processes import on_ranks
from openvocab.evaluation import OVDetMetric
from openvocab.evaluation.coco_average_precision import class_precision
from openvocab.evaluation.coco_ground_truth import CocoGroundTruth
from openvocab.evaluation.detection_results import Detections
from openvocab.registry import METRICS
from openvocab.vocab.vocabulary import Vocabulary

NAMES = ('ap', 'ap50', 'ap75', 'aps', 'apm', 'apl')
# A split of its own for every class, to see single classes.
PER_CLASS = dict(META, splits=CLASSES)


def per_class_ap(metrics, iou_type, name):
    return np.array([metrics[f'{iou_type}_{name}_{split}'] for split in CLASSES])


def same(first, second):
    """Equal metrics, nan being equal to nan."""
    assert first.keys() == second.keys()
    np.testing.assert_allclose(list(first.values()), list(second.values()), rtol=1e-12)


def pycocotools_precision(world, path, iou_type, max_dets):
    """(thresholds, recalls, labels, areas) of the reference implementation."""
    truth = COCO(path)
    evaluator = COCOeval(truth, truth.loadRes(world.results(iou_type)), iou_type)
    evaluator.params.maxDets = [max_dets]
    evaluator.evaluate()
    evaluator.accumulate()
    order = [evaluator.params.catIds.index(i) for i in world.category_ids]
    return evaluator.eval['precision'][..., 0][:, :, order]


def mean_known(precision):
    known = precision[precision > -1]
    return 100 * known.mean() if known.size else math.nan


@pytest.mark.parametrize('iou_type', ['bbox', 'segm'])
@pytest.mark.parametrize(('seed', 'max_dets'), [(1, 100), (2, 100), (2, 3)])
def test_equals_pycocotools(tmp_path, iou_type, seed, max_dets):
    world = World(seed, crowded=(1000 - 7 * 2, 1, 150))
    path = world.write(tmp_path)
    metrics = evaluate(
        world.samples(), PER_CLASS, ann_file=path, metric=iou_type, max_dets=max_dets
    )
    reference = pycocotools_precision(world, path, iou_type, max_dets)
    wholes = (
        reference[..., 0],
        reference[0, ..., 0],
        reference[5, ..., 0],
        *(reference[..., area] for area in (1, 2, 3)),
    )
    for name, whole in zip(NAMES, wholes, strict=True):
        assert metrics[f'{iou_type}_{name}'] == pytest.approx(
            mean_known(whole), abs=1e-6
        )
    assert all(metrics[f'{iou_type}_{name}'] > 0 for name in NAMES)
    for label, name in enumerate(CLASSES):
        expected = (
            mean_known(reference[:, :, label, 0]),
            mean_known(reference[0, :, label, 0]),
        )
        measured = (
            metrics[f'{iou_type}_ap_{name}'],
            metrics[f'{iou_type}_ap50_{name}'],
        )
        assert measured == pytest.approx(expected, abs=1e-6, nan_ok=True)
    if max_dets == 3:
        more = evaluate(world.samples(), PER_CLASS, ann_file=path, metric=iou_type)
        assert more[f'{iou_type}_ap50'] != metrics[f'{iou_type}_ap50']


def test_split_means_are_means_of_classes_and_equal_mmdets(tmp_path):
    world = World(3)
    # mmdet wants categories in the order of the classes, with ascending ids.
    world.content['categories'].sort(key=lambda category: category['id'])
    names = tuple(category['name'] for category in world.content['categories'])
    to_label = [names.index(name) for name in CLASSES]
    world.found = {
        i: (boxes, scores, np.array([to_label[k] for k in labels], np.int64))
        for i, (boxes, scores, labels) in world.found.items()
    }
    meta = dict(
        classes=names, base_classes=('cat', 'kite', 'bus'), novel_classes=('dog', 'cup')
    )
    path = world.write(tmp_path)
    samples = world.samples(masks=False)
    ours = evaluate(samples, meta, ann_file=path)

    metric = OVCocoMetric(ann_file=path)
    metric.dataset_meta = meta
    for sample in samples:
        metric.process(None, [sample.to_dict()])
    theirs = metric.evaluate(len(samples))
    for split in ('base', 'novel'):
        for name in ('ap', 'ap50'):
            expected = 100 * theirs[f'coco/{split}_{name}']
            assert ours[f'bbox_{name}_{split}'] == pytest.approx(expected, abs=1e-6)
    assert ours['bbox_ap50'] == pytest.approx(
        100 * theirs['coco/bbox_mAP_50'], abs=0.051
    )

    splits = dict(classes=names, splits=names)
    classes = per_class_ap(evaluate(samples, splits, ann_file=path), 'bbox', 'ap50')
    groups = dict(
        bbox_ap50=CLASSES,
        bbox_ap50_base=meta['base_classes'],
        bbox_ap50_novel=meta['novel_classes'],
    )
    for key, group in groups.items():
        chosen = [classes[CLASSES.index(name)] for name in group]
        assert ours[key] == pytest.approx(np.nanmean(chosen), abs=1e-9)


BOXES = ([0, 0, 20, 20], [40, 40, 60, 70], [80, 10, 90, 20])
CORNER = [100, 100, 120, 110]  # nothing is there


def toy(boxes, labels):
    annotations = [
        dict(
            id=i,
            image_id=1,
            category_id=(7, 3)[label],
            bbox=[x, y, right - x, bottom - y],
            area=(right - x) * (bottom - y),
        )
        for i, ((x, y, right, bottom), label) in enumerate(
            zip(boxes, labels, strict=True)
        )
    ]
    return dict(
        images=[dict(id=1, height=131, width=187)],
        categories=[dict(id=3, name='dog'), dict(id=7, name='cat')],
        annotations=annotations,
    )


def write(folder, content):
    path = folder / 'toy.json'
    path.write_text(json.dumps(content))
    return str(path)


TOY_META = dict(classes=('cat', 'dog'), splits=('base', 'novel'))


def test_hand_computed(tmp_path):
    path = write(tmp_path, toy(BOXES, [0, 0, 1]))
    # cat: hit, miss, hit. dog: its object is called cat (a miss of cat, too).
    sample = data_sample(
        1,
        np.float32([BOXES[0], CORNER, BOXES[1], BOXES[2]]),
        np.float32([0.9, 0.8, 0.7, 0.6]),
        [0, 0, 0, 0],
    )
    metrics = evaluate([sample], TOY_META, ann_file=path)
    # Precision 1 at the 51 recalls up to 0.5, then 2 of 3 at the other 50.
    cat = 100 * (51 + 50 * 2 / 3) / 101
    expected = dict(
        bbox_ap=cat / 2,
        bbox_ap50=cat / 2,
        bbox_ap75=cat / 2,
        # Up to 1024 pixels; all objects are.
        bbox_aps=cat / 2,
        bbox_apm=math.nan,
        bbox_apl=math.nan,
        bbox_ap_base=cat,
        bbox_ap50_base=cat,
        bbox_ap_novel=0.0,
        bbox_ap50_novel=0.0,
    )
    assert metrics == pytest.approx(expected, nan_ok=True)
    assert all(type(value) is float for value in metrics.values())


def test_empty_predictions_and_absent_splits(tmp_path):
    path = write(tmp_path, toy(BOXES, [0, 0, 0]))
    nothing = data_sample(1, np.zeros((0, 4), np.float32), np.zeros(0, np.float32), [])
    metrics = evaluate(
        [nothing],
        TOY_META,
        ann_file=path,
    )
    assert metrics['bbox_ap'] == metrics['bbox_ap50_base'] == 0
    assert math.isnan(metrics['bbox_ap50_novel'])
    path = write(tmp_path, toy([], []))
    metrics = evaluate([nothing], TOY_META, ann_file=path)
    assert all(math.isnan(value) for value in metrics.values())


def test_masks_of_an_image_without_detections(tmp_path):
    world = World(4)
    world.found = {
        i: (np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, int))
        for i in world.found
    }
    metrics = evaluate(world.samples(), ann_file=world.write(tmp_path), metric='segm')
    assert metrics['segm_ap'] == metrics['segm_ap50_novel'] == 0


def test_order_and_ids_of_categories_do_not_matter(tmp_path):
    world = World(5)
    kinds = ['bbox', 'segm']
    expected = evaluate(world.samples(), ann_file=world.write(tmp_path), metric=kinds)
    content = world.content
    content['categories'].reverse()
    for entry in content['categories']:
        entry['id'] = 500 - entry['id']
    for entry in content['annotations']:
        entry['category_id'] = 500 - entry['category_id']
        entry['id'] -= 1  # pycocotools takes an object of id 0 for not found
    content['annotations'].reverse()
    # A superset: what is outside the vocabulary takes no part.
    content['categories'].insert(0, dict(id=1, name='not in the vocabulary'))
    content['annotations'].append(dict(content['annotations'][0], id=99, category_id=1))
    path = world.write(tmp_path)
    same(evaluate(world.samples(), ann_file=path, metric=kinds), expected)
    # Another order of the vocabulary, and with it of the labels.
    order = [3, 0, 4, 1, 2]
    meta = {key: tuple(values[k] for k in order) for key, values in META.items()}
    for i, (boxes, scores, labels) in world.found.items():
        world.found[i] = (boxes, scores, np.argsort(order)[labels])
    same(evaluate(world.samples(), meta, ann_file=path, metric=kinds), expected)


def test_a_class_absent_from_the_file_has_no_ap(tmp_path):
    path = write(tmp_path, toy(BOXES[:1], [0]))
    meta = dict(classes=('cat', 'unicorn'), splits=('base', 'novel'))
    sample = data_sample(1, np.float32([BOXES[0], CORNER]), [0.9, 0.8], [0, 1])
    metrics = evaluate([sample], meta, ann_file=path)
    assert metrics['bbox_ap50'] == metrics['bbox_ap50_base'] == 100
    assert math.isnan(metrics['bbox_ap50_novel'])
    with pytest.raises(ValueError, match=r'none of its 2 categories .* another data'):
        evaluate([sample], dict(classes=('table', 'unicorn')), ann_file=path)


def test_synonyms_name_categories(tmp_path):
    content = toy(BOXES[:1], [0])
    content['categories'][1]['name'] = 'speaker_(stereo_equipment)'
    lvis = Vocabulary.load('lvis_v1')
    label = lvis.index('speaker_(stero_equipment)')
    sample = data_sample(1, np.float32(BOXES[:1]), [0.9], [label])
    metrics = evaluate([sample], lvis.metainfo(), ann_file=write(tmp_path, content))
    assert metrics['bbox_ap50'] == metrics['bbox_apf'] == 100


def test_only_predicted_images_count(tmp_path):
    world = World(6)
    path = world.write(tmp_path)
    kept = list(world.found)[::2]
    world.found = {i: world.found[i] for i in kept}
    expected = evaluate(world.samples(), ann_file=path)
    content = copy.deepcopy(world.content)
    for key, name in (('images', 'id'), ('annotations', 'image_id')):
        content[key] = [entry for entry in content[key] if entry[name] in kept]
    world.content = content
    same(evaluate(world.samples(), ann_file=world.write(tmp_path)), expected)


def test_only_annotated_images(tmp_path):
    world = World(7)
    annotated = {entry['image_id'] for entry in world.content['annotations']}
    assert 0 < len(annotated) < len(world.found)
    path = world.write(tmp_path)
    every = evaluate(world.samples(), ann_file=path)
    metrics = evaluate(world.samples(), ann_file=path, only_annotated=True)
    assert every['bbox_ap50'] < metrics['bbox_ap50']  # fewer false detections
    world.found = {i: world.found[i] for i in annotated}
    same(evaluate(world.samples(), ann_file=path), metrics)


def instances_of(world, image_id):
    label_of = {i: label for label, i in enumerate(world.category_ids)}
    for entry in world.content['annotations']:
        if entry['image_id'] == image_id:
            left, top, width, height = entry['bbox']
            yield dict(
                bbox=[left, top, left + width, top + height],
                bbox_label=label_of[entry['category_id']],
                ignore_flag=entry['iscrowd'],
                mask=entry['segmentation'],
            )


def test_ground_truth_of_the_samples(tmp_path):
    world = World(8)
    samples = world.samples()
    for sample in samples:
        instances = list(instances_of(world, sample.img_id))
        sample.set_metainfo(dict(instances=instances))
    kinds = ['bbox', 'segm']
    expected = evaluate(samples, ann_file=world.write(tmp_path), metric=kinds)
    measured = evaluate(samples, metric=kinds)
    same(measured, expected)


def test_result_files(tmp_path):
    world = World(9)
    path = world.write(tmp_path)
    prefix = str(tmp_path / 'out' / 'run')
    metrics = evaluate(
        world.samples(), ann_file=path, metric=['bbox', 'segm'], outfile_prefix=prefix
    )
    assert sorted(os.listdir(tmp_path / 'out')) == ['run.bbox.json', 'run.segm.json']
    truth = COCO(path)
    for iou_type in ('bbox', 'segm'):
        written = json.loads((tmp_path / 'out' / f'run.{iou_type}.json').read_text())
        assert len(written) == len(world.results(iou_type))
        evaluator = COCOeval(truth, truth.loadRes(written), iou_type)
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
        assert metrics[f'{iou_type}_ap'] == pytest.approx(100 * evaluator.stats[0])


def test_lvis_splits_and_1203_classes(tmp_path):
    world = World(10, images=20, classes=1203)
    metrics = evaluate(world.samples(), world.meta, ann_file=world.write(tmp_path))
    assert list(metrics) == [
        *(f'bbox_{name}' for name in NAMES),
        *('bbox_apr', 'bbox_apc', 'bbox_apf', 'bbox_ap50_base', 'bbox_ap50_novel'),
    ]
    splits = dict(world.meta, splits=world.meta['classes'])
    single = evaluate(world.samples(), splits, ann_file=world.write(tmp_path))
    for key, name, members in (
        ('bbox_apr', 'ap', 'r'),
        ('bbox_apc', 'ap', 'c'),
        ('bbox_apf', 'ap', 'f'),
        ('bbox_ap50_base', 'ap50', 'cf'),
        ('bbox_ap50_novel', 'ap50', 'r'),
    ):
        values = [
            single[f'bbox_{name}_{cls}']
            for cls, split in zip(
                world.meta['classes'], world.meta['splits'], strict=True
            )
            if split in members
        ]
        assert metrics[key] == pytest.approx(np.nanmean(values))
    assert metrics['bbox_ap'] > 0


def test_groups_of_classes_do_not_change_anything(tmp_path):
    world = World(11)
    vocabulary = Vocabulary.load(list(CLASSES))
    truths = CocoGroundTruth.load(world.write(tmp_path), vocabulary).images
    found = {i: Detections(*columns) for i, columns in world.found.items()}
    arguments = (truths, found, len(CLASSES), 'bbox', 100)
    whole = class_precision(*arguments)
    for pairs in (1, 2 * len(truths), 1000):
        parts = class_precision(*arguments, pairs=pairs)
        np.testing.assert_array_equal(np.stack(parts), np.stack(whole))


def test_half_precision_and_rle_predictions(tmp_path):
    world = World(12)
    path = world.write(tmp_path)
    expected = evaluate(world.samples(), ann_file=path, metric='segm')
    samples = world.samples()
    for sample, result in zip(samples, world.found.items(), strict=True):
        assert sample.img_id == result[0]
        encoded = [
            entry['segmentation']
            for entry in world.results('segm')
            if entry['image_id'] == sample.img_id
        ]
        scores = sample.pred_instances.scores
        sample.pred_instances = sample.pred_instances.new(
            bboxes=sample.pred_instances.bboxes,
            labels=sample.pred_instances.labels,
            masks=encoded,
            scores=scores.bfloat16(),  # one decimal: the order stays
        )
    same(evaluate(samples, ann_file=path, metric='segm'), expected)


def test_wrong_input_is_named(tmp_path):
    path = write(tmp_path, toy(BOXES, [0, 0, 1]))
    sample = data_sample(1, np.float32(BOXES[:1]), [0.9], [0])
    with pytest.raises(ValueError, match=r'image id 5 is not in .*toy\.json'):
        evaluate([data_sample(5, *[[]] * 3, masks=False)], TOY_META, ann_file=path)
    with pytest.raises(FileNotFoundError, match=r'missing\.json'):
        evaluate([sample], TOY_META, ann_file=str(tmp_path / 'missing.json'))
    with pytest.raises(KeyError, match='classes'):
        evaluate([sample], {}, ann_file=path)
    with pytest.raises(KeyError, match='image 1 has no instances'):
        evaluate([sample], TOY_META)
    with pytest.raises(ValueError, match="'bbox' or 'segm', got 'proposal'"):
        OVDetMetric(path, metric='proposal')
    with pytest.raises(ValueError, match='federated=True needs ann_file'):
        OVDetMetric(federated=True)
    with pytest.raises(ValueError, match=r"image 1 has no 'neg_category_ids'"):
        evaluate([sample], TOY_META, ann_file=path, federated=True)
    with pytest.raises(ValueError, match='object without a mask'):
        evaluate([sample], TOY_META, ann_file=path, metric='segm')
    maskless = data_sample(1, np.float32(BOXES[:1]), [0.9], [0], masks=False)
    with pytest.raises(KeyError, match='needs masks'):
        evaluate([maskless], TOY_META, ann_file=path, metric='segm')
    sample.pred_instances.masks = torch.zeros(1, 10, 11, dtype=torch.bool)
    with pytest.raises(ValueError, match=r'\[10, 11\] pixels .* \[131, 187\]'):
        evaluate([sample], TOY_META, ann_file=path, metric='segm')
    content = toy(BOXES, [0, 0, 1])
    del content['annotations'][0]['area']
    with pytest.raises(ValueError, match=r"toy\.json: an entry lacks 'area'"):
        evaluate([sample], TOY_META, ann_file=write(tmp_path, content))


def test_the_model_must_name_the_classes_of_the_data_set(tmp_path):
    path = write(tmp_path, toy(BOXES, [0, 0, 1]))
    meta = dict(TOY_META, synonyms=(('cat', 'kitten'), ('dog',)))
    sample = data_sample(1, np.float32(BOXES[:1]), [0.9], [2])
    with pytest.raises(ValueError, match=r'image 1: label 2 .* has 2 classes'):
        evaluate([sample], meta, ann_file=path)
    sample = data_sample(1, np.float32(BOXES[:1]), [0.9], [0])
    for names in (['cat'], ['kitten']):
        sample.pred_instances.label_names = names
        assert evaluate([sample], meta, ann_file=path)['bbox_ap50_base'] > 0
    for name in ('dog', 'unicorn'):
        sample.pred_instances.label_names = [name]
        with pytest.raises(ValueError, match=f"calls label 0 '{name}', .* 'cat'"):
            evaluate([sample], meta, ann_file=path)


def test_another_vocabulary_on_the_same_metric(tmp_path):
    path = write(tmp_path, toy(BOXES, [0, 0, 1]))
    metric = METRICS.build(dict(type='openvocab.OVDetMetric', ann_file=path))
    evaluator = Evaluator(metric)
    for classes, label in ((('cat', 'dog'), 1), (('dog', 'cat', 'bus'), 0)):
        evaluator.dataset_meta = dict(classes=classes)
        evaluator.process([data_sample(1, np.float32(BOXES[2:]), [0.9], [label])])
        metrics = evaluator.evaluate(1)
        assert metrics['bbox_ap50'] == pytest.approx(50)


@pytest.mark.dist
@pytest.mark.parametrize(
    'shards',
    # A sampler that rounds up repeats the first image; a rank that saw nothing.
    [[[*range(0, 14, 2), 0], list(range(1, 14, 2))], [list(range(14)), []]],
)
def test_two_processes_equal_one(shards, tmp_path):
    world = World(13)
    samples, path = world.samples(), world.write(tmp_path)

    def score(shard):
        seen = [samples[i] for i in shard]
        return evaluate(seen, size=14, ann_file=path, metric=['bbox', 'segm'])

    expected = score(range(14))
    for found in on_ranks(score, shards, tmp_path):
        same(found, expected)
