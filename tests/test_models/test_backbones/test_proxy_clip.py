"""ProxyCLIP against its formulas, with a VFM of a few lines."""

import json

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from openvocab.models.backbones import CLIPBackbone, ProxyCLIP, ProxyReadout
from openvocab.models.freezing import is_frozen
from openvocab.models.teachers import VFMTeacher

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)


class Patches(VFMTeacher):
    """Random projections of patches; remembers what it was shown."""

    def __init__(self, patch_size: int = 4) -> None:
        super().__init__(patch_size, MEAN, STD)
        self.net = torch.nn.Conv2d(3, 6, patch_size, patch_size)
        self.seen = None

    def encode(self, images):
        self.seen = images
        return self.net(images)


def reference(model, plain, images, features, shift=1.2, scale=3.0):
    """One image: a matrix of similarities, values resized, projected."""
    (tokens,), grid = plain.tower.first_blocks(images, [2])
    view = plain.tower.view(-1, grid)
    _, channels, rows, columns = features.shape
    unit = F.normalize(features, dim=1).reshape(channels, rows * columns)
    logits = torch.zeros(rows * columns, rows * columns)
    for i in range(rows * columns):
        for j in range(rows * columns):
            logits[i, j] = unit[:, i] @ unit[:, j]
    logits = scale * (logits - shift * logits.mean())
    logits[logits < 0] = -torch.inf
    values = view.values(tokens)[0, :, 1:]  # without the class token
    heads = []
    for value in values:
        value = value.T.reshape(1, -1, *grid)
        value = F.interpolate(value, (rows, columns), mode='bilinear')
        heads.append(logits.softmax(-1) @ value[0].flatten(1).T)
    dense = plain.tower.project(view.merge(torch.stack(heads)[None]))
    return dense[0].T.reshape(-1, rows, columns)


@torch.no_grad()
@pytest.mark.parametrize('name', ['vit', 'eva'])
@pytest.mark.parametrize('size', [(32, 32), (24, 40)])
def test_equals_its_formula(name, size, request, make_checkpoint):
    arch = request.getfixturevalue(name)
    checkpoint = make_checkpoint(arch)
    model = ProxyCLIP(arch, checkpoint, Patches(4))
    plain = CLIPBackbone(arch, checkpoint)
    images = torch.randn(2, 3, *size)
    (dense,) = model(images)
    assert dense.shape == (2, 16, size[0] // 4, size[1] // 4)
    assert model.strides == (4,)
    mean, std = torch.tensor(model.mean), torch.tensor(model.std)
    pixels = images * std.view(3, 1, 1) + mean.view(3, 1, 1)
    expected = (pixels - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(
        3, 1, 1
    )
    torch.testing.assert_close(model.vfm.seen, expected)
    for image, shown, found in zip(images, expected, dense, strict=True):
        features = model.vfm.net(shown[None])
        one = reference(model, plain, image[None], features)
        torch.testing.assert_close(found, one, rtol=0, atol=1e-5)


@torch.no_grad()
def test_settings_reach_the_formula(vit, make_checkpoint):
    checkpoint = make_checkpoint(vit)
    readout = dict(type='openvocab.ProxyReadout', shift=0.8, scale=9.0)
    model = ProxyCLIP(vit, checkpoint, Patches(16), readout)
    images = torch.randn(1, 3, 32, 48)
    (dense,) = model(images)
    features = model.vfm.net(model.vfm.seen)
    plain = CLIPBackbone(vit, checkpoint)
    expected = reference(model, plain, images, features, 0.8, 9.0)
    torch.testing.assert_close(dense[0], expected, rtol=0, atol=1e-5)
    assert model.record()['readout']['shift'] == 0.8


@torch.no_grad()
@pytest.mark.parametrize(
    ('long_side', 'grid'), [(None, (3, 6)), (70, (7, 14)), (11, (1, 2)), (3, (1, 1))]
)
def test_any_size_of_what_the_vfm_is_shown(vit, long_side, grid):
    model = ProxyCLIP(vit, vfm=Patches(5), vfm_long_side=long_side)
    (dense,) = model(torch.randn(1, 3, 16, 32))
    assert dense.shape[-2:] == grid
    assert model.vfm.seen.shape[-2:] == (grid[0] * 5, grid[1] * 5)
    assert dense.isfinite().all()


@torch.no_grad()
def test_places_that_resemble_nothing_keep_their_value(vit):
    model = ProxyCLIP(vit, vfm=Patches(8))
    model.vfm.net.weight.zero_()  # all places are equal: less than shift times the mean
    images = torch.randn(1, 3, 32, 40)
    (tokens,), grid = model.tower.first_blocks(images, [2])
    view = model.tower.view(-1, grid)
    expected = model.tower.project(view.merge(view.values(tokens)))[:, 1:]
    torch.testing.assert_close(model(images)[-1].flatten(2).mT, expected)


def test_the_record_names_the_vfm_and_its_weights(vit, make_checkpoint):
    checkpoint, records = make_checkpoint(vit), []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        records.append(ProxyCLIP(vit, checkpoint, Patches()).record())
    assert records[0] == records[1] != records[2]
    assert records[0]['readout']['vfm'].startswith('Patches:')
    assert json.loads(json.dumps(records[0])) == records[0]


def test_it_is_frozen_and_moves_as_a_whole(vit):
    model = ProxyCLIP(vit, vfm=Patches()).train()
    assert is_frozen(model.vfm) and not model.vfm.training
    assert not any(p.requires_grad for p in model.parameters())
    assert any(name.startswith('vfm.') for name, _ in model.named_parameters())
    model.to('meta')
    assert {p.device.type for p in model.parameters()} == {'meta'}


def test_checkpoints_name_both_and_load_strictly(vit, make_checkpoint):
    """A VFM leaves its own record beside that of the CLIP."""
    checkpoint = make_checkpoint(vit)
    vfm = dict(
        type='openvocab.TimmViT', arch='vit_small_patch16_224.dino', img_size=32,
        patch_size=8, embed_dim=16, depth=1, num_heads=2,
    )  # fmt: skip

    def build(seed):
        torch.manual_seed(seed)
        return nn.ModuleDict(dict(backbone=ProxyCLIP(vit, checkpoint, vfm)))

    state = build(1).state_dict()
    assert set(state) == {'backbone.encoder_record', 'backbone.vfm.encoder_record'}
    build(1).load_state_dict(dict(state), strict=True)
    with pytest.raises(ValueError, match=r'model\.backbone\.vfm: .* with the VFM'):
        build(2).load_state_dict(dict(state))


def test_wrong_combinations_are_named(vit, resnet):
    with pytest.raises(TypeError, match='not by a ValueReadout'):
        ProxyCLIP(vit, readout=dict(type='openvocab.ValueReadout'), vfm=Patches())
    with pytest.raises(ValueError, match='does not exist for the resnet family'):
        ProxyCLIP(resnet, vfm=Patches())
    backbone = CLIPBackbone(vit, readout=ProxyReadout())
    with pytest.raises(TypeError, match=r"type='openvocab\.ProxyCLIP', vfm"):
        backbone(torch.randn(1, 3, 32, 32))
