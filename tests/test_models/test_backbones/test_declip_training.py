"""What DeCLIP trains, and what its readout gives away while training."""

import pytest
import torch

from openvocab.models.backbones import DeCLIP

ALWAYS = {  # whatever is compared
    'vit': {
        'conv1', 'class_embedding', 'positional_embedding', 'ln_pre', 'ln_post', 'proj',
        'last.ln_2', 'last.mlp',
    },
    'eva': {
        'patch_embed', 'cls_token', 'pos_embed', 'norm', 'head',
        'last.norm2', 'last.mlp',
    },
}  # fmt: skip
COMPARED = {'q': 'k', 'k': 'q', 'qk': '', 'v': 'qk'}  # and what nobody reads then


def last_block_name(name: str, prefix: str) -> str:
    """``last.`` for the last of three blocks, nothing for the others."""
    return name.replace(prefix + '2.', 'last.') if prefix in name else name


@pytest.mark.parametrize('family', ['vit', 'eva'])
@pytest.mark.parametrize('letters', list(COMPARED))
def test_frozen_parameters(request, family, letters):
    """The method's list, name by name; all other parameters have a gradient."""
    readout = dict(type='openvocab.SelfSelfReadout', projections=letters)
    backbone = DeCLIP(
        request.getfixturevalue(family), None, readout, trainable_blocks=-1
    )
    blocks = dict(vit='visual.transformer.resblocks.', eva='visual.trunk.blocks.')
    frozen = set()
    for name, parameter in backbone.named_parameters():
        if not parameter.requires_grad:
            name = last_block_name(name, blocks[family])
            frozen.add(name.removeprefix('visual.').removeprefix('trunk.'))
    expected = set(ALWAYS[family])
    for letter in COMPARED[letters]:
        projection = dict(vit=f'last.attn.{letter}_', eva=f'last.attn.{letter}_proj.')
        expected.add(projection[family])
    for start in expected:
        assert any(name.startswith(start) for name in frozen), start
    for name in frozen:
        assert any(name.startswith(start) for start in expected), name

    backbone(torch.randn(1, 3, 24, 40))[-1].square().sum().backward()
    for name, parameter in backbone.named_parameters():
        assert (parameter.grad is not None) == parameter.requires_grad, name


@torch.no_grad()
@pytest.mark.parametrize('family', ['vit', 'eva'])
def test_captured_projections_are_those_of_the_block(request, make_checkpoint, family):
    """Un-rotated, unscaled, without the class token, and the map is the same."""
    arch = request.getfixturevalue(family)
    backbone = DeCLIP(arch, make_checkpoint(arch))
    images = torch.randn(2, 3, 24, 40)
    plain = backbone(images)[-1]
    with backbone.readout.capture() as captured:
        assert torch.equal(backbone(images)[-1], plain)
    tower = backbone.tower
    (tokens,), grid = tower.first_blocks(images, [len(tower.groups) - 1])
    view = tower.view(-1, grid)
    assert len(captured) == 2 and captured[0].shape == (2, 2, 15, 16)
    expected = [view.queries(tokens, rope=False), view.keys(tokens, rope=False)]
    for got, wanted in zip(captured, expected, strict=True):
        torch.testing.assert_close(got, wanted[:, :, 1:])
