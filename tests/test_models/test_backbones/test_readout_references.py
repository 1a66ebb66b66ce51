"""Every readout against explicit matrices, written out from the published formulas."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from openvocab.models.backbones import CLIPBackbone, GEMReadout, VanillaReadout
from openvocab.models.clip_factory import create_clip
from openvocab.registry import MODELS

# The first one is that of the position table.
SIZES = [(32, 32), (48, 48), (24, 56), (64, 32)]
HEADS, WIDTH = 2, 16


class Plain:
    """A CLIP's image tower as plain functions of its weights, for one image size."""

    def __init__(self, model: nn.Module, size: tuple[int, int]) -> None:
        self.trunk = getattr(model.visual, 'trunk', None)
        self.visual = model.visual
        self.eva = self.trunk is not None
        self.grid = (size[0] // 8, size[1] // 8)
        blocks = self.trunk.blocks if self.eva else self.visual.transformer.resblocks
        self.blocks = list(blocks)

    def rope(self) -> Tensor:
        return self.trunk.rope.get_embed(shape=self.grid)

    def positions(self) -> Tensor:
        table = (
            self.trunk.pos_embed[0] if self.eva else self.visual.positional_embedding
        )
        patches = table[1:].T.reshape(1, -1, 4, 4)
        patches = F.interpolate(patches, self.grid, mode='bicubic', align_corners=False)
        return torch.cat([table[:1], patches.flatten(2)[0].T])

    def embed(self, images: Tensor) -> Tensor:
        if self.eva:
            x = self.trunk.patch_embed(images).flatten(1, 2)
            token = self.trunk.cls_token
        else:
            x = self.visual.conv1(images).flatten(2).mT
            token = self.visual.class_embedding
        x = torch.cat([token.expand(len(x), 1, -1), x], dim=1) + self.positions()
        return x if self.eva else self.visual.ln_pre(x)

    def block(self, index: int, x: Tensor) -> Tensor:
        block = self.blocks[index]
        return block(x, self.rope()) if self.eva else block(x)

    def before(self, index: int, images: Tensor) -> Tensor:
        x = self.embed(images)
        for earlier in range(index % len(self.blocks)):
            x = self.block(earlier, x)
        return x

    def normed(self, index: int, x: Tensor) -> Tensor:
        block = self.blocks[index]
        return block.norm1(x) if self.eva else block.ln_1(x)

    def qkv(self, index: int, x: Tensor) -> list[Tensor]:
        """Heads (B, H, N, D) of q, k and v, never rotated."""
        block, u = self.blocks[index], self.normed(index, x)
        if self.eva:
            attn = block.attn
            parts = [attn.q_proj(u), attn.k_proj(u), attn.v_proj(u)]
        else:
            weight, bias = block.attn.in_proj_weight, block.attn.in_proj_bias
            parts = (u @ weight.T + bias).split(HEADS * WIDTH, dim=-1)
        return [p.unflatten(-1, (HEADS, WIDTH)).transpose(1, 2) for p in parts]

    def out(self, index: int, context: Tensor) -> Tensor:
        attn, joined = self.blocks[index].attn, context.transpose(1, 2).flatten(2)
        return attn.proj(attn.norm(joined)) if self.eva else attn.out_proj(joined)

    def feed(self, x: Tensor) -> Tensor:
        block = self.blocks[-1]
        return x + (block.mlp(block.norm2(x)) if self.eva else block.mlp(block.ln_2(x)))

    def project(self, x: Tensor) -> Tensor:
        if self.eva:
            return self.trunk.head(self.trunk.norm(x))[:, 1:]
        return (self.visual.ln_post(x) @ self.visual.proj)[:, 1:]


def attention(p: Tensor, bias: Tensor | float = 0.0, scale: float = 0.25) -> Tensor:
    return (p @ p.mT * scale + bias).softmax(-1)


def gaussian(grid: tuple[int, int], std: float) -> Tensor:
    """NACLIP's prior, a pair of tokens at a time."""
    count = grid[0] * grid[1]
    bias = torch.zeros(count + 1, count + 1)
    for i in range(count):
        for j in range(count):
            rows, columns = i // grid[1] - j // grid[1], i % grid[1] - j % grid[1]
            bias[i + 1, j + 1] = math.exp(-(rows**2 + columns**2) / (2 * std**2))
    return bias


# name: readout, formula of the context, residual and FFN kept
FORMULAS = {
    'value': (dict(type='ValueReadout'), lambda q, k, v, g: v, True),
    'value, reduced': (
        dict(type='ValueReadout', residual=False, ffn=False),
        lambda q, k, v, g: v,
        False,
    ),
    'qq': (
        dict(type='SelfSelfReadout', projections='q'),
        lambda q, k, v, g: attention(q) @ v,
        False,
    ),
    'kk': (
        dict(type='SelfSelfReadout', projections='k'),
        lambda q, k, v, g: attention(k) @ v,
        False,
    ),
    'vv': (
        dict(type='SelfSelfReadout', projections='v'),
        lambda q, k, v, g: attention(v) @ v,
        False,
    ),
    'csa': (
        dict(type='SelfSelfReadout'),
        lambda q, k, v, g: (attention(q) + attention(k)) @ v,
        False,
    ),
    'csa, scale 1 (DeCLIP)': (
        dict(type='SelfSelfReadout', attn_scale=1.0),
        lambda q, k, v, g: (attention(q, scale=1) + attention(k, scale=1)) @ v,
        False,
    ),
    'all': (
        dict(type='JointSelfReadout'),
        lambda q, k, v, g: ((q @ q.mT + k @ k.mT + v @ v.mT) / 12).softmax(-1) @ v,
        False,
    ),
    'all, scale 1': (
        dict(type='JointSelfReadout', attn_scale=1.0),
        lambda q, k, v, g: ((q @ q.mT + k @ k.mT + v @ v.mT) / 3).softmax(-1) @ v,
        False,
    ),
    'SCLIP': (
        dict(type='SCLIPReadout'),
        lambda q, k, v, g: (attention(q) + attention(k)) @ v,
        True,
    ),
    'ClearCLIP': (
        dict(type='ClearCLIPReadout'),
        lambda q, k, v, g: attention(q) @ v,
        False,
    ),
    'NACLIP': (
        dict(type='NACLIPReadout'),
        lambda q, k, v, g: attention(k, gaussian(g, 5.0)) @ v,
        False,
    ),
    'gaussian csa': (
        dict(type='GaussianReadout', projections='qk', std=1.5),
        lambda q, k, v, g: (
            (attention(q, gaussian(g, 1.5)) + attention(k, gaussian(g, 1.5))) @ v
        ),
        False,
    ),
}


@pytest.fixture(params=['vit', 'eva'])
def clip(request, make_checkpoint) -> tuple[str, str]:
    arch = request.getfixturevalue(request.param)
    return arch, make_checkpoint(arch)


def build(clip: tuple[str, str], **readout) -> CLIPBackbone:
    readout['type'] = f'openvocab.{readout["type"]}'
    return CLIPBackbone(*clip, readout)


def assert_equal(dense: Tensor, tokens: Tensor, grid: tuple[int, int]) -> None:
    assert dense.shape[-2:] == grid
    torch.testing.assert_close(dense.flatten(2).mT, tokens, rtol=0, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize('name', FORMULAS)
def test_readout_equals_its_formula(clip, name):
    readout, formula, kept = FORMULAS[name]
    model, backbone = create_clip(*clip), build(clip, **readout)
    for size in SIZES:
        plain, images = Plain(model, size), torch.randn(2, 3, *size)
        x = plain.before(-1, images)
        q, k, v = plain.qkv(-1, x)
        out = plain.out(-1, formula(q, k, v, plain.grid))
        out = plain.feed(x + out) if kept else out
        assert_equal(backbone(images)[-1], plain.project(out), plain.grid)


@torch.no_grad()
def test_formulas_differ_by_more_than_the_tolerance(clip):
    images, backbone = torch.randn(1, 3, 24, 56), build(clip, type='VanillaReadout')
    maps = [backbone(images)[-1]]
    for name in FORMULAS.keys() - {'SCLIP', 'ClearCLIP'}:
        readout = dict(FORMULAS[name][0])
        readout['type'] = f'openvocab.{readout["type"]}'
        backbone.tower.readout = MODELS.build(readout)
        maps.append(backbone(images)[-1])
    for index, one in enumerate(maps):
        for other in maps[:index]:
            assert (one - other).abs().max() > 1e-3


@torch.no_grad()
def test_vanilla_equals_the_model(clip):
    model, backbone = create_clip(*clip), build(clip, type='VanillaReadout')
    for size in SIZES:
        plain, images = Plain(model, size), torch.randn(2, 3, *size)
        x = plain.block(-1, plain.before(-1, images))
        assert_equal(backbone(images)[-1], plain.project(x), plain.grid)


@torch.no_grad()
@pytest.mark.parametrize('iterations', [0, 1, 2])
def test_gem_readout_equals_its_formula(clip, iterations):
    plain, images = Plain(create_clip(*clip), (24, 56)), torch.randn(2, 3, 24, 56)
    x = plain.before(-1, images)
    out = x + plain.out(-1, gem(plain, -1, x, iterations))
    (dense,) = build(clip, type='GEMReadout', iterations=iterations)(images)
    assert_equal(dense, plain.project(out), plain.grid)


@torch.no_grad()
@pytest.mark.parametrize('blocks', [1, 2, 3])
def test_gem_reads_the_last_blocks(clip, blocks):
    size = (40, 24)
    plain, images = Plain(create_clip(*clip), size), torch.randn(2, 3, *size)
    x = read = plain.before(3 - blocks, images) if blocks < 3 else plain.embed(images)
    for index in range(3 - blocks, 3):
        read = read + plain.out(index, gem(plain, index, x, 1))
        x = plain.block(index, x)
    model = MODELS.build(
        dict(type='openvocab.GEM', arch=clip[0], checkpoint=clip[1], blocks=blocks)
    )
    assert_equal(model(images)[-1], plain.project(read), plain.grid)
    assert model.record()['readout']['blocks'] == blocks


def gem(plain: Plain, index: int, x: Tensor, iterations: int) -> Tensor:
    q, k, v = plain.qkv(index, x)
    temperature = plain.normed(index, x).norm(dim=-1).mean(1)[:, None, None, None] / 4
    context = 0
    for p in (q, k, v):
        for _ in range(iterations):
            p = p / p.norm(dim=-1, keepdim=True)
            p = (temperature * p @ p.mT).softmax(-1) @ p
        p = p / p.norm(dim=-1, keepdim=True)
        context = context + (temperature * p @ p.mT).softmax(-1) @ v / 3
    return context


@torch.no_grad()
def test_images_do_not_depend_on_their_batch(clip):
    images = torch.randn(3, 3, 24, 40)
    for name in ('SCLIPReadout', 'NACLIPReadout', 'JointSelfReadout', 'GEMReadout'):
        backbone = build(clip, type=name)
        alone = torch.cat([backbone(image[None])[-1] for image in images])
        torch.testing.assert_close(backbone(images)[-1], alone, rtol=0, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize(
    'readout',
    [dict(type='VanillaReadout', attn_scale=0.3), dict(type='GEMReadout')]
    + [readout for readout, _, _ in FORMULAS.values()],
    ids=lambda readout: readout['type'],
)
def test_weights_are_what_values_are_multiplied_with(clip, readout):
    backbone = build(clip, **readout)
    (tokens,), grid = backbone.tower.first_blocks(torch.randn(2, 3, 24, 40), [2])
    view = backbone.tower.view(-1, grid)
    weights = backbone.readout.weights(view, tokens)
    assert weights.shape[-2:] == (16, 16) and (weights >= 0).all()
    expected = backbone.readout.attend(view, tokens)
    torch.testing.assert_close(weights @ view.values(tokens), expected)


def test_presets_compute_and_record_what_their_families_do(clip):
    def record(**readout):
        return build(clip, **readout).record()['readout']

    assert record(type='ClearCLIPReadout') == record(
        type='SelfSelfReadout', projections='q'
    )
    assert record(type='SCLIPReadout') == record(
        type='SelfSelfReadout', residual=True, ffn=True
    )
    assert record(type='NACLIPReadout') == record(type='GaussianReadout')
    assert record(type='GaussianReadout', std=4.0) != record(type='GaussianReadout')
    assert record(type='JointSelfReadout') != record(
        type='SelfSelfReadout', projections='qkv'
    )


@pytest.mark.parametrize(
    'readout', [dict(type='JointSelfReadout'), dict(type='NACLIPReadout')]
)
def test_what_a_readout_does_not_read_does_not_train(clip, readout):
    readout['type'] = f'openvocab.{readout["type"].removeprefix("openvocab.")}'
    backbone = CLIPBackbone(*clip, readout, trainable_blocks=-1)
    backbone(torch.randn(1, 3, 32, 32))[-1].square().sum().backward()
    for name, parameter in backbone.named_parameters():
        assert parameter.requires_grad is (parameter.grad is not None), name


def test_bad_settings_are_named(clip, resnet):
    for unknown in ('NoReadout', 'CLIPBackbone'):
        with pytest.raises(ValueError, match=rf'{unknown}.* not exist.*NACLIPReadout'):
            build(clip, type=unknown)
    with pytest.raises(ValueError, match='std=0'):
        build(clip, type='GaussianReadout', std=0)
    with pytest.raises(ValueError, match=r'blocks=4: .* has 3 blocks'):
        MODELS.build(dict(type='openvocab.GEM', arch=clip[0], blocks=4))
    with pytest.raises(TypeError, match='not by a VanillaReadout'):
        MODELS.build(dict(type='openvocab.GEM', arch=clip[0], readout=VanillaReadout()))
    with pytest.raises(NotImplementedError, match='ClassResidualReadout has no atten'):
        build(clip, type='ClassResidualReadout').readout.weights(None, None)
    for readout in (GEMReadout().record()['type'], 'NACLIPReadout', 'ProxyReadout'):
        with pytest.raises(ValueError, match='does not exist for the resnet family'):
            CLIPBackbone(resnet, readout=dict(type=f'openvocab.{readout}'))
