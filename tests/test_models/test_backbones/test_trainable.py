import pytest
import torch
import torch.nn.functional as F

from openvocab.models.backbones import CLIPBackbone
from openvocab.models.clip_factory import create_clip

VALUE = dict(type='openvocab.ValueReadout')
QV = dict(type='openvocab.AttentionProjections')
WHOLE = dict(type='openvocab.WholeTower')


def trained(backbone):
    return {n for n, p in backbone.named_parameters() if p.requires_grad}


@pytest.mark.parametrize('name', ['vit', 'eva'])
@pytest.mark.parametrize('letters', ['qv', 'v', 'qkv'])
@pytest.mark.parametrize('readout', [None, VALUE])
def test_projections_alone_train(request, make_checkpoint, name, letters, readout):
    arch = request.getfixturevalue(name)
    strategy = dict(QV, letters=letters)
    checkpoint = make_checkpoint(arch)
    backbone = CLIPBackbone(arch, checkpoint, readout, trainable=strategy)
    names = trained(backbone)
    # the last block's queries and keys are no part of the value readout
    read = letters if readout is None else 'v'
    assert len(names) == 2 * len(letters) + len(read)
    assert all(n.endswith('weight') and '.attn.' in n for n in names)
    assert sum(p.numel() for p in backbone.parameters() if p.requires_grad) == (
        len(names) * 32 * 32
    )
    backbone.train()
    assert not backbone.visual.training
    images = torch.randn(2, 3, 24, 40)
    backbone(images)[-1].square().sum().backward()
    reached = {n for n, p in backbone.named_parameters() if p.grad is not None}
    assert reached == names
    frozen = CLIPBackbone(arch, checkpoint, readout)
    torch.testing.assert_close(backbone(images)[-1], frozen(images)[-1])
    state = backbone.visual.state_dict()
    assert state.keys() == frozen.visual.state_dict().keys()


def test_whole_tower(family, arch, make_checkpoint):
    checkpoint = make_checkpoint(arch)
    backbone = CLIPBackbone(arch, checkpoint, VALUE, trainable=WHOLE).train()
    images = torch.randn(2, 3, 64, 96)
    backbone(images)[-1].square().sum().backward()
    reached = {n for n, p in backbone.named_parameters() if p.grad is not None}
    assert reached == trained(backbone)
    still = {n for n, _ in backbone.named_parameters()} - reached
    # only what the value readout, or a dense map, never reads
    assert all('attn.' in n or 'attnpool' in n for n in still)
    norms = [m for m in backbone.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert not any(norm.training for norm in norms) and backbone.visual.training


@pytest.mark.parametrize('name', ['resnet'])
def test_projections_need_attention(request, name):
    with pytest.raises(ValueError, match='no q, k and v projections to train'):
        CLIPBackbone(request.getfixturevalue(name), trainable=QV)


def test_wrong_settings(vit):
    with pytest.raises(ValueError, match='set one of them'):
        CLIPBackbone(vit, trainable=QV, trainable_blocks=1)
    with pytest.raises(ValueError, match="letters='qx'"):
        CLIPBackbone(vit, trainable=dict(QV, letters='qx'))


@torch.no_grad()
def test_class_residual_readout_equals_its_formula(vit, make_checkpoint):
    """CAT-Seg's last block written out on open_clip's own modules."""
    checkpoint = make_checkpoint(vit)
    readout = dict(type='openvocab.ClassResidualReadout')
    backbone = CLIPBackbone(vit, checkpoint, readout)
    images = torch.randn(2, 3, 32, 32)
    visual = create_clip(vit, checkpoint).visual
    seen = {}
    block = visual.transformer.resblocks[-1]
    block.register_forward_pre_hook(lambda _, inputs: seen.update(x=inputs[0]))
    visual(images)
    x = seen['x']
    value, bias = block.attn.in_proj_weight[64:], block.attn.in_proj_bias[64:]
    y = block.attn.out_proj(F.linear(block.ln_1(x), value, bias))
    y = y + x[:, :1]
    y = y + block.mlp(block.ln_2(y))
    expected = (visual.ln_post(y) @ visual.proj)[:, 1:]
    got = backbone(images)[-1].flatten(2).transpose(1, 2)
    torch.testing.assert_close(got, expected)
    assert backbone.record()['readout']['type'] == 'ClassResidualReadout'


def test_class_residual_readout_needs_a_transformer(resnet):
    with pytest.raises(ValueError, match='does not exist for the resnet family'):
        CLIPBackbone(resnet, readout=dict(type='openvocab.ClassResidualReadout'))
