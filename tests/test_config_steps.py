"""Every config: one training step, where there is a loss, and one prediction."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch
from mmengine.registry import init_default_scope
from torch import nn

from helpers.configs import LEAVES, read_config
from openvocab.analysis.synthetic_classes import use_synthetic_text
from openvocab.registry import MODELS
from openvocab.structures import RegionDataSample
from openvocab.testing import (
    random_detection_batch,
    random_region_batch,
    random_segmentation_batch,
    without_weights,
)

SMALL = [p for p in LEAVES if 'ov-shapes' in p.stem and 'pretrain' not in p.stem]
REAL = [p for p in LEAVES if 'ov-shapes' not in p.stem]


@cache
def tried() -> list[Path]:
    """Of equal models the first one, training ones first.

    Every config is read for it, so not while tests are collected.
    """
    leaves, seen = [], []
    for path in sorted(REAL, key=lambda p: not re.search(r'_\d+xb\d', p.stem)):
        model = read_config(path).model.to_dict()
        if model not in seen:
            leaves.append(path)
            seen.append(model)
    return leaves


def alignment_batch(model: nn.Module, size: int) -> tuple:
    return random_region_batch(
        images=2, size=size, regions=3, crop_size=model.backbone.image_size,
        classes=len(model.text_bank.vocabulary),
    )  # fmt: skip


def detection_batch(model: nn.Module, size: int) -> tuple:
    inputs, samples = random_detection_batch(
        sizes=[(size, size - 30), (size - 50, size)], boxes=3, masks=model.with_mask,
    )  # fmt: skip
    base = model.text_bank.vocabulary.is_novel.index(False)
    for sample in samples:
        sample.gt_instances.labels[:] = base
    return inputs, samples


def segmentation_batch(model: nn.Module, size: int) -> tuple:
    return random_segmentation_batch(
        images=2, size=(size, size), classes=len(model.text_bank.vocabulary),
        ignore_index=model.training_labels.ignore_index,
    )  # fmt: skip


def check_regions(samples: list) -> None:
    assert all(isinstance(sample, RegionDataSample) for sample in samples)
    assert samples[0].predictions['masks'].topk.shape[1] == 5


def check_boxes(samples: list) -> None:
    found = samples[0].pred_instances
    assert len(found.label_names) == len(found.bboxes) == len(found.scores)
    if 'masks' in found:
        assert found.masks.shape[1:] == samples[0].ori_shape


def check_labels(samples: list) -> None:
    for sample in samples:
        assert sample.pred_sem_seg.data.shape == (1, *sample.ori_shape)


KINDS: dict[str, tuple[Callable, Callable]] = {
    'mmengine': (alignment_batch, check_regions),
    'mmdet': (detection_batch, check_boxes),
    'mmseg': (segmentation_batch, check_labels),
}


def run_once(path: Path, size: int, tmp_path: Path) -> None:
    cfg = read_config(path)
    trains = 'optim_wrapper' in cfg
    make_batch, check = KINDS[cfg.default_scope]
    model_cfg = without_weights(cfg.model)
    if model_cfg.get('inference', {}).get('canvas'):  # one window, one view of all
        size = 128
        model_cfg.inference.update(canvas=size, crop=size, stride=size)
    if model_cfg.get('scales'):  # smaller ones: a CPU takes minutes at 896 px
        model_cfg.scales = (size, size + 32)
    if 'pad_size_divisor' in model_cfg.get('data_preprocessor', {}):
        model_cfg.data_preprocessor.pad_size_divisor = size
    if 'size' in model_cfg.get('data_preprocessor', {}):
        model_cfg.data_preprocessor.size = (size, size)
    # a CPU would encode the 63 prompts of 1,203 classes for hours
    use_synthetic_text(model_cfg, tmp_path)
    init_default_scope(cfg.default_scope)
    torch.manual_seed(0)
    model = MODELS.build(model_cfg)
    inputs, samples = make_batch(model, size)
    batch = model.data_preprocessor(dict(inputs=inputs, data_samples=samples), True)
    if trains:
        step(model, batch)
    model.eval()
    with torch.no_grad():
        check(model(**batch, mode='predict'))


def step(model: nn.Module, batch: dict) -> None:
    trainable = {n: p for n, p in model.named_parameters() if p.requires_grad}
    assert trainable
    model.train()
    loss, _ = model.parse_losses(model(**batch, mode='loss'))
    assert torch.isfinite(loss)
    loss.backward()
    assert not [n for n, p in trainable.items() if p.grad is None]


@pytest.mark.parametrize('path', SMALL, ids=lambda p: p.stem)
def test_small_configs_step_and_predict(path, tmp_path):
    run_once(path, 128, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize('path', REAL, ids=lambda p: p.stem)
def test_published_configs_step_and_predict(path, tmp_path):
    if path not in tried():
        pytest.skip('another config has the same model')
    run_once(path, 224, tmp_path)
