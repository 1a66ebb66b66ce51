"""A file in DeCLIP's layout, and the readout that is stated next to its weights."""

import pytest
import torch
from mmengine.logging import MMLogger

from openvocab.checkpoints.reading import read_metadata
from openvocab.converters.conversion import inspect_file, write_conversion
from openvocab.converters.declip import RELEASED
from openvocab.converters.declip import DeCLIP as DeCLIPFiles
from openvocab.models.backbones import DeCLIP
from openvocab.models.clip_factory import clip_embed_dim


@pytest.fixture
def released(eva, make_checkpoint, tmp_path):
    """What the public trainer writes: rotary tables twice, optimizer and scaler."""
    state = DeCLIPFiles().to_upstream(
        torch.load(make_checkpoint(eva), weights_only=True)
    )
    state = {f'module.{key}': value for key, value in state.items()}
    for name in ('visual.rope', 'visual.blocks.2.attn.rope'):
        state[f'module.{name}.freqs_cos'] = torch.zeros(16, 16)
        state[f'module.{name}.freqs_sin'] = torch.zeros(16, 16)
    content = dict(epoch=6, name='x', state_dict=state, optimizer=dict(), scaler=dict())
    torch.save(content, tmp_path / 'epoch_6.pt')
    return str(tmp_path / 'epoch_6.pt')


@pytest.fixture
def messages(monkeypatch):
    found = []
    logger = MMLogger.get_current_instance()
    monkeypatch.setattr(logger, 'warning', lambda text, *a, **k: found.append(text))
    return found


def convert(released, out, arch, **options) -> str:
    return write_conversion(inspect_file(released, 'declip', arch, options), out)


@torch.no_grad()
def test_loads_as_it_is_and_keeps_its_readout(eva, released, tmp_path, messages):
    images = torch.randn(1, 3, 24, 40)
    by_cfg = DeCLIP(eva, init_cfg=dict(type='Pretrained', checkpoint=released))
    by_cfg.init_weights()
    dense = by_cfg(images)[-1]
    torch.testing.assert_close(DeCLIP(eva, released)(images)[-1], dense)

    out = tmp_path / 'declip.safetensors'
    assert len(convert(released, out, eva, projections='qk', attn_scale=1.0)) == 64
    record = read_metadata(out)['readout']
    assert record['projections'] == ['q', 'k'] and record['attn_scale'] == 1.0
    again = DeCLIP(eva, init_cfg=dict(type='Pretrained', checkpoint=str(out)))
    again.init_weights()
    assert torch.equal(again(images)[-1], dense) and messages == []


def test_another_scale_or_projection_warns(eva, released, tmp_path, messages):
    out = str(tmp_path / 'declip.safetensors')
    convert(released, out, eva, projections='q')
    for readout in (
        dict(type='openvocab.SelfSelfReadout', projections='q', attn_scale=1.0),
        dict(type='openvocab.SelfSelfReadout', projections='qk'),
        None,
    ):
        messages.clear()
        DeCLIP(eva, out, readout)
        assert len(messages) == 1 and messages[0].startswith('READOUT MISMATCH')
    messages.clear()
    DeCLIP(eva, out, dict(type='openvocab.SelfSelfReadout', projections='q'))
    assert messages == []


def test_wrong_files_are_named(vit, eva, released, tmp_path):
    out = tmp_path / 'out.safetensors'
    with pytest.raises(ValueError, match=r"epoch_6\.pt: no 'visual\.\w+' and \d+ more"):
        convert(released, out, vit, projections='qk')
    with pytest.raises(ValueError, match=r"projections 'x', not of q, k, v"):
        convert(released, out, eva, projections='x')
    for nothing in ('', [], 1, ['qk']):
        with pytest.raises(ValueError, match=r'projections .*, not of q, k, v'):
            convert(released, out, eva, projections=nothing)
    for scale in ('abc', 0, -1.0, True, float('nan')):
        with pytest.raises(ValueError, match=r'attn_scale .*, not a positive number'):
            convert(released, out, eva, projections='qk', attn_scale=scale)
    with pytest.raises(ValueError, match='states its readout itself'):
        convert(released, out, eva, release=next(iter(RELEASED)), projections='')
    with pytest.raises(ValueError, match='does not say how it is read'):
        convert(released, out, eva)
    with pytest.raises(ValueError, match='no release'):
        convert(released, out, eva, release='nothing')
    with pytest.raises(ValueError, match='states its readout itself'):
        convert(released, out, eva, release=next(iter(RELEASED)), attn_scale=2.0)
    with pytest.raises(ValueError, match='attn_scale needs projections'):
        convert(released, out, eva, attn_scale=2.0)
    with pytest.raises(ValueError, match='takes no such options: mode'):
        convert(released, out, eva, mode='csa')
    assert not out.exists()


def test_every_release_names_a_known_encoder():
    assert all(clip_embed_dim(entry.arch) in (512, 768) for entry in RELEASED.values())
    assert {entry.attn_scale for entry in RELEASED.values()} == {1.0, None}
