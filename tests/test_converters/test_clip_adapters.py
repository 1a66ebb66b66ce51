"""Every CLIP family: keys at true shapes, there and back, accounted for."""

import pytest
import torch
from timm.models.eva import Eva, checkpoint_filter_fn

from helpers.clip_releases import (
    RELEASES,
    eva02,
    openai_vit,
    openclip_vit,
    with_values,
    without_values,
)
from openvocab.checkpoints import CheckpointError
from openvocab.converters import ADAPTERS, detect
from openvocab.models.clip_architectures import differences, find_architectures

SMALL = dict(embed_dim=16, width=32, layers=2, hidden=128, patch=8, grid=2, heads=2)
SMALL |= dict(text_width=16, text_layers=1)


@pytest.fixture(params=RELEASES)
def release(request):
    family, shapes, arch = RELEASES[request.param]
    return ADAPTERS[family], without_values(shapes()), arch


def test_round_trip_at_true_shapes(release):
    adapter, upstream, _ = release
    conversion = adapter.from_upstream(upstream)
    assert conversion.problems == ()
    assert conversion.mapped.keys() | conversion.dropped.keys() == upstream.keys()
    assert not conversion.mapped.keys() & conversion.dropped.keys()
    back = adapter.to_upstream(conversion.state)
    assert back.keys() == upstream.keys() - conversion.dropped.keys()
    assert all(back[key] is upstream[key] for key in back)
    assert all('computes it' in reason for reason in conversion.dropped.values())


def test_converted_keys_are_those_of_the_architecture(release):
    adapter, upstream, arch = release
    state = adapter.from_upstream(upstream).state
    assert list(differences(state, arch)) == []
    assert arch in find_architectures(state)


def test_family_and_architecture_are_found_by_keys(release):
    adapter, upstream, arch = release
    found = detect(upstream)
    if adapter.marks or adapter.family == 'open_clip':
        assert found is adapter
    else:
        assert isinstance(adapter, type(found)) or found.family == 'open_clip'
    if adapter.family in ('openai', 'eva_clip'):
        conversion = adapter.from_upstream(upstream)
        wrong = adapter.verify(conversion)
        assert wrong == () and conversion.metadata['arch'] == arch
        assert len(conversion.metadata['mean']) == 3


def test_a_tensor_cannot_tell_quickgelu():
    adapter = ADAPTERS['open_clip']
    conversion = adapter.from_upstream(without_values(openclip_vit()))
    (problem,) = adapter.verify(conversion)
    assert 'ViT-B-16 and' in problem and '--arch' in problem
    assert adapter.verify(conversion, 'ViT-B-16') == ()
    with pytest.raises(CheckpointError, match='unknown CLIP architecture'):
        adapter.verify(conversion, 'ViT-Z')


def test_a_missing_block_and_a_missing_part_are_listed():
    state = without_values(eva02(**SMALL))
    for key in list(state):
        if key.startswith('visual.blocks.0.'):
            del state[key]
    del state['visual.cls_token'], state['visual.blocks.1.mlp.w3.bias']
    missing = ADAPTERS['eva_clip'].from_upstream(state).missing
    assert 'visual.trunk.cls_token' in missing
    assert 'visual.trunk.blocks.0.norm1.weight' in missing
    assert 'visual.trunk.blocks.1.mlp.fc2.bias' in missing
    assert 'visual.trunk.blocks.1.norm1.weight' not in missing


def test_unknown_keys_are_listed():
    state = without_values(openai_vit())
    state['visual.extra.weight'] = state['logit_scale']
    assert ADAPTERS['openai'].from_upstream(state).unknown == ('visual.extra.weight',)
    with pytest.raises(CheckpointError, match=r"'visual\.extra' has no released name"):
        ADAPTERS['openai'].to_upstream({'visual.extra': state['logit_scale']})


@pytest.mark.parametrize('family', ['eva_clip', 'clipself', 'densevlm', 'declip'])
def test_equals_timms_own_filter(family):
    trunk = Eva(
        img_size=16,
        patch_size=8,
        embed_dim=32,
        depth=2,
        num_heads=2,
        num_classes=16,
        global_pool='token',
        qkv_fused=False,
        swiglu_mlp=True,
        scale_mlp=True,
        scale_attn_inner=True,
        use_rot_pos_emb=True,
    )
    upstream = with_values(eva02(**SMALL))
    state = {f'module.{key}': value for key, value in upstream.items()}
    file = dict(epoch=6, name='x', state_dict=state, optimizer={}, scaler={})
    conversion = ADAPTERS[family].from_upstream(file)
    assert len(conversion.dropped) == 6
    timms = checkpoint_filter_fn(dict(upstream), trunk)
    prefix = 'visual.trunk.'
    image = {
        k.removeprefix(prefix): v for k, v in conversion.state.items() if prefix in k
    }
    assert image.keys() == timms.keys() == trunk.state_dict().keys()
    assert all(torch.equal(image[key], timms[key]) for key in timms)
    for key in upstream:
        if not key.startswith('visual.'):
            assert conversion.state[key] is upstream[key]


def test_aligned_families_record_the_readout_of_their_training():
    from openvocab.converters.declip import RELEASED, DeCLIP
    from openvocab.models.backbones import SelfSelfReadout, ValueReadout

    upstream = with_values(eva02(**SMALL))
    for family in ('clipself', 'densevlm'):
        record = ADAPTERS[family].from_upstream(upstream).metadata
        assert record['readout'] == ValueReadout().record()
        assert record['family'] == family and record['licence']
    for name, entry in RELEASED.items():
        readout = SelfSelfReadout(entry.projections, attn_scale=entry.attn_scale)
        metadata = DeCLIP(release=name).from_upstream(upstream).metadata
        assert metadata['readout'] == readout.record()
    for family in ('openai', 'open_clip', 'eva_clip', 'declip'):
        assert 'readout' not in ADAPTERS[family].from_upstream(upstream).metadata
