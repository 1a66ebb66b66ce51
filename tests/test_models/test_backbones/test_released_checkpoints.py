"""A file in the layout of the released checkpoints drives a backbone as it is."""

import torch

from openvocab.converters import ADAPTERS
from openvocab.models.backbones import DenseVLM
from openvocab.models.clip_factory import create_clip


def test_released_layout_loads_everywhere(eva, make_checkpoint, tmp_path):
    ours = make_checkpoint(eva)
    state = ADAPTERS['densevlm'].to_upstream(torch.load(ours, weights_only=True))
    state = {f'module.{key}': value for key, value in state.items()}
    state['module.visual.rope.freqs_cos'] = torch.zeros(16, 16)
    released = str(tmp_path / 'densevlm.pt')
    content = dict(epoch=6, name='x', state_dict=state, optimizer=dict(), scaler=dict())
    torch.save(content, released)
    images = torch.randn(1, 3, 24, 40)

    whole, expected = create_clip(eva, released), create_clip(eva, ours)
    for key, value in expected.state_dict().items():
        assert torch.equal(whole.state_dict()[key], value)
    by_name = DenseVLM(eva, released)
    by_cfg = DenseVLM(eva, init_cfg=dict(type='Pretrained', checkpoint=released))
    by_cfg.init_weights()
    dense = DenseVLM(eva, ours)(images)[-1]
    torch.testing.assert_close(by_name(images)[-1], dense)
    torch.testing.assert_close(by_cfg(images)[-1], dense)
