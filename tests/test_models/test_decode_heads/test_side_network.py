import pytest
import torch
from mmengine.config import ConfigDict
from mmseg.models.decode_heads.san_head import SideAdapterNetwork

from openvocab.models.decode_heads import SideNetwork

SMALL = dict(
    clip_channels=16,
    clip_heads=2,
    width=24,
    depth=5,
    num_heads=3,
    patch_size=8,
    grid=(4, 4),
    num_queries=6,
    decoder_width=8,
)


def mmseg_copy(side: SideNetwork) -> SideAdapterNetwork:
    """mmseg's network with the same weights (its size is fixed to 640 px)."""
    config = ConfigDict(
        cfg_encoder=dict(num_encode_layer=5, num_heads=3, mlp_ratio=4),
        cfg_decoder=dict(
            num_heads=2, num_layers=1, embed_channels=8, mlp_channels=8, num_mlp=3,
            rescale=True,
        ),
    )  # fmt: skip
    other = SideAdapterNetwork(
        clip_channels=16,
        embed_dims=24,
        patch_size=8,
        num_queries=6,
        norm_cfg=dict(type='LN', eps=1e-6),
        **config,
    )
    names = (
        ('patch_embed.', 'patch_embed.projection.'),
        ('.norm', '.ln'),
        ('.attn.qkv.', '.attn.attn.in_proj_'),
        ('.attn.proj.', '.attn.attn.out_proj.'),
        ('.mlp.fc1.', '.ffn.layers.0.0.'),
        ('.mlp.fc2.', '.ffn.layers.1.'),
        ('blocks.', 'encode_layers.'),
    )
    state = {}
    for key, value in side.state_dict().items():
        if key.startswith('fusion.'):
            _, level, part, kind = key.split('.')
            key = f'conv_clips.{level}.{part}.' + ('conv.' if part == '1' else '')
            key += kind
            value = value[..., None, None] if value.ndim == 2 else value
        elif '_embed' in key and not key.startswith('patch'):
            value = value[None]
        for ours, theirs in names:
            key = key.replace(ours, theirs)
        state[key] = value
    other.load_state_dict(state)
    return other


@torch.no_grad()
def test_equals_mmsegs_network():
    """At 640 px, which is all that mmseg's position table is made for."""
    side = SideNetwork(**{**SMALL, 'grid': (80, 80)}).eval()
    for parameter in side.parameters():
        parameter.add_(torch.randn_like(parameter) * 0.02)
    images = torch.randn(1, 3, 320, 400)
    levels = [torch.randn(1, 5 * 7, 16) for _ in range(4)]

    outputs = side(images, levels, (5, 7), (3, 5))

    maps = [[level.mT.unflatten(2, (5, 7))] for level in levels]
    masks, biases = mmseg_copy(side).eval()(images, maps, [3])
    assert outputs[0].masks.shape == (1, 6, 40, 50)
    assert outputs[0].bias.shape == (1, 2, 6, 40, 50)
    for output, mask, (bias,) in zip(outputs, masks, biases, strict=True):
        torch.testing.assert_close(output.masks, mask, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(output.bias, bias, atol=1e-4, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize('after', [0, 2, 4])
def test_a_level_reaches_no_block_before_its_own(after):
    side = SideNetwork(**SMALL, fuse_after=(after,)).eval()
    images = torch.randn(2, 3, 32, 48)
    blocks = tuple(range(1, 6))
    levels = [[torch.randn(2, 20, 16)] for _ in range(2)]
    one, two = (side(images, level, (4, 5), blocks) for level in levels)
    for block, ours, theirs in zip(blocks, one, two, strict=True):
        assert torch.equal(ours.masks, theirs.masks) is (block < after)


@torch.no_grad()
@pytest.mark.parametrize('size', [(32, 32), (8, 40), (72, 24)])
def test_any_multiple_of_the_patch(size):
    side = SideNetwork(**SMALL).eval()
    grid = (size[0] // 8, size[1] // 8)
    (output,) = side(torch.randn(2, 3, *size), [torch.randn(2, 6, 16)] * 4, (2, 3), [5])
    assert output.masks.shape == (2, 6, *grid)
    assert output.bias.shape == (2, 2, 6, *grid)


@torch.no_grad()
def test_images_of_a_batch_are_independent():
    side = SideNetwork(**SMALL).eval()
    images, levels = torch.randn(3, 3, 24, 40), [torch.randn(3, 6, 16)] * 4
    (both,) = side(images, levels, (2, 3), [5])
    for i in range(3):
        one = side(images[i : i + 1], [x[i : i + 1] for x in levels], (2, 3), [5])[0]
        torch.testing.assert_close(both.masks[i], one.masks[0], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(both.bias[i], one.bias[0], atol=1e-5, rtol=1e-4)


def test_wrong_places_are_refused():
    with pytest.raises(ValueError, match='has 5 blocks'):
        SideNetwork(**SMALL, fuse_after=(0, 6))
    with pytest.raises(ValueError, match='must rise'):
        SideNetwork(**SMALL, fuse_after=(2, 1))
