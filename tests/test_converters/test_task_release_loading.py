"""Converted detectors and segmentors load, strictly, into what their configs build."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

import openvocab
from helpers.clip_releases import with_values
from helpers.task_releases import TASK_RELEASES, TINY, cat_seg, fvit, san
from helpers.tiny_clip import write_arch
from openvocab.apis.model import build_model
from openvocab.apis.publish import publish
from openvocab.checkpoints.reading import read_metadata
from openvocab.converters import ADAPTERS
from openvocab.converters.conversion import inspect_file, write_conversion
from openvocab.registry import MODELS

CONFIGS = Path(openvocab.__file__).parents[1] / 'configs'
WORDS = dict(vocabulary=['red circle', 'blue star'], prompts=['a {}'])


def build(config: str, **backbone) -> torch.nn.Module:
    """The model of a config: no weights of CLIP, two classes."""
    cfg = Config.fromfile(CONFIGS / config)
    cfg.model.backbone.update(checkpoint=None, **backbone)
    cfg.model.text_bank.update(WORDS)
    init_default_scope(cfg.default_scope)
    torch.manual_seed(0)
    return MODELS.build(cfg.model)


@pytest.fixture
def tiny_arch(tmp_path) -> str:
    """OpenAI's layout at the sizes of ``TINY``, with OpenAI's tokenizer."""
    vision = dict(image_size=64, patch_size=8, width=128, layers=4, head_width=64)
    text = dict(context_length=77, vocab_size=49408, width=64, heads=2, layers=2)
    return write_arch(tmp_path / 'tiny.json', vision, text, 96, quick_gelu=True)


def check(model: torch.nn.Module, upstream: dict, family: str) -> None:
    """Loads strictly; the model's tensors are then the released ones."""
    adapter = ADAPTERS[family]
    conversion = adapter.from_upstream(upstream)
    assert conversion.problems == ()
    model.load_state_dict(conversion.state, strict=True)
    loaded = dict(model.state_dict())
    encoder = model.backbone.state_dict()
    loaded |= {f'backbone.{key}': value for key, value in encoder.items()}
    loaded.pop('backbone.encoder_record', None)
    assert loaded.keys() == conversion.state.keys()
    back = adapter.to_upstream(loaded)
    for key, value in back.items():
        assert torch.equal(value, upstream[key]), key


def test_cat_seg(tiny_arch):
    model = build(TASK_RELEASES['cat_seg B/16'][3], arch=tiny_arch, out_indices=(1, 2))
    check(model, with_values(cat_seg(TINY)), 'cat_seg')


def test_san(tiny_arch):
    model = build(TASK_RELEASES['san B/16'][3], arch=tiny_arch)
    check(model, with_values(san(TINY)), 'san')


@pytest.mark.parametrize('name', ['fvit B/16 OV-LVIS', 'fvit B/16 OV-COCO'])
def test_all_of_fvit_but_its_encoder(name, tiny_arch):
    """timm has no tiny EVA; see the slow test for the encoder."""
    config, masks = TASK_RELEASES[name][3], 'LVIS' in name
    model = build(config, arch=tiny_arch, out_indices=(0, 1, 2, 3))
    shapes = fvit(TINY, masks, classes=3)
    state = ADAPTERS['fvit'].from_upstream(with_values(shapes)).state
    state = {k: v for k, v in state.items() if not k.startswith('backbone.')}
    model.load_state_dict(state, strict=True)
    loaded = {
        key: value
        for key, value in model.state_dict().items()
        if not key.startswith('backbone.')
    }
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[key], state[key]) for key in state)


def test_what_sync_batch_norm_of_mmcv_wrote_loads(tiny_arch):
    """Counters of batches may be absent: nothing reads them."""
    config = TASK_RELEASES['fvit B/16 OV-LVIS'][3]
    model = build(config, arch=tiny_arch, out_indices=(0, 1, 2, 3))
    shapes = fvit(TINY, classes=3)
    upstream = with_values(shapes)
    for key in list(upstream):
        if key.endswith('num_batches_tracked'):
            del upstream[key]
    conversion = ADAPTERS['fvit'].from_upstream(upstream)
    assert conversion.problems == ()
    state = conversion.state
    state = {k: v for k, v in state.items() if not k.startswith('backbone.')}
    model.load_state_dict(state, strict=True)


def test_from_the_released_file_to_a_published_one(tiny_arch, tmp_path):
    """Convert, load by ``build_model``, publish, load again: one and the same model."""
    torch.manual_seed(0)
    upstream = with_values(san(TINY))
    torch.save(dict(model=upstream, iteration=60000), tmp_path / 'san_tiny.pth')
    found = inspect_file(tmp_path / 'san_tiny.pth', arch=tiny_arch)
    assert found.family == 'san' and found.problems == ()
    write_conversion(found, tmp_path / 'san.safetensors')
    assert read_metadata(tmp_path / 'san.safetensors')['family'] == 'san'

    config = tmp_path / 'san_tiny.py'
    base = CONFIGS / TASK_RELEASES['san B/16'][3]
    config.write_text(
        f'_base_ = {str(base)!r}\nmodel = dict(backbone=dict(arch={tiny_arch!r}, '
        f"checkpoint=None), text_bank=dict(vocabulary=['sky'], prompts=['a {{}}']))\n"
    )
    published = publish(config, tmp_path / 'san.safetensors', tmp_path / 'out')
    assert published.encoder.startswith('kept, ')  # its positions were trained
    state = build_model(config, published.path).backbone.state_dict()
    key = 'clip_visual_extractor.positional_embedding'
    assert torch.equal(state['visual.positional_embedding'], upstream[key])
    content = torch.load(published.path, weights_only=True)
    back = ADAPTERS['san'].to_upstream(content['state_dict'])
    assert back.keys() <= upstream.keys()
    assert all(torch.equal(back[key], upstream[key]) for key in back)


@pytest.mark.slow
@pytest.mark.parametrize('name', TASK_RELEASES)
def test_real_sizes(name):
    shapes, family, _, config = TASK_RELEASES[name]
    model = build(config)
    check(model, with_values(shapes, torch.rand), family)
    if family == 'fvit':
        return
    # a prediction, so that no tensor is of a wrong kind
    with torch.no_grad():
        model.eval()(torch.rand(1, 3, 64, 64), mode='predict')
