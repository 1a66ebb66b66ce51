"""VFM adapters on shrunk timm models, and the files that they read."""

import copy

import pytest
import timm
import torch
from mmengine.model import BaseModule
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from openvocab.models.teachers import DINO, DINOv2, SAMEncoder, features_on_grid

SMALL = dict(embed_dim=32, depth=2, num_heads=2)
KINDS = {
    'dino': (DINO, dict(SMALL, img_size=64), 16, 32),
    'dinov2': (DINOv2, dict(SMALL, img_size=56), 14, 32),
    'sam': (
        SAMEncoder,
        dict(
            SMALL, img_size=64, neck_chans=24, window_size=3, global_attn_indexes=(1,)
        ),
        16,
        24,
    ),
}


@pytest.fixture(params=list(KINDS))
def kind(request):
    return request.param


def build(kind, seed=0, **kwargs):
    torch.manual_seed(seed)
    adapter, config, _, _ = KINDS[kind]
    model = adapter(**dict(config, **kwargs))
    if 'checkpoint' not in kwargs:
        for parameter in model.parameters():  # nothing trivial, so that all of it shows
            nn.init.normal_(parameter, std=0.3)
    return model


@pytest.mark.parametrize('grid', [(4, 4), (2, 5)])
def test_one_feature_per_patch(kind, grid):
    _, _, patch, channels = KINDS[kind]
    vfm = build(kind)
    assert vfm.patch_size == patch
    assert vfm.mean == (0.485, 0.456, 0.406) and vfm.std == (0.229, 0.224, 0.225)
    images = torch.randn(2, 3, patch * grid[0], patch * grid[1], requires_grad=True)
    features = vfm(images)
    assert features.shape == (2, channels, *grid) and not features.requires_grad
    assert vfm.encode(images).requires_grad
    # rows stay rows: a change in the lower right corner shows most in its own token
    # and, through the 3 x 3 convolution of SAM's neck, in its neighbours
    changed = images.detach().clone()
    changed[:, :, -patch:, -patch:] += 3
    moved = (vfm(changed) - features).norm(dim=1)[0]
    reach = 2 if kind == 'sam' else 1
    near = moved[-reach:, -reach:].min().clone()
    moved[-reach:, -reach:] = 0
    assert near > moved.max()


def test_frozen_for_good(kind):
    vfm = build(kind)
    parent = nn.ModuleDict(dict(vfm=vfm, head=nn.Linear(2, 2))).train()
    assert not any(module.training for module in vfm.modules())
    assert not any(p.requires_grad for p in vfm.parameters())
    assert set(parent.state_dict()) == {
        'head.weight',
        'head.bias',
        'vfm.encoder_record',
    }
    assert build(kind, frozen=False).trunk.training


def test_initialisation_keeps_the_weights(kind):
    """The runner initialises the whole model before it trains."""
    holder = BaseModule()
    holder.vfm = build(kind)
    before = copy.deepcopy(holder.vfm.state_dict())
    holder.init_weights()
    holder.vfm.init_weights()
    torch.testing.assert_close(holder.vfm.state_dict(), before, rtol=0, atol=0)


def test_registers_and_class_token_are_dropped():
    vfm = build('dinov2')
    images = torch.randn(1, 3, 56, 56)
    tokens = vfm.trunk.forward_features(images)
    assert tokens.shape[1] == 1 + 4 + 16
    expected = tokens[0, 5:].T.reshape(32, 4, 4)
    torch.testing.assert_close(vfm(images)[0], expected)


def authors_file(kind, vfm, path):
    """The weights of a VFM under the names of the released files."""
    state = {k: v.clone() for k, v in vfm.trunk.state_dict().items()}
    if kind == 'dinov2':  # positions of the class token apart, a token for masking
        state['register_tokens'] = state.pop('reg_token')
        share = torch.full_like(state['cls_token'], 0.25)
        state['cls_token'] = state['cls_token'] - share
        state['pos_embed'] = torch.cat([share, state['pos_embed']], dim=1)
        state['mask_token'] = torch.zeros(1, 32)
    if kind == 'sam':
        state = {
            f'image_encoder.{k.replace("mlp.fc", "mlp.lin")}': v
            for k, v in state.items()
        }
        state['prompt_encoder.point_embeddings.0.weight'] = torch.zeros(1, 8)
    torch.save(state, path)
    return str(path)


def test_reads_the_authors_file_and_timms(kind, tmp_path):
    vfm = build(kind)
    images = torch.randn(1, 3, vfm.patch_size * 4, vfm.patch_size * 3)
    released = authors_file(kind, vfm, tmp_path / 'released.pth')
    timms = str(tmp_path / 'timm.safetensors')
    save_file({k: v.half() for k, v in vfm.trunk.state_dict().items()}, timms)
    torch.testing.assert_close(build(kind, 1, checkpoint=released)(images), vfm(images))
    again = build(kind, 1, checkpoint=timms)
    assert again.trunk.patch_embed.proj.weight.dtype == torch.float32
    cosine = F.cosine_similarity(again(images), vfm(images))
    assert cosine.min() > 0.99


@pytest.mark.parametrize('kind', ['dino', 'sam'])  # another file, bit by bit the same
def test_the_record_is_of_the_weights_and_not_of_the_file(kind, tmp_path):
    vfm = build(kind)
    released = authors_file(kind, vfm, tmp_path / 'released.pth')
    timms = str(tmp_path / 'timm.safetensors')
    save_file(vfm.trunk.state_dict(), timms)
    records = [build(kind, 1, checkpoint=path).record() for path in (released, timms)]
    assert records[0] == records[1] != build(kind, 1).record()
    assert timm.is_model(records[0]['arch'])


def test_wrong_input_is_named(kind, tmp_path):
    adapter, config, _, _ = KINDS[kind]
    with pytest.raises(ValueError, match="timm has no model 'vit_nothing'"):
        adapter('vit_nothing')
    with pytest.raises(ValueError, match=r'resnet10t is a ResNet|build resnet10t with'):
        adapter('resnet10t')
    with pytest.raises(ValueError, match=r'build .* with .*no_such_option'):
        adapter(no_such_option=1)
    with pytest.raises(FileNotFoundError, match=r'none\.pth does not exist'):
        adapter(checkpoint=str(tmp_path / 'none.pth'), **config)
    vfm = build(kind)
    path = authors_file(kind, vfm, tmp_path / 'released.pth')
    wider = dict(config, embed_dim=48)
    with pytest.raises(ValueError, match=r'released\.pth is not for .*has shape'):
        adapter(checkpoint=path, **wider)


def test_real_names_exist():
    for name in (
        'vit_base_patch16_224.dino',
        'vit_base_patch8_224.dino',
        'vit_base_patch14_reg4_dinov2.lvd142m',
        'vit_large_patch14_reg4_dinov2.lvd142m',
        'samvit_base_patch16.sa1b',
        'samvit_large_patch16.sa1b',
    ):
        assert timm.is_model(name), name


class Colours(nn.Module):
    """Mean colour of every patch, in [0, 1]."""

    def __init__(self, patch):
        super().__init__()
        self.patch_size, self.mean, self.std = patch, (0.2, 0.3, 0.4), (0.5, 0.6, 0.7)

    def forward(self, images):
        mean, std = (torch.tensor(v).view(3, 1, 1) for v in (self.mean, self.std))
        return F.avg_pool2d(images * std + mean, self.patch_size)


@pytest.mark.parametrize('patch', [4, 8, 14])
def test_any_pair_of_patches_sees_the_same_picture(patch):
    """Colours of 8 px tokens, a black border: the VFM finds each at its place."""
    grid = torch.rand(2, 3, 4, 6)
    grid[0, :, 3:], grid[0, :, :, 4:] = 0, 0
    images = grid.repeat_interleave(8, 2).repeat_interleave(8, 3)
    mean, std = (0.48, 0.46, 0.41), (0.27, 0.26, 0.28)
    views = [torch.tensor(v).view(3, 1, 1) for v in (mean, std)]
    found = features_on_grid(
        Colours(patch), (images - views[0]) / views[1], mean, std, (4, 6)
    )
    torch.testing.assert_close(found, grid, atol=0.06, rtol=0)
    exact = features_on_grid(
        Colours(8), (images - views[0]) / views[1], mean, std, (4, 6)
    )
    torch.testing.assert_close(exact, grid)
