"""Running a tower in two parts, with copies of the class token in the second one."""

import pytest
import torch
import torch.nn.functional as F
from timm.models import register_model
from timm.models.eva import Eva

from helpers.tiny_clip import VISION, eva02_tower
from openvocab.models.backbones import CLIPBackbone
from openvocab.models.backbones.towers import TransformerTower

VALUE = dict(type='openvocab.ValueReadout')
SIZES = [(32, 32), (24, 56)]  # the native grid, and one that is not square
START = 1


@register_model
def eva02_openvocab_registers(pretrained: bool = False, **kwargs) -> Eva:
    """With two registers between the class token and the patches."""
    return eva02_tower(num_reg_tokens=2, **kwargs)


@pytest.fixture(params=['vit', 'eva', 'registers'])
def tower(request, write_arch, make_checkpoint):
    kind = 'eva' if request.param == 'registers' else request.param
    vision = dict(VISION[kind])
    if request.param == 'registers':
        vision['timm_model_name'] = 'eva02_openvocab_registers'
    arch = write_arch(vision, request.param)
    # what a readout does to the last block is no concern of these paths
    return CLIPBackbone(arch, make_checkpoint(arch), readout=VALUE).tower


def first(tower, size):
    images = torch.randn(2, 3, *size)
    (tokens,), grid = tower.first_blocks(images, (START,))
    return images, tokens, grid


def with_full_matrix(tower, tokens, grid, bias):
    """The public form: copies, class token and patches in one sequence.

    The library's own blocks run it, with one mask over all pairs of tokens.
    """
    count, prefix = bias.shape[2], tower.num_prefix_tokens
    total = count + tokens.shape[1]
    mask = torch.zeros(len(tokens), tower.num_heads, total, total)
    mask[..., :count] = -100  # nobody sees a copy
    mask[:, :, :count, count] = -100  # copies do not see the class token
    mask[:, :, range(count), range(count)] = 0  # but themselves
    mask[:, :, :count, count + prefix :] = bias
    sequence = torch.cat([tokens[:, :1].expand(-1, count, -1), tokens], dim=1)
    for block in tower.groups[START:]:
        if tower.family == 'vit':
            sequence = block(sequence, attn_mask=mask.flatten(0, 1))
        else:
            block.attn.num_prefix_tokens = count + prefix  # not rotated
            rope = tower.visual.trunk.rope.get_embed(shape=grid)
            sequence = block(sequence, rope, attn_mask=mask)
            block.attn.num_prefix_tokens = prefix
    return tower.project(sequence[:, :count]), tower.project(sequence[:, count:])


@torch.no_grad()
@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('heads', [1, 2])
def test_equals_the_full_matrix(tower, size, heads):
    images, tokens, grid = first(tower, size)
    bias = torch.randn(2, heads, 5, grid[0] * grid[1]) * 3

    out = tower.embed_copies(tokens, grid, START, bias)

    expected, others = with_full_matrix(tower, tokens, grid, bias)
    torch.testing.assert_close(out, expected, atol=1e-5, rtol=1e-4)
    # and the tokens that the copies look at are those of the unmodified tower
    plain = tower.encode_image(images)
    torch.testing.assert_close(others[:, 0], plain, atol=1e-5, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize('size', SIZES)
def test_without_bias_a_copy_is_the_class_token(tower, size):
    images, tokens, grid = first(tower, size)
    out = tower.embed_copies(
        tokens, grid, START, torch.zeros(2, 1, 3, grid[0] * grid[1])
    )
    plain = tower.encode_image(images)[:, None].expand(-1, 3, -1)
    torch.testing.assert_close(out, plain, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_copies_do_not_depend_on_each_other(tower):
    _, tokens, grid = first(tower, (32, 40))
    bias = torch.randn(2, 2, 4, 20)
    together = tower.embed_copies(tokens, grid, START, bias)
    alone = [
        tower.embed_copies(tokens, grid, START, bias[:, :, i : i + 1]) for i in range(4)
    ]
    torch.testing.assert_close(together, torch.cat(alone, 1), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_a_copy_sees_no_patch_that_its_bias_hides(tower):
    _, tokens, grid = first(tower, (32, 32))
    bias = torch.zeros(2, 1, 1, 16)
    bias[..., 8:] = -torch.inf
    changed = tokens.clone()
    changed[:, -8:] += 1  # the hidden half
    last = len(tower.groups) - 1  # before it, patches see each other
    out = [tower.embed_copies(t, grid, last, bias) for t in (tokens, changed)]
    torch.testing.assert_close(out[0], out[1])


@torch.no_grad()
def test_levels_are_the_blocks_outputs(tower):
    images = torch.randn(2, 3, 24, 40)
    levels, grid = tower.first_blocks(images, (0, 2))
    assert grid == (3, 5)
    torch.testing.assert_close(levels[0], tower.embed(images)[0])
    maps, _ = tower.forward(images, (1,))
    patches = levels[1][:, tower.num_prefix_tokens :]
    torch.testing.assert_close(patches, maps[0].flatten(2).mT)


@torch.no_grad()
@pytest.mark.parametrize('size', SIZES)
def test_an_offset_moves_the_position_table(tower, size):
    images = torch.randn(2, 3, *size)
    offset = torch.randn_like(tower.positions)
    moved = tower.embed(images, offset)[0]
    tower.positions.add_(offset)
    torch.testing.assert_close(moved, tower.embed(images)[0], atol=1e-5, rtol=1e-4)


def test_gradient_reaches_bias_and_offset_alone(tower):
    offset = torch.zeros_like(tower.positions).requires_grad_()
    bias = torch.zeros(2, 2, 3, 15, requires_grad=True)
    (tokens,), grid = tower.first_blocks(torch.randn(2, 3, 24, 40), (START,), offset)
    tower.embed_copies(tokens, grid, START, bias).square().sum().backward()
    assert bias.grad.abs().sum() > 0 and offset.grad.abs().sum() > 0
    assert all(p.grad is None for p in tower.visual.parameters())


def test_checkpointing_changes_no_gradient(tower):
    images, bias = torch.randn(1, 3, 24, 40), torch.randn(1, 2, 3, 15)
    grads = []
    for tower.grad_checkpointing in (False, True):
        offset = torch.zeros_like(tower.positions).requires_grad_()
        (tokens,), grid = tower.first_blocks(images, (START,), offset)
        tower.embed_copies(tokens, grid, START, bias).sum().backward()
        grads.append(offset.grad)
    torch.testing.assert_close(*grads)


def test_a_bias_that_does_not_fit_is_refused(tower):
    _, tokens, grid = first(tower, (32, 32))
    for shape in ((2, 3, 1, 16), (2, 2, 1, 15)):
        with pytest.raises(ValueError, match='2 heads and 4 x 4 patches'):
            tower.embed_copies(tokens, grid, START, torch.zeros(shape))


def test_convolutional_towers_have_no_class_token(resnet):
    assert not isinstance(CLIPBackbone(resnet).tower, TransformerTower)


@torch.no_grad()
@pytest.mark.parametrize('half', [False, True])
def test_all_blocks_read_one_mask(tower, monkeypatch, half):
    """Aligned in memory, as fused kernels need it to not pad a copy of their own."""
    _, tokens, grid = first(tower, (24, 40))
    attend, masks = F.scaled_dot_product_attention, []

    def spy(*args, attn_mask=None, **kwargs):
        masks.append(attn_mask)
        return attend(*args, attn_mask=attn_mask, **kwargs)

    monkeypatch.setattr(F, 'scaled_dot_product_attention', spy)
    with torch.autocast('cpu', torch.bfloat16, enabled=half):
        tower.embed_copies(tokens, grid, 0, torch.randn(2, 2, 3, 15))
    masks = [mask for mask in masks if mask is not None]
    assert len(masks) == 3 and len({mask.data_ptr() for mask in masks}) == 1
    assert masks[0].dtype == (torch.bfloat16 if half else torch.float32)
    assert masks[0].shape[-1] == 15 + 3 + tower.num_prefix_tokens - 1
    assert all(stride % 16 == 0 for stride in masks[0].stride()[:-1])
