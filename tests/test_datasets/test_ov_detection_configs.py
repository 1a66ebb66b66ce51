"""The data set configs of detection: one size throughout, and OV-Shapes for real."""

import numpy as np
import pytest
import torch
from mmdet.models import DetDataPreprocessor
from mmengine.config import Config
from mmengine.runner import Runner
from mmengine.structures import InstanceData

from openvocab.datasets.ov_shapes.world import World
from openvocab.datasets.ov_shapes.writer import write_ov_shapes
from openvocab.registry import METRICS
from openvocab.vocab import Vocabulary

SIZES = dict(
    coco_transfer=896,
    objects365_v1_transfer=896,
    ov_coco_640=640,
    ov_coco_896=896,
    ov_lvis_1024=1024,
    ov_lvis_896=896,
    ov_shapes_detection=128,
)
CLASSES = dict(
    coco_transfer=80,
    objects365_v1_transfer=365,
    ov_coco_640=65,
    ov_coco_896=65,
    ov_lvis_1024=1203,
    ov_lvis_896=1203,
    ov_shapes_detection=36,
)


@pytest.fixture
def read(repo_root):
    return lambda name: Config.fromfile(
        repo_root / f'configs/_base_/datasets/{name}.py'
    )


@pytest.mark.parametrize('name, size', SIZES.items())
def test_one_size_and_one_vocabulary_throughout(read, name, size):
    cfg = read(name)
    assert cfg.img_size == size
    loaders = [cfg[k] for k in cfg if k.endswith('_dataloader')]
    assert len(loaders) == (2 if 'transfer' in name else 3)
    for loader in loaders:
        dataset = loader.dataset
        steps = {step.type: step for step in dataset.pipeline}
        sizes = [s[k] for s in steps.values() for k in ('scale', 'crop_size') if k in s]
        assert sizes and all(tuple(found) == (size, size) for found in sizes)
        # padding is the data preprocessor's: mmcv's Pad would change img_shape
        assert not any('Pad' in step for step in steps)
        assert len(Vocabulary.load(dataset.vocabulary)) == CLASSES[name]
        assert dataset.data_root == cfg.data_root
        evaluated = cfg.data_root + cfg.val_dataloader.dataset.ann_file
        assert cfg.val_evaluator.ann_file == cfg.test_evaluator.ann_file == evaluated
    assert cfg.val_dataloader == cfg.test_dataloader
    lvis = 'lvis' in name
    assert cfg.val_evaluator.get('federated', False) is lvis
    assert cfg.val_evaluator.metric == (['bbox', 'segm'] if lvis else ['bbox'])


@pytest.mark.parametrize('name', [name for name in SIZES if 'transfer' not in name])
def test_training_is_that_of_the_published_detectors(read, name):
    loader = read(name).train_dataloader
    assert loader.batch_size == 8 and loader.persistent_workers is False
    dataset = loader.dataset
    vocab = Vocabulary.load(dataset.vocabulary)
    wanted = [split in dataset.splits for split in vocab.splits]
    assert wanted == list(vocab.is_base) and any(vocab.is_novel)
    assert dataset.filter_cfg == dict(filter_empty_gt=True, min_size=32)
    names = [step.type.split('.')[1] for step in dataset.pipeline]
    assert names == [
        'LoadImageFromFile',
        'LoadAnnotations',
        'RandomResize',
        'RandomCrop',
        'FilterAnnotations',
        'RandomFlip',
        'PackDetInputs',
    ]
    _, load, resize, crop, keep, flip, _ = dataset.pipeline
    assert load.get('with_mask', False) is ('lvis' in name)
    jitter = (1.0, 1.0) if 'shapes' in name else (0.1, 2.0)
    assert resize.ratio_range == jitter and resize.keep_ratio
    assert crop.crop_type == 'absolute_range'
    assert crop.recompute_bbox and crop.allow_negative_crop
    assert keep.min_gt_bbox_wh == (0.01, 0.01) and flip.prob == 0.5


def test_validation_images(read):
    # OV-COCO: those with one of the 65 classes; elsewhere all
    kept = {
        name: read(name).val_dataloader.dataset.get('keep_only_annotated', False)
        for name in SIZES
    }
    assert {name for name, only in kept.items() if only} == {
        'ov_coco_640',
        'ov_coco_896',
    }


@pytest.fixture(scope='module')
def ov_shapes(tmp_path_factory):
    root = tmp_path_factory.mktemp('ov_shapes')
    write_ov_shapes(root, {'train': 12, 'val': 12}, World(), 0)
    return root


def loader_of(cfg, key, root):
    part = cfg[key]
    part.num_workers, part.persistent_workers = 0, False
    part.dataset.data_root = str(root)
    return Runner.build_dataloader(part, seed=0)


def test_ov_shapes_training_batches(read, ov_shapes):
    cfg = read('ov_shapes_detection')
    loader = loader_of(cfg, 'train_dataloader', ov_shapes)
    vocab = Vocabulary.load(cfg.train_dataloader.dataset.vocabulary)
    preprocess = DetDataPreprocessor(pad_size_divisor=cfg.img_size)
    seen = []
    for batch in loader:
        batch = preprocess(batch, True)
        assert batch['inputs'].shape[1:] == (3, 128, 128)
        for sample in batch['data_samples']:
            assert sample.img_shape == (128, 128)
            seen += sample.gt_instances.labels.tolist()
    assert seen and all(vocab.is_base[label] for label in seen)


def test_perfect_detections_on_ov_shapes_score_100(read, ov_shapes):
    cfg = read('ov_shapes_detection')
    loader = loader_of(cfg, 'val_dataloader', ov_shapes)
    metric = METRICS.build(
        dict(
            type='openvocab.OVDetMetric',
            ann_file=str(ov_shapes / 'annotations/instances_val.json'),
        )
    )
    metric.dataset_meta = loader.dataset.metainfo
    novel = np.array(Vocabulary.load(cfg.val_dataloader.dataset.vocabulary).is_novel)
    labels = []
    for batch in loader:
        for sample in batch['data_samples']:
            truth = sample.gt_instances
            boxes = truth.bboxes.tensor / torch.tensor(sample.scale_factor).repeat(2)
            sample.pred_instances = InstanceData(
                bboxes=boxes, labels=truth.labels, scores=torch.ones(len(boxes))
            )
            labels += truth.labels.tolist()
        metric.process(batch, [sample.to_dict() for sample in batch['data_samples']])
    assert novel[labels].any() and not novel[labels].all()
    found = metric.compute_metrics(metric.results)
    for key in ('bbox_ap50', 'bbox_ap50_base', 'bbox_ap50_novel', 'bbox_ap'):
        assert found[key] == pytest.approx(100)
