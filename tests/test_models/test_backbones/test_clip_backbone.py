import copy

import pytest
import torch
from mmengine.runner.checkpoint import (
    get_state_dict,
    load_checkpoint,
    save_checkpoint,
)
from torch import nn

from openvocab.models.backbones import CLIPBackbone, CLIPSelf, DenseVLM
from openvocab.models.clip_factory import create_clip
from openvocab.registry import MODELS

VALUE = dict(type='openvocab.ValueReadout')
STRIDES = dict(vit=(8, 8), eva=(8, 8), resnet=(4, 32), convnext=(4, 32))


def open_clip_dense(model: nn.Module, family: str, images: torch.Tensor):
    """Patch features as open_clip gives them, projected into the joint space."""
    out = model.visual.forward_intermediates(images, normalize_intermediates=True)
    last = out['image_intermediates'][-1].permute(0, 2, 3, 1)
    if family == 'vit':
        return last @ model.visual.proj
    if family == 'eva':
        return model.visual.trunk.head(last)
    if family == 'convnext':
        norm = model.visual.trunk.head.norm(last.permute(0, 3, 1, 2))
        return model.visual.head(norm.permute(0, 2, 3, 1))
    pool = model.visual.attnpool
    table = pool.positional_embedding[1:].view(*last.shape[1:])
    return pool.c_proj(pool.v_proj(last + table))


@torch.no_grad()
def test_native_size_equals_open_clip(family, arch, make_checkpoint):
    checkpoint = make_checkpoint(arch)
    model = create_clip(arch, checkpoint)
    backbone = CLIPBackbone(arch, checkpoint, out_indices=(0, 2))
    images = torch.randn(2, 3, backbone.image_size, backbone.image_size)

    *taps, dense = backbone(images)

    reference = open_clip_dense(model, family, images).permute(0, 3, 1, 2)
    torch.testing.assert_close(dense, reference)
    indices = (1, 3) if family == 'resnet' else (0, 2)  # open_clip counts the stem
    out = model.visual.forward_intermediates(images)['image_intermediates']
    for tap, index in zip(taps, indices, strict=True):
        torch.testing.assert_close(tap, out[index])
    torch.testing.assert_close(backbone.encode_image(images), model.visual(images))
    assert backbone.logit_scale == pytest.approx(model.logit_scale.exp().item())


@torch.no_grad()
def test_resnet_dense_equals_attention_pool_on_itself(resnet, make_checkpoint):
    checkpoint = make_checkpoint(resnet)
    pool = create_clip(resnet, checkpoint).visual.attnpool
    backbone = CLIPBackbone(resnet, checkpoint, out_indices=(3,))
    features, dense = backbone(torch.randn(2, 3, 64, 64))
    tokens = features.flatten(2).permute(2, 0, 1)
    tokens = torch.cat([tokens.mean(0, keepdim=True), tokens])
    tokens = tokens + pool.positional_embedding[:, None]
    attention = nn.MultiheadAttention(tokens.shape[-1], pool.num_heads)
    attention.in_proj_weight.copy_(
        torch.cat([pool.q_proj.weight, pool.k_proj.weight, pool.v_proj.weight])
    )
    attention.in_proj_bias.copy_(
        torch.cat([pool.q_proj.bias, pool.k_proj.bias, pool.v_proj.bias])
    )
    attention.out_proj = pool.c_proj
    others = ~torch.eye(len(tokens), dtype=torch.bool)
    own, _ = attention(tokens, tokens, tokens, attn_mask=others, need_weights=False)
    torch.testing.assert_close(dense.flatten(2).permute(2, 0, 1), own[1:])


@torch.no_grad()
@pytest.mark.parametrize('rows, columns', [(3, 5), (5, 2), (1, 1), (7, 4)])
def test_any_multiple_of_the_patch(family, arch, rows, columns):
    backbone = CLIPBackbone(arch, out_indices=(0, 2), readout=VALUE)
    patch = backbone.patch_size
    images = torch.randn(2, 3, rows * patch, columns * patch)
    maps = backbone(images)
    assert backbone.strides[-1] == patch
    for out, stride, channels in zip(
        maps, backbone.strides, backbone.channels, strict=True
    ):
        size = (rows * patch // stride, columns * patch // stride)
        assert out.shape == (2, channels, *size)
    assert maps[-1].shape[1] == backbone.embed_dim == 16
    assert backbone.encode_image(images).shape == (2, 16)


def test_strides_and_channels(family, arch):
    last = 3 if family in ('resnet', 'convnext') else 2
    backbone = CLIPBackbone(arch, out_indices=(0, last))
    assert backbone.strides[:-1] == STRIDES[family]
    assert backbone.family == family
    assert backbone.normalize_before_pooling is (family in ('resnet', 'convnext'))
    assert CLIPBackbone(arch, normalize_dense=True).normalize_before_pooling is True


@torch.no_grad()
def test_images_of_a_batch_are_independent(arch):
    backbone = CLIPBackbone(arch, out_indices=(1,), readout=VALUE)
    images = torch.randn(3, 3, 64, 96)
    alone = [backbone(image[None]) for image in images]
    for level, together in enumerate(backbone(images)):
        one_by_one = torch.cat([maps[level] for maps in alone])
        torch.testing.assert_close(together, one_by_one, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_eva_rotary_table_at_a_non_square_size(eva, make_checkpoint):
    # timm resizes the absolute table with antialiasing, so it is taken out of play
    backbone = CLIPBackbone(eva, make_checkpoint(eva))
    trunk = backbone.visual.trunk
    trunk.pos_embed.zero_()
    images = torch.randn(1, 3, 24, 56)
    tokens = trunk.forward_intermediates(images, indices=1, norm=True)[1][0]
    reference = trunk.head(tokens.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
    torch.testing.assert_close(backbone(images)[-1], reference)


def test_frozen_by_default(arch):
    backbone = CLIPBackbone(arch)
    parent = nn.ModuleDict(dict(backbone=backbone)).train()
    assert not any(p.requires_grad for p in backbone.parameters())
    assert not any(module.training for module in backbone.modules())
    assert set(parent.state_dict()) == {'backbone.encoder_record'}
    assert not backbone(torch.randn(1, 3, 64, 64))[-1].requires_grad


@pytest.mark.parametrize('readout', ['Vanilla', 'Value'])
@pytest.mark.parametrize('count', [-1, 1, 2])
def test_gradient_reaches_every_trainable_parameter(family, arch, readout, count):
    readout = dict(type=f'openvocab.{readout}Readout')
    backbone = CLIPBackbone(arch, readout=readout, trainable_blocks=count).train()
    backbone(torch.randn(2, 3, 64, 64))[-1].square().sum().backward()
    trained = {n for n, p in backbone.named_parameters() if p.requires_grad}
    reached = {n for n, p in backbone.named_parameters() if p.grad is not None}
    assert trained == reached and trained
    blocks = backbone.tower.groups
    inside = {id(p) for block in blocks[-count:] for p in block.parameters()}
    if count == -1:
        inside = {id(p) for block in blocks for p in block.parameters()}
    assert {id(p) for p in backbone.parameters() if p.requires_grad} <= inside


@pytest.mark.parametrize(
    'name, letters', [('eva', ['q', 'q', 'k']), ('vit', ['q', 'q', 'k', 'k'])]
)
def test_value_readout_freezes_what_it_never_reads(name, letters, request):
    """No weight decay may wear down queries and keys that the loss never reaches."""
    arch = request.getfixturevalue(name)
    backbone = CLIPBackbone(arch, readout=VALUE, trainable_blocks=-1)
    frozen = [
        key.split('attn.')[1][0]
        for block in backbone.tower.groups
        for key, parameter in block.named_parameters()
        if not parameter.requires_grad
    ]
    assert sorted(frozen) == sorted(letters)
    before = backbone.export_state_dict()
    before = {key: value.clone() for key, value in before.items()}
    trained = [p for p in backbone.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=0.1, weight_decay=0.5)
    backbone(torch.randn(1, 3, 32, 32))[-1].square().sum().backward()
    optimizer.step()
    after = backbone.export_state_dict()
    if name == 'vit':
        key = 'visual.transformer.resblocks.2.attn.in_proj_weight'
        assert torch.equal(after[key][:64], before[key][:64])
        assert not torch.equal(after[key][64:], before[key][64:])
    else:
        key = 'visual.trunk.blocks.2.attn.{}_proj.weight'
        assert torch.equal(after[key.format('q')], before[key.format('q')])
        assert torch.equal(after[key.format('k')], before[key.format('k')])
        assert not torch.equal(after[key.format('v')], before[key.format('v')])


@torch.no_grad()
def test_training_form_equals_the_frozen_one(arch, make_checkpoint):
    checkpoint, images = make_checkpoint(arch), torch.randn(2, 3, 64, 96)
    frozen = CLIPBackbone(arch, checkpoint, VALUE)
    trained = CLIPBackbone(arch, checkpoint, VALUE, trainable_blocks=-1)
    torch.testing.assert_close(trained(images)[-1], frozen(images)[-1])
    torch.testing.assert_close(
        trained.encode_image(images), frozen.encode_image(images)
    )
    state, expected = trained.visual.state_dict(), frozen.visual.state_dict()
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[key], expected[key]) for key in state)
    other = CLIPBackbone(arch, make_checkpoint(arch, seed=5), VALUE)
    trained.load_state_dict(other.state_dict(), strict=True)
    torch.testing.assert_close(trained(images)[-1], other(images)[-1])


def test_trainable_state_dict_is_the_whole_tower(arch):
    backbone = CLIPBackbone(arch, trainable_blocks=-1)
    assert set(backbone.state_dict()) == {
        f'visual.{key}' for key in backbone.visual.state_dict()
    }
    assert set(backbone.export_state_dict()) == {
        *backbone.state_dict(),
        'logit_scale',
    }


def test_mmengine_checkpoint_round_trip(arch, tmp_path):
    saved = CLIPBackbone(arch, readout=VALUE, trainable_blocks=-1)
    path = str(tmp_path / 'epoch_1.pth')
    save_checkpoint(dict(state_dict=get_state_dict(saved)), path)
    loaded = CLIPBackbone(arch, readout=VALUE, trainable_blocks=-1)
    load_checkpoint(loaded, path, strict=True)
    images = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(loaded(images)[-1], saved(images)[-1])


def test_only_trainable_groups_train(family, arch):
    backbone = CLIPBackbone(arch, trainable_blocks=1).train()
    first, *_, last = backbone.tower.groups
    assert last.training and not first.training and not backbone.visual.training
    norms = [m for m in backbone.modules() if isinstance(m, nn.BatchNorm2d)]
    assert not any(norm.training for norm in norms)
    assert bool(norms) is (family == 'resnet')
    assert not any(module.training for module in backbone.eval().modules())


def test_grad_checkpointing_changes_nothing(family, arch, make_checkpoint):
    checkpoint, images = make_checkpoint(arch), torch.randn(2, 3, 64, 64)
    grads = []
    for flag in (False, True):
        backbone = CLIPBackbone(
            arch, checkpoint, trainable_blocks=-1, grad_checkpointing=flag
        )
        backbone(images)[-1].square().mean().backward()  # eval mode: no drop path
        grads.append([p.grad for p in backbone.parameters() if p.requires_grad])
    assert grads[0]
    for plain, recomputed in zip(*grads, strict=True):
        torch.testing.assert_close(plain, recomputed)


def test_autocast_and_inference_mode_then_training(arch):
    backbone = CLIPBackbone(arch, readout=VALUE, trainable_blocks=-1)
    images = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        backbone(images)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        backbone(images)[-1].float().sum().backward()
        backbone.encode_image(images)


def test_deepcopy_is_independent(arch):
    backbone = CLIPBackbone(arch, trainable_blocks=1)
    images = torch.randn(1, 3, 64, 96)
    before = backbone(images)[-1]
    twin = copy.deepcopy(backbone)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
    torch.testing.assert_close(backbone(images)[-1], before)
    assert twin.tower.visual is twin.visual


def test_changed_weights_change_the_resized_table(vit):
    backbone = CLIPBackbone(vit)
    images = torch.randn(1, 3, 24, 40)
    before = backbone(images)[-1]
    torch.testing.assert_close(backbone(images)[-1], before, rtol=0, atol=0)
    state = copy.deepcopy(backbone.visual.state_dict())
    state['positional_embedding'] += torch.randn_like(state['positional_embedding'])
    backbone.visual.load_state_dict(state)
    assert not torch.allclose(backbone(images)[-1], before)


def test_presets_fix_the_readout(vit):
    for preset in (CLIPSelf, DenseVLM):
        config = dict(type=f'openvocab.{preset.__name__}', arch=vit)
        backbone = MODELS.build(config)
        assert type(backbone) is preset
        assert backbone.record()['readout']['type'] == 'ValueReadout'


def test_record_names_arch_weights_and_readout(vit, make_checkpoint):
    first = CLIPBackbone(vit, make_checkpoint(vit))
    again = CLIPBackbone(vit, make_checkpoint(vit))
    other = CLIPBackbone(vit, make_checkpoint(vit, seed=2))
    assert first.record() == again.record() != other.record()
    assert first.record()['arch'] == 'vit'
    assert len(first.record()['checkpoint']) == 64


@pytest.mark.parametrize(
    'settings, message',
    [
        (dict(out_indices=(3,)), 'out_indices: 3 is not one of the 3 levels'),
        (dict(out_indices=(2, 1)), 'out_indices must rise'),
        (dict(trainable_blocks=4), 'trainable_blocks=4'),
        (dict(trainable_blocks=-2), 'trainable_blocks=-2'),
        (dict(init_cfg=dict(type='Kaiming')), "must be of type 'Pretrained'"),
    ],
)
def test_wrong_settings(vit, settings, message):
    with pytest.raises(ValueError, match=message):
        CLIPBackbone(vit, **settings)


@pytest.mark.parametrize('size', [(30, 32), (32, 33), (0, 32)])
def test_wrong_image_size(vit, size):
    backbone = CLIPBackbone(vit)
    with pytest.raises(ValueError, match=r'needs multiples of 8'):
        backbone(torch.zeros(1, 3, *size))
    with pytest.raises(ValueError, match=r'needs multiples of 8'):
        backbone.encode_image(torch.zeros(1, 3, *size))


@torch.no_grad()
@pytest.mark.parametrize(
    'settings',
    [
        dict(ls_init_value=0.5),
        dict(no_ln_pre=True),
        dict(pool_type='avg'),
        dict(pool_type='avg', final_ln_after_pool=True),
    ],
    ids=lambda settings: '-'.join(settings),
)
def test_vit_variants(write_arch, make_checkpoint, settings):
    vision = dict(image_size=32, patch_size=8, width=32, head_width=16, layers=2)
    arch = write_arch({**vision, **settings}, quick_gelu=True)
    checkpoint = make_checkpoint(arch)
    backbone, model = CLIPBackbone(arch, checkpoint), create_clip(arch, checkpoint)
    images = torch.randn(2, 3, 32, 32)
    reference = open_clip_dense(model, 'vit', images).permute(0, 3, 1, 2)
    torch.testing.assert_close(backbone(images)[-1], reference)
    torch.testing.assert_close(backbone.encode_image(images), model.visual(images))


def test_attentional_pooling_is_refused(write_arch):
    vision = dict(
        image_size=32, patch_size=8, width=32, head_width=16, layers=2
    ) | dict(attentional_pool=True, attn_pooler_queries=4, attn_pooler_heads=2)
    with pytest.raises(ValueError, match='attentional pooling'):
        CLIPBackbone(write_arch(vision))


@pytest.mark.slow
@torch.no_grad()
@pytest.mark.parametrize(
    'arch',
    ['EVA02-B-16', 'ViT-B-16', 'ViT-B-16-quickgelu', 'RN50x4', 'convnext_base_w'],
)
def test_real_architectures_build(arch):
    torch.manual_seed(0)
    backbone = CLIPBackbone(arch, readout=VALUE)
    torch.manual_seed(0)
    model = create_clip(arch)
    side = backbone.image_size
    images = torch.randn(1, 3, side, side)
    torch.testing.assert_close(backbone.encode_image(images), model.visual(images))
    assert backbone(images[..., :96])[-1].shape[-1] == 96 // backbone.patch_size


@pytest.mark.slow
@torch.no_grad()
def test_eva_large_on_a_small_image():
    backbone = CLIPBackbone('EVA02-L-14-336', readout=VALUE)
    dense = backbone(torch.randn(1, 3, 56, 84))[-1]
    assert dense.shape == (1, 768, 4, 6)
