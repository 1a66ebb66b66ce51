"""Every training config: its batch is the scale's base, and it resumes exactly."""

import re

import pytest

from helpers.configs import LEAVES, read_config

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
