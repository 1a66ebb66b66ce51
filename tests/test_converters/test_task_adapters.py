"""Detectors and segmentors: keys at published shapes, there and back, accounted for."""

import random
from pathlib import Path

import pytest
import torch

import openvocab
from helpers.clip_releases import openai_vit, with_values, without_values
from helpers.task_releases import (
    SMALL,
    TASK_RELEASES,
    cat_seg,
    cat_seg_declip,
    fvit,
    san,
)
from helpers.tiny_clip import write_arch
from openvocab.checkpoints import CheckpointError
from openvocab.checkpoints.reading import under
from openvocab.converters import ADAPTERS, detect

CONFIGS = Path(openvocab.__file__).parents[1] / 'configs'
SMALL_RELEASES = {
    'fvit': lambda: fvit(SMALL, masks=True, classes=3),
    'cat_seg': lambda: cat_seg(SMALL),
    'cat_seg_declip': lambda: cat_seg_declip(SMALL),
    'san': lambda: san(SMALL),
}


ON_EVA = ('fvit', 'cat_seg_declip')


@pytest.fixture(params=TASK_RELEASES)
def release(request):
    shapes, family, arch, config = TASK_RELEASES[request.param]
    return ADAPTERS[family], without_values(shapes), arch, config


@pytest.fixture(params=SMALL_RELEASES)
def small(request):
    torch.manual_seed(0)
    shapes = SMALL_RELEASES[request.param]()
    # no value twice in a tensor, so that no wrong order of axes is invisible
    return ADAPTERS[request.param], with_values(shapes)


def test_round_trip_at_true_shapes(release):
    adapter, upstream, *_ = release
    conversion = adapter.from_upstream(dict(model=upstream, iteration=3))
    assert conversion.problems == ()
    assert conversion.mapped.keys() | conversion.dropped.keys() == upstream.keys()
    assert not conversion.mapped.keys() & conversion.dropped.keys()
    back = adapter.to_upstream(conversion.state)
    assert back.keys() == upstream.keys() - conversion.dropped.keys()
    assert all(back[key].shape == upstream[key].shape for key in back)


def test_family_architecture_and_config_are_found(release):
    adapter, upstream, arch, config = release
    assert detect(upstream) is adapter
    conversion = adapter.from_upstream(upstream)
    assert adapter.verify(conversion) == ()
    assert conversion.metadata['arch'] == arch
    assert conversion.metadata['config'] == config
    assert (CONFIGS / config).is_file()
    red = 0.485 if adapter.family == 'fvit' else 0.48145466
    assert conversion.metadata['mean'][0] == pytest.approx(red)


def test_round_trip_bit_for_bit(small):
    adapter, upstream = small
    conversion = adapter.from_upstream(upstream)
    assert conversion.problems == ()
    back = adapter.to_upstream(conversion.state)
    assert back.keys() == upstream.keys() - conversion.dropped.keys()
    for key, value in back.items():
        assert value.dtype == upstream[key].dtype and torch.equal(value, upstream[key])


def test_every_key_but_counters_is_needed(small):
    adapter, upstream = small
    required = [
        key
        for key in adapter.from_upstream(upstream).mapped
        if not key.endswith('num_batches_tracked')
    ]
    # encoders of timm are compared with the architecture, not with a table
    trunk = ('backbone.visual.', 'sem_seg_head.predictor.clip_model.visual.blocks.')
    if adapter.family in ON_EVA:
        required = [key for key in required if not key.startswith(trunk)]
    for key in required:
        without = {k: v for k, v in upstream.items() if k != key}
        if adapter.family == 'san' and 'resblocks.' in key:
            continue  # see test_a_block_of_san_is_missing
        assert adapter.from_upstream(without).missing, key


def test_what_is_dropped_says_why(small):
    adapter, upstream = small
    dropped = adapter.from_upstream(upstream).dropped
    assert dropped and all(len(reason) > 10 for reason in dropped.values())
    if adapter.family == 'fvit':
        assert 'text bank' in dropped['roi_head.bbox_head.all_embeddings']
        assert 'backbone.visual.blocks.0.attn.rope.freqs_cos' in dropped
    if adapter.family == 'san':
        assert 'text tower' in dropped['ov_classifier.token_embedding.weight']
        assert 'ov_classifier.bg_embed' not in dropped


def test_unknown_keys_are_problems(small):
    adapter, upstream = small
    for key in ('neck.layer1.0.conv1.weight', 'roi_head.bbox_head.bg_embedding'):
        problems = adapter.from_upstream({**upstream, key: torch.ones(1)}).problems
        assert problems == (f'unknown key: {key}',)


def test_q_k_and_v_of_cat_seg_become_one():
    torch.manual_seed(0)
    upstream = with_values(cat_seg(SMALL))
    state = ADAPTERS['cat_seg'].from_upstream(upstream).state
    for prefix, ours in (
        ('visual.', 'backbone.visual.'),
        ('', 'text_bank.text.'),
    ):
        block = 'transformer.resblocks.0.attn.'
        stem = f'sem_seg_head.predictor.clip_model.{prefix}{block}'
        parts = [upstream[f'{stem}{letter}_proj_weight'] for letter in 'qkv']
        assert torch.equal(state[f'{ours}{block}in_proj_weight'], torch.cat(parts))


def test_the_encoder_of_declips_cat_seg_is_that_of_eva_clip():
    torch.manual_seed(0)
    upstream = with_values(cat_seg_declip(SMALL))
    clip = 'sem_seg_head.predictor.clip_model.'
    adapter = ADAPTERS['cat_seg_declip']
    conversion = adapter.from_upstream(upstream)
    whole = ADAPTERS['eva_clip'].from_upstream(under(upstream, clip)).state
    encoder = under(conversion.state, 'backbone.')
    assert encoder == {k: v for k, v in whole.items() if k.startswith('visual.')}
    assert under(conversion.state, 'text_bank.text.') == under(whole, 'text.')
    assert f'{clip}logit_scale' in conversion.dropped
    readout = conversion.metadata['readout']
    assert readout['projections'] == ['q', 'k'] and readout['attn_scale'] == 1
    assert not readout['residual'] and not readout['ffn']


@pytest.mark.parametrize(
    'fault',
    [
        {'backbone.res2.0.conv1.weight': (2, 2)},
        {'sem_seg_head.predictor.transformer.conv1.weight': (128, 80, 7, 7)},
    ],
    ids=['backbone', 'templates'],
)
def test_the_first_version_of_cat_seg_is_named(fault):
    upstream = without_values({**cat_seg(SMALL), **fault})
    with pytest.raises(CheckpointError, match='first version of CAT-Seg'):
        detect(upstream).from_upstream(upstream)


def test_a_third_of_a_matrix_is_missing():
    upstream = with_values(cat_seg(SMALL))
    stem = 'sem_seg_head.predictor.clip_model.visual.transformer.resblocks.1.attn.'
    del upstream[f'{stem}k_proj_weight']
    missing = ADAPTERS['cat_seg'].from_upstream(upstream).missing
    assert f'{stem}k_proj_weight' in missing


def test_wrong_shapes_are_found():
    for name, key, shape in (
        ('cat_seg B/16', 'upsample2.weight', (768, 64, 4, 4)),
        ('san B/16', 'side_adapter_network.vit_model.pos_embed', (1, 400, 240)),
        ('fvit B/16 OV-COCO', 'roi_head.bbox_head.cls_fcs.0.weight', (1024, 512)),
    ):
        shapes, family, *_ = TASK_RELEASES[name]
        adapter = ADAPTERS[family]
        conversion = adapter.from_upstream(without_values({**shapes, key: shape}))
        (problem,) = adapter.verify(conversion)
        assert 'has shape' in problem and 'expected' in problem
    conversion = adapter.from_upstream(without_values(fvit(SMALL)))
    (problem,) = adapter.verify(conversion)
    assert 'no known architecture' in problem and '--arch' in problem
    assert 'has shape' in adapter.verify(conversion, 'EVA02-B-16')[0]


def test_a_block_of_san_is_missing():
    upstream = with_values(san(SMALL))
    for key in list(upstream):
        if key.startswith('clip_rec_head.resblocks.0.'):
            del upstream[key]
    with pytest.raises(CheckpointError, match='3 of the 3 blocks'):
        ADAPTERS['san'].from_upstream(upstream)
    upstream = with_values(san(SMALL))
    del upstream['clip_visual_extractor.resblocks.1.attn.in_proj_weight']
    missing = ADAPTERS['san'].from_upstream(upstream).missing
    assert missing == ('backbone.visual.transformer.resblocks.1.attn.in_proj_weight',)


def test_numbers_that_no_model_has_cost_nothing():
    key = f'clip_rec_head.resblocks.{10**9}.ln_1.weight'
    upstream = {**with_values(san(SMALL)), key: torch.ones(1)}
    assert ADAPTERS['san'].from_upstream(upstream).unknown == (key,)


def test_positions_of_san_stand_in_the_encoder():
    adapter = ADAPTERS['san']
    upstream = with_values(san(SMALL))
    key = 'clip_visual_extractor.positional_embedding'
    state = adapter.from_upstream(upstream).state
    assert torch.equal(state['backbone.visual.positional_embedding'], upstream[key])
    offset = state['decode_head.position_offset']
    assert offset.shape == upstream[key].shape and not offset.any()
    # what was trained further moved the offset only
    moved = {**state, 'decode_head.position_offset': torch.full_like(offset, 0.5)}
    assert torch.equal(adapter.to_upstream(moved)[key], upstream[key] + 0.5)
    trained = {k: v for k, v in state.items() if not k.startswith('backbone.')}
    with pytest.raises(CheckpointError, match='encoder'):
        adapter.to_upstream(trained)


def test_a_clip_is_no_task_model():
    shapes = {k: v for k, v in openai_vit().items() if '.' in k}
    for family in (*SMALL_RELEASES, 'san_mmseg'):
        assert not ADAPTERS[family].matches(without_values(shapes))


def _mutate(state: dict, rng: random.Random) -> None:
    """One fault, in place."""
    key = rng.choice(list(state))
    value = state[key]
    kind = rng.randrange(7)
    if kind == 0:
        del state[key]
    elif kind == 1:
        state[key.replace('.', '_', 1)] = state.pop(key)
    elif kind == 2:
        state[f'{key}.{rng.randrange(10**9)}'] = value
    elif kind == 3:
        state[key] = value.flatten()[:1].reshape(())
    elif kind == 4:
        state[key] = value[None]
    elif kind == 5:
        state[key] = value.to(torch.uint8)
    else:
        parts = key.split('.')
        parts[rng.randrange(len(parts))] = str(rng.randrange(10**12))
        state['.'.join(parts)] = state.pop(key)


def test_faulty_files_give_messages(small, tmp_path):
    """Whatever is wrong is listed or raised as an error of checkpoints."""
    adapter, upstream = small
    width, joint = 64, 16
    vision = dict(image_size=32, patch_size=8, width=width, layers=4, head_width=64)
    text = dict(context_length=77, vocab_size=49408, width=32, heads=1, layers=1)
    arch = write_arch(tmp_path / 'tiny.json', vision, text, joint)
    if adapter.family not in ON_EVA:
        assert adapter.verify(adapter.from_upstream(upstream), arch) == ()
    rng = random.Random(0)
    silent = 0
    for _ in range(60):
        state = dict(upstream)
        for _ in range(rng.randrange(1, 4)):
            _mutate(state, rng)
        try:
            conversion = adapter.from_upstream(state)
            problems = conversion.problems or adapter.verify(conversion, arch)
        except CheckpointError as error:
            problems = (str(error),)
        assert all(problem and '\n' not in problem for problem in problems)
        silent += not problems
    # what is dropped anyway, and counters, may be faulty
    assert silent < 20
