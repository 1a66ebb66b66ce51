import pytest
import torch
import torch.nn.functional as F
from torch import nn

from openvocab.models.backbones import CLIPBackbone, ValueReadout, VanillaReadout
from openvocab.models.clip_factory import create_clip
from openvocab.registry import MODELS


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(2, 3, 32, 32)


def block_input(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Tokens that enter the last block, by open_clip's own forward."""
    visual = getattr(model.visual, 'trunk', model.visual)
    last = getattr(visual, 'blocks', None) or visual.transformer.resblocks
    seen = []
    handle = last[-1].register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    model.visual(images)
    handle.remove()
    return seen[0]


@torch.no_grad()
@pytest.mark.parametrize('residual', [True, False])
@pytest.mark.parametrize('ffn', [True, False])
def test_value_readout_of_vit_is_attention_to_itself(
    write_arch, make_checkpoint, images, residual, ffn
):
    arch = write_arch(
        dict(
            image_size=32,
            patch_size=8,
            width=32,
            head_width=16,
            layers=2,
            ls_init_value=0.7,
        )
    )
    checkpoint = make_checkpoint(arch)
    model = create_clip(arch, checkpoint)
    readout = dict(type='openvocab.ValueReadout', residual=residual, ffn=ffn)
    backbone = CLIPBackbone(arch, checkpoint, readout, out_indices=(1,))

    x, block = block_input(model, images), model.visual.transformer.resblocks[-1]
    others = ~torch.eye(x.shape[1], dtype=torch.bool)
    u = block.ln_1(x)
    out = block.attn(u, u, u, need_weights=False, attn_mask=others)[0]
    if residual:
        out = x + block.ls_1(out)
    if ffn:
        out = out + block.ls_2(block.mlp(block.ln_2(out)))
    dense = model.visual.ln_post(out[:, 1:]) @ model.visual.proj

    tap, result = backbone(images)
    torch.testing.assert_close(tap.flatten(2).mT, out[:, 1:])
    torch.testing.assert_close(result.flatten(2).mT, dense)


@torch.no_grad()
def test_value_readout_of_eva_is_attention_to_itself(eva, make_checkpoint, images):
    checkpoint = make_checkpoint(eva)
    model = create_clip(eva, checkpoint)
    backbone = CLIPBackbone(eva, checkpoint, dict(type='openvocab.ValueReadout'))

    trunk = model.visual.trunk
    x, block = block_input(model, images), trunk.blocks[-1]
    own = torch.eye(x.shape[1], dtype=torch.bool)
    out = block(x, rope=trunk.rope.get_embed(shape=(4, 4)), attn_mask=own)
    dense = trunk.head(trunk.norm(out[:, 1:]))

    torch.testing.assert_close(backbone(images)[-1].flatten(2).mT, dense)


@torch.no_grad()
@pytest.mark.parametrize('name', ['vit', 'eva'])
def test_parts_of_the_last_block_make_up_the_block(
    name, request, make_checkpoint, images
):
    # attn_scale equal to the model's own takes the long way round to the same place
    arch = request.getfixturevalue(name)
    checkpoint = make_checkpoint(arch)
    parts = dict(type='openvocab.VanillaReadout', attn_scale=16**-0.5)
    whole, composed = (
        CLIPBackbone(arch, checkpoint, readout)(images)[-1] for readout in (None, parts)
    )
    torch.testing.assert_close(composed, whole)


@torch.no_grad()
def test_fused_eva_projections_equal_separate_ones(write_arch, make_checkpoint, images):
    vision = dict(
        image_size=224,
        timm_model_name='eva02_tiny_patch14_224',
        timm_pool='token',
        timm_proj=None,
    )
    backbone = CLIPBackbone(
        write_arch(vision),
        readout=dict(type='openvocab.VanillaReadout', attn_scale=64**-0.5),
    )
    assert backbone.visual.trunk.blocks[0].attn.qkv is not None
    images = torch.randn(1, 3, 28, 42)
    composed = backbone(images)[-1]
    backbone.tower.readout = VanillaReadout()
    torch.testing.assert_close(backbone(images)[-1], composed)


@torch.no_grad()
def test_rope_and_scale_matter_to_vanilla(eva, make_checkpoint, images):
    checkpoint = make_checkpoint(eva)
    maps = [
        CLIPBackbone(eva, checkpoint, dict(type='openvocab.VanillaReadout', **kw))(
            images
        )[-1]
        for kw in (dict(), dict(rope=False), dict(attn_scale=4.0))
    ]
    assert not torch.allclose(maps[0], maps[1], atol=1e-4)
    assert not torch.allclose(maps[0], maps[2], atol=1e-4)


@torch.no_grad()
def test_value_readout_is_local_in_the_last_block(vit):
    """With the value readout alone, a token never sees the others."""
    backbone = CLIPBackbone(vit, readout=dict(type='openvocab.ValueReadout'))
    block = backbone.tower.groups[-1]
    from openvocab.models.backbones.towers.open_clip_vit import OpenCLIPBlock

    tokens = torch.randn(1, 5, 32)
    changed = tokens.clone()
    changed[:, 2] += 1
    view = OpenCLIPBlock(block, (2, 2))
    difference = (ValueReadout()(view, tokens) - ValueReadout()(view, changed)).abs()
    assert difference[:, 2].max() > 0
    assert difference[:, [0, 1, 3, 4]].max() == 0


def test_readouts_without_ffn_freeze_it(eva, vit):
    for arch in (eva, vit):
        backbone = CLIPBackbone(
            arch,
            readout=dict(type='openvocab.ValueReadout', residual=False, ffn=False),
            trainable_blocks=-1,
        )
        backbone(torch.randn(1, 3, 32, 32))[-1].square().sum().backward()
        for parameter in backbone.parameters():
            assert parameter.requires_grad is (parameter.grad is not None)


def test_convolutional_towers_refuse_other_readouts(resnet):
    CLIPBackbone(resnet, readout=dict(type='openvocab.ValueReadout'))
    with pytest.raises(ValueError, match='does not exist for the resnet family'):
        CLIPBackbone(resnet, readout=dict(type='openvocab.ValueReadout', ffn=False))


def test_a_new_readout_is_one_small_class(vit):
    @MODELS.register_module()
    class KeyKeyReadout(VanillaReadout):
        uses = frozenset('kv')

        def attend(self, block, tokens):
            keys = block.keys(tokens, self.rope)
            return F.scaled_dot_product_attention(keys, keys, block.values(tokens))

    try:
        readout = dict(type='openvocab.KeyKeyReadout', residual=False)
        backbone = CLIPBackbone(vit, readout=readout)
        assert backbone(torch.randn(1, 3, 32, 40))[-1].shape == (1, 16, 4, 5)
        assert backbone.record()['readout']['residual'] is False
    finally:
        MODELS.module_dict.pop('KeyKeyReadout')
