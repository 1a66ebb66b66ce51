"""The published F-ViT model on a tiny encoder, a few channels wide."""

from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

import openvocab
from openvocab.registry import MODELS
from openvocab.testing import random_detection_batch

MODELS_DIR = Path(openvocab.__file__).parents[1] / 'configs/_base_/models'
CLASSES = [
    dict(name='red circle', split='base'),
    dict(name='red star', split='novel'),
    dict(name='blue star', split='base'),
    dict(name='green circle', split='novel'),
]
NOVEL = [False, True, False, True]
SMALL = {
    'data_preprocessor.mean': None,
    'data_preprocessor.std': None,
    'data_preprocessor.pad_size_divisor': 64,
    'backbone.arch': 'ov-shapes-u',
    'backbone.checkpoint': 'openvocab://ov-shapes-u',
    'backbone.out_indices': (0, 1, 2, 3),
    'text_bank.vocabulary': CLASSES,
    'text_bank.prompts': 'single',
    'neck.out_channels': 16,
    'rpn_head.in_channels': 16,
    'rpn_head.feat_channels': 16,
    'roi_head.bbox_roi_extractor.out_channels': 16,
    'roi_head.bbox_head.in_channels': 16,
    'roi_head.bbox_head.conv_out_channels': 16,
    'roi_head.bbox_head.num_shared_convs': 1,
    'test_cfg.rpn.max_per_img': 100,
}


MASKS = {
    'roi_head.mask_roi_extractor.out_channels': 16,
    'roi_head.mask_head.in_channels': 16,
    'roi_head.mask_head.conv_out_channels': 16,
    'roi_head.mask_head.num_convs': 1,
}


def build(changes: dict | None = None, base: str = 'fvit') -> torch.nn.Module:
    """A 64 px F-ViT; ``changes`` are merged into its config."""
    cfg = Config.fromfile(MODELS_DIR / f'{base}.py')
    options = {**SMALL, **(changes or {})}
    cfg.merge_from_dict({f'model.{key}': value for key, value in options.items()})
    init_default_scope('mmdet')
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.init_weights()
    return model


def batch(model, training: bool, base_only: bool = True, **kwargs) -> dict:
    """A random batch, preprocessed; labels are of base classes."""
    inputs, samples = random_detection_batch(**{'size': 64, 'classes': 4, **kwargs})
    for sample in samples:
        if base_only:
            sample.gt_instances.labels = sample.gt_instances.labels // 2 * 2
    return model.data_preprocessor(dict(inputs=inputs, data_samples=samples), training)


@torch.no_grad()
def predict(model, **kwargs) -> list:
    model.eval()
    return model(**batch(model, training=False, **kwargs), mode='predict')
