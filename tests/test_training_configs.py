"""Every training config: its batch is the scale's base, and it resumes exactly."""

import re

import numpy as np
import pytest
from mmengine.registry import init_default_scope

from helpers.configs import LEAVES, read_config
from openvocab.evaluation.coco_average_precision import ClassPrecision
from openvocab.evaluation.split_precision import mean_precision
from openvocab.registry import HOOKS
from openvocab.vocab import Vocabulary

TRAINING = [p for p in LEAVES if re.search(r'_\d+xb\d+', p.stem)]


@pytest.fixture(params=TRAINING, ids=lambda path: path.stem)
def trained(request):
    return request.param, read_config(request.param)


def test_learning_rates_are_those_of_the_batch_in_the_name(trained):
    path, cfg = trained
    processes, images = map(int, re.search(r'_(\d+)xb(\d+)', path.stem).groups())
    assert cfg.train_dataloader.batch_size == images
    assert cfg.auto_scale_lr == dict(enable=False, base_batch_size=processes * images)
    assert cfg.optim_wrapper.get('accumulative_counts', 1) == 1


def test_nothing_is_in_the_way_of_exact_resuming(trained):
    _, cfg = trained
    assert cfg.default_hooks.checkpoint.type == 'openvocab.AtomicCheckpointHook'
    assert cfg.default_hooks.epoch_seed.type == 'openvocab.EpochSeedHook'
    assert cfg.randomness.seed is not None
    loader = cfg.train_dataloader
    if cfg.train_cfg.type == 'EpochBasedTrainLoop':
        # workers that outlive an epoch keep their random numbers
        assert not loader.get('persistent_workers')
        assert loader.sampler.type == 'DefaultSampler'
        return
    # an endless stream: every draw carries the seed of its augmentation
    assert loader.sampler.type == 'openvocab.SeededInfiniteSampler'
    steps = [step.type for step in loader.dataset.pipeline]
    assert 'openvocab.SeedAugmentation' in steps
    assert not cfg.default_hooks.checkpoint.by_epoch


@pytest.mark.parametrize(
    ('config', 'metric'),
    [
        ('fvit_eva02-b16-clipself_8xb8-3e_ov-coco', 'bbox_ap50_novel'),
        ('fvit_eva02-l14-336_8xb8-3e_ov-coco', 'bbox_ap50_novel'),
        ('fvit_ov-shapes-u_1xb8-1e_ov-shapes', 'bbox_ap50_novel'),
        ('fvit_eva02-b16_8xb8-48e_ov-lvis', 'segm_apr'),
        ('fvit_eva02-l14-336-declip_8xb8-48e_ov-lvis', 'segm_apr'),
    ],
)
def test_the_detector_that_is_best_on_novel_classes_is_kept(config, metric):
    (path,) = (leaf for leaf in LEAVES if leaf.stem == config)
    cfg = read_config(path)
    init_default_scope('mmdet')
    hook = HOOKS.build(cfg.default_hooks.checkpoint)
    assert hook.key_indicators == [metric] and hook.rules == ['greater']
    splits = Vocabulary.load(cfg.val_dataloader.dataset.vocabulary).splits
    values = dict.fromkeys(ClassPrecision._fields, np.full(len(splits), np.nan))
    kind = metric.split('_')[0]
    assert kind in cfg.val_evaluator.metric
    assert metric in mean_precision(ClassPrecision(**values), splits, kind)
