"""EVA-CLIP's tower written out from its paper, on the released names, against ours.

The reference shares no line with timm or with the package: sub-LN in attention and MLP,
SwiGLU, biases on q and v but not on k, and rotary embedding in two axes on interleaved
channels, whose coordinates are stretched to the grid of the pre-training (16).
"""

import pytest
import torch
import torch.nn.functional as F
from mmpretrain.models.backbones.vit_eva02 import ViTEVA02
from timm.models import register_model
from timm.models.eva import Eva
from torch import Tensor, nn

from helpers.clip_releases import eva02, with_values
from helpers.tiny_clip import eva02_tower, write_arch
from openvocab.models.backbones import CLIPBackbone

PATCH, GRID, HEADS, WIDTH, HIDDEN = 16, 14, 3, 192, 512
SIZES = [(224, 224), (512, 512), (320, 176)]
ROPE_GRID = 16
SHAPES = dict(embed_dim=48, width=WIDTH, layers=3, hidden=HIDDEN, heads=HEADS)


@register_model
def eva02_literal_test(pretrained: bool = False, **kwargs) -> Eva:
    """Three narrow blocks with the geometry of eva02_base_patch16_clip_224."""
    settings = dict(
        img_size=GRID * PATCH,
        patch_size=PATCH,
        embed_dim=WIDTH,
        depth=SHAPES['layers'],
        num_heads=HEADS,
        ref_feat_shape=(ROPE_GRID, ROPE_GRID),
    )
    return eva02_tower(**{**settings, **kwargs})


@pytest.fixture(scope='module')
def released(tmp_path_factory) -> tuple[str, str, dict[str, Tensor]]:
    """Architecture, file in CLIPSelf's layout, and its state dict."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp('eva')
    shapes = eva02(**SHAPES, text_width=16, text_layers=1)
    state = with_values(shapes)
    for key, value in state.items():
        fan_in = value[0].numel() if value.dim() > 1 else 1
        value.mul_(fan_in**-0.5 if value.dim() > 1 else 0.3)
        if 'norm' in key or '_ln' in key:
            value.add_(key.endswith('weight'))
    arch = folder / 'eva.json'
    vision = dict(
        image_size=GRID * PATCH,
        timm_model_name='eva02_literal_test',
        timm_pool='token',
        timm_proj=None,
    )
    text = dict(context_length=77, vocab_size=49408, width=16, heads=2, layers=1)
    write_arch(arch, vision, text, embed_dim=48)
    torch.save(
        dict(epoch=6, name='x', state_dict=state, optimizer={}, scaler={}),
        folder / 'clipself.pt',
    )
    return str(arch), str(folder / 'clipself.pt'), state


def backbone_of(released, readout: str) -> CLIPBackbone:
    return CLIPBackbone(*released[:2], dict(type=f'openvocab.{readout}'))


def angles(rows: int, columns: int, grid: int = ROPE_GRID) -> Tensor:
    """Rotation of every token and pair of channels, (rows * columns, D / 2)."""
    pairs = WIDTH // HEADS // 4
    frequency = 10000.0 ** -(torch.arange(pairs) / pairs)
    y = torch.arange(rows) / rows * grid
    x = torch.arange(columns) / columns * grid
    by_row = (y[:, None] * frequency)[:, None].expand(rows, columns, pairs)
    by_column = (x[:, None] * frequency)[None].expand(rows, columns, pairs)
    return torch.cat([by_row, by_column], dim=-1).flatten(0, 1)


def rotate(heads: Tensor, angle: Tensor) -> Tensor:
    """Turns channels (2j, 2j + 1) of every token but the first, (B, H, N, D)."""
    first, rest = heads[:, :, :1], heads[:, :, 1:]
    pairs = torch.view_as_complex(rest.unflatten(-1, (-1, 2)).contiguous())
    turned = pairs * torch.polar(torch.ones_like(angle), angle)
    return torch.cat([first, torch.view_as_real(turned).flatten(-2)], dim=2)


def norm(state: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    weight, bias = state[f'{name}.weight'], state[f'{name}.bias']
    return F.layer_norm(x, weight.shape, weight, bias, eps=1e-6)


def linear(state: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    return x @ state[f'{name}.weight'].T + state[f'{name}.bias']


def block(
    state: dict[str, Tensor], name: str, x: Tensor, angle: Tensor, attend: bool
) -> Tensor:
    u = norm(state, f'{name}.norm1', x)
    q = u @ state[f'{name}.attn.q_proj.weight'].T + state[f'{name}.attn.q_bias']
    k = u @ state[f'{name}.attn.k_proj.weight'].T
    v = u @ state[f'{name}.attn.v_proj.weight'].T + state[f'{name}.attn.v_bias']
    out = v
    if attend:
        q, k, v = (p.unflatten(-1, (HEADS, -1)).transpose(1, 2) for p in (q, k, v))
        q, k = rotate(q, angle), rotate(k, angle)
        weights = (q @ k.mT / (WIDTH // HEADS) ** 0.5).softmax(-1)
        out = (weights @ v).transpose(1, 2).flatten(2)
    out = norm(state, f'{name}.attn.inner_attn_ln', out)
    x = x + linear(state, f'{name}.attn.proj', out)
    u = norm(state, f'{name}.norm2', x)
    gate = F.silu(linear(state, f'{name}.mlp.w1', u))
    hidden = norm(
        state, f'{name}.mlp.ffn_ln', gate * linear(state, f'{name}.mlp.w2', u)
    )
    return x + linear(state, f'{name}.mlp.w3', hidden)


def reference(state: dict[str, Tensor], images: Tensor, attend_last: bool) -> Tensor:
    """Dense map (B, D, h, w) of the released tower."""
    visual = {k.removeprefix('visual.'): v for k, v in state.items() if 'visual' in k}
    patches = F.unfold(images, PATCH, stride=PATCH).mT
    kernel = visual['patch_embed.proj.weight'].flatten(1)
    x = patches @ kernel.T + visual['patch_embed.proj.bias']
    rows, columns = images.shape[2] // PATCH, images.shape[3] // PATCH
    table = visual['pos_embed'][:, 1:].mT.unflatten(-1, (GRID, GRID))
    if (rows, columns) != (GRID, GRID):
        table = F.interpolate(table, (rows, columns), mode='bicubic')
    x = x + table.flatten(2).mT
    token = (visual['cls_token'] + visual['pos_embed'][:, :1]).expand(len(x), 1, -1)
    x = torch.cat([token, x], dim=1)
    count = SHAPES['layers']
    for index in range(count):
        attend = attend_last or index < count - 1
        x = block(visual, f'blocks.{index}', x, angles(rows, columns), attend)
    x = linear(visual, 'head', norm(visual, 'norm', x))[:, 1:]
    return x.mT.unflatten(-1, (rows, columns))


@torch.no_grad()
@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('readout', ['ValueReadout', 'VanillaReadout'])
def test_backbone_equals_the_block_written_out(released, readout, size):
    images = torch.randn(1, 3, *size)
    dense = backbone_of(released, readout)(images)[-1]
    expected = reference(released[2], images, readout == 'VanillaReadout')
    assert dense.shape == expected.shape == (1, 48, size[0] // 16, size[1] // 16)
    torch.testing.assert_close(dense, expected, rtol=1e-4, atol=1e-4)
    assert expected.std() > 0.1


@torch.no_grad()
def test_reference_tells_what_it_is_there_to_tell(released):
    images, state = torch.randn(1, 3, 224, 224), released[2]
    right = reference(state, images, True)
    for key in ('attn.q_bias', 'attn.v_bias', 'attn.inner_attn_ln.weight'):
        wrong = dict(state)
        name = f'visual.blocks.0.{key}'
        wrong[name] = torch.zeros_like(state[name])
        assert (reference(wrong, images, True) - right).abs().max() > 1e-2
    wrong = dict(state)
    for index in range(SHAPES['layers']):
        gate, value = (f'visual.blocks.{index}.mlp.{w}.weight' for w in ('w1', 'w2'))
        wrong[gate], wrong[value] = wrong[value], wrong[gate]
    assert (reference(wrong, images, True) - right).abs().max() > 1e-2
    assert (angles(4, 2)[:2] - angles(2, 4)[:2]).abs().max() > 1


@torch.no_grad()
def test_backbone_equals_mmpretrains_eva02(released):
    arch = dict(
        embed_dims=WIDTH,
        num_layers=SHAPES['layers'],
        num_heads=HEADS,
        feedforward_channels=HIDDEN,
    )
    side = GRID * PATCH
    model = ViTEVA02(
        arch,
        img_size=side,
        patch_size=PATCH,
        sub_ln=True,
        out_type='raw',
        norm_cfg=dict(type='LN', eps=1e-6),
    )
    for layer in model.layers:  # EVA-CLIP norms before the projection, it does not
        inner = nn.LayerNorm(WIDTH, eps=1e-6)
        layer.attn.proj = nn.Sequential(inner, layer.attn.proj)
    # Its own table repeats the frequencies end to end; EVA-CLIP was trained with pairs.
    angle = angles(GRID, GRID).repeat_interleave(2, dim=-1)
    tables = dict(freqs_cos=angle.cos(), freqs_sin=angle.sin())
    tables = {
        k: tables[k.rpartition('.')[2]] for k in model.state_dict() if 'rope' in k
    }
    model.load_state_dict(tables | mmpretrain_names(released[2]))
    images = torch.randn(1, 3, side, side)
    model.eval()
    (tokens,) = model(images)
    dense = linear(released[2], 'visual.head', tokens)[:, 1:]
    ours = backbone_of(released, 'VanillaReadout')(images)[-1]
    torch.testing.assert_close(ours.flatten(2).mT, dense, rtol=1e-4, atol=1e-4)


def mmpretrain_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    out = {name: state[f'visual.{name}'] for name in ('cls_token', 'pos_embed')}
    for p in ('weight', 'bias'):
        out[f'patch_embed.projection.{p}'] = state[f'visual.patch_embed.proj.{p}']
        out[f'ln1.{p}'] = state[f'visual.norm.{p}']
    for index in range(SHAPES['layers']):
        theirs, ours = f'visual.blocks.{index}.', f'layers.{index}.'
        bias = [state[f'{theirs}attn.{n}_bias'] for n in 'qv']
        out[f'{ours}attn.qkv.bias'] = torch.cat([bias[0], 0 * bias[0], bias[1]])
        weights = [state[f'{theirs}attn.{n}_proj.weight'] for n in 'qkv']
        out[f'{ours}attn.qkv.weight'] = torch.cat(weights)
        for p in ('weight', 'bias'):
            for name in ('norm1', 'norm2', 'mlp.w3'):
                out[f'{ours}{name}.{p}'] = state[f'{theirs}{name}.{p}']
            gates = [state[f'{theirs}mlp.{n}.{p}'] for n in ('w1', 'w2')]
            out[f'{ours}mlp.w12.{p}'] = torch.cat(gates)
            out[f'{ours}mlp.norm.{p}'] = state[f'{theirs}mlp.ffn_ln.{p}']
            out[f'{ours}attn.proj.0.{p}'] = state[f'{theirs}attn.inner_attn_ln.{p}']
            out[f'{ours}attn.proj.1.{p}'] = state[f'{theirs}attn.proj.{p}']
    return out
