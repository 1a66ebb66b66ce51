import copy

import pytest
import torch
from mmengine.logging import MMLogger
from torch import nn
from torch.nn import functional as F

from helpers import tiny_aligners as tiny
from openvocab.checkpoints.reading import CheckpointError
from openvocab.models.aligners import DeCLIPAligner
from openvocab.models.aligners.valid_tokens import valid_tokens
from openvocab.models.records import record_from_tensor
from openvocab.testing import LargestTensor

VALUE = dict(type='openvocab.ValueReadout')
COUPLED = dict(type='openvocab.CoupledContext')


def picture_shapes(batch, shapes):
    """States the size of every picture without its padding."""
    for sample, shape in zip(batch['data_samples'], shapes, strict=True):
        sample.set_metainfo(dict(img_shape=shape))
    return batch


def correlations(tokens):
    """(N, C) to the (N, N) cosines."""
    return F.cosine_similarity(tokens[:, None], tokens[None], dim=2)


def student_correlations(clip, image, letters):
    """Q and K of the last block from open_clip's own modules, heads side by side."""
    visual, seen = clip.visual, {}
    block = visual.transformer.resblocks[-1]
    handle = block.ln_1.register_forward_hook(lambda *a: seen.update(u=a[2]))
    clip.encode_image(image)
    handle.remove()
    state = block.attn.state_dict()
    width = visual.transformer.width
    found = []
    for letter in letters:
        rows = slice('qkv'.index(letter) * width, ('qkv'.index(letter) + 1) * width)
        weight, bias = state['in_proj_weight'][rows], state['in_proj_bias'][rows]
        found.append(correlations(F.linear(seen['u'], weight, bias)[0, 1:]))
    return torch.stack(found).mean(0)


@torch.no_grad()
@pytest.mark.parametrize('letters', ['q', 'k', 'qk', 'qkv'])
@pytest.mark.parametrize('size', [(40, 40), (24, 56)])
def test_context_equals_the_formula(tmp_path, letters, size):
    readout = dict(projections=letters, attn_scale=1.0)
    context_loss = dict(type='openvocab.ContextDistillLoss', loss_weight=1.0)
    model = tiny.declip(tmp_path, readout, context_loss=context_loss)
    batch = tiny.make_batch((2, 1), size)
    losses = tiny.compute_loss(model, batch)

    clip, vfm = model.backbone, model.vfm
    rows, columns = size[0] // 8, size[1] // 8
    distances = []
    for image in batch['inputs']:
        rgb = image.flip(0)[None] / 255
        mean, std = (torch.tensor(v).view(3, 1, 1) for v in (clip.mean, clip.std))
        ours = student_correlations(clip, (rgb - mean) / std, letters)
        mean, std = (torch.tensor(v).view(3, 1, 1) for v in (vfm.mean, vfm.std))
        seen = F.interpolate(
            (rgb - mean) / std, (rows * 14, columns * 14), mode='bicubic',
            antialias=True,
        )  # fmt: skip
        tokens = vfm.trunk.forward_features(seen)[0, 1:]
        gap = correlations(tokens) - ours
        distances.append(gap.square().sum(1).sqrt())
    expected = torch.cat(distances).mean()
    torch.testing.assert_close(losses['loss_context'], expected, rtol=1e-4, atol=1e-5)


def test_content_is_that_of_clipself(tmp_path):
    readout = dict(type='openvocab.SelfSelfReadout')
    clipself = tiny.clipself(
        tmp_path,
        backbone=tiny.encoder(tmp_path, 'tiny-u', trainable_blocks=-1, readout=readout),
    )
    declip = tiny.declip(tmp_path)
    declip.backbone.load_state_dict(clipself.backbone.state_dict())
    declip.teacher.load_state_dict(clipself.teacher.state_dict())
    batch = tiny.make_batch()
    expected = tiny.compute_loss(clipself, batch)['loss_distill']
    torch.testing.assert_close(
        tiny.compute_loss(declip, batch)['loss_distill'], expected
    )


def test_the_student_runs_once(tmp_path):
    model = tiny.declip(tmp_path)
    counts = {}
    block = model.backbone.visual.transformer.resblocks[-1]
    for name, module in (('first', model.backbone.visual.conv1), ('last', block.attn)):
        module = module if name == 'first' else module.out_proj
        module.register_forward_hook(
            lambda *_, name=name: counts.update({name: counts.get(name, 0) + 1})
        )
    projected = []
    project = model.backbone.readout.project
    model.backbone.readout.project = lambda *a: projected.append(1) or project(*a)
    tiny.compute_loss(model, tiny.make_batch())
    assert counts == dict(first=1, last=1) and len(projected) == 1
    with model.backbone.readout.capture() as compared:
        pass
    assert compared == []
    model.backbone(torch.randn(1, 3, 16, 16))
    assert compared == []  # nothing is kept outside the block


def test_gradients_reach_the_student_alone(tmp_path):
    model = tiny.declip(tmp_path, dict(projections='q')).train()
    losses = tiny.compute_loss(model, tiny.make_batch())
    losses['loss_context'].backward(retain_graph=True)
    attention = model.backbone.visual.transformer.resblocks[-1].attn
    assert attention.q_weight.grad.abs().sum() > 0
    assert attention.v_weight.grad is None and attention.out_proj.weight.grad is None
    losses['loss_distill'].backward()
    assert attention.v_weight.grad.abs().sum() > 0
    trainable = {n for n, p in model.named_parameters() if p.requires_grad}
    reached = {n for n, p in model.named_parameters() if p.grad is not None}
    assert reached == trainable
    assert all(name.startswith('backbone.') for name in reached)


def test_coupled_context_teaches_the_dense_map(tmp_path):
    backbone = tiny.encoder(tmp_path, 'tiny-u', trainable_blocks=-1, readout=VALUE)
    model = tiny.declip(tmp_path, backbone=backbone, context=COUPLED)
    losses = tiny.compute_loss(model, tiny.make_batch((1,), (16, 24)))
    losses['loss_context'].backward()
    assert model.backbone.visual.transformer.resblocks[-1].mlp.c_fc.weight.grad.any()
    model.criterion.loss_weight = 0.0
    image = tiny.make_batch((1,), (16, 24))['inputs'][0].flip(0)[None] / 255
    mean, std = (
        torch.tensor(v).view(3, 1, 1) for v in (model.backbone.mean, model.backbone.std)
    )
    dense = model.backbone((image - mean) / std)[-1][0].flatten(1).T
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (model.vfm.mean, model.vfm.std))
    seen = F.interpolate((image - mean) / std, (28, 42), mode='bicubic', antialias=True)
    target = correlations(model.vfm.trunk.forward_features(seen)[0, 1:])
    expected = (target - correlations(dense)).norm(dim=1).mean() * 0.25
    torch.testing.assert_close(losses['loss_context'], expected, rtol=1e-4, atol=1e-5)


def test_mask_without_padding_changes_nothing(tmp_path):
    model = tiny.declip(tmp_path)
    batch = picture_shapes(tiny.make_batch((2, 1)), [(40, 56)] * 2)
    without = tiny.compute_loss(model, batch)
    model.mask_padding = True
    masked = tiny.compute_loss(model, batch)
    assert without.keys() == masked.keys() == {'loss_distill', 'loss_context'}
    assert all(torch.equal(without[key], masked[key]) for key in masked)


def test_mask_leaves_the_padding_out(tmp_path):
    model = tiny.declip(tmp_path)
    batch = picture_shapes(tiny.make_batch((2, 1)), [(40, 56), (24, 40)])
    batch['inputs'][1][:, 24:], batch['inputs'][1][:, :, 40:] = 0, 0
    taken = []
    criterion = model.context_criterion
    criterion.register_forward_pre_hook(lambda _, args: taken.append(args[2]))
    published = tiny.compute_loss(model, batch)
    model.mask_padding = True
    masked = tiny.compute_loss(model, batch)
    assert taken[0] is None and taken[1].view(2, 5, 7)[1].sum() == 3 * 5
    assert taken[1][0].all() and taken[1].view(2, 5, 7)[1, :3, :5].all()
    assert torch.equal(published['loss_distill'], masked['loss_distill'])
    assert not torch.isclose(published['loss_context'], masked['loss_context'])


def test_a_token_is_valid_where_its_centre_is():
    grid = valid_tokens([(16, 20), (9, 8)], (16, 24), (2, 3), torch.device('cpu'))
    # centres at 4 and 12 px; 4, 12 and 20 px
    assert grid.view(2, 2, 3).tolist() == [
        [[True, True, False], [True, True, False]],
        [[True, False, False], [False, False, False]],
    ]
    full = valid_tokens([(37, 59)], (37, 59), (4, 7), torch.device('cpu'))
    assert full.shape == (1, 28) and full.all()


@pytest.mark.parametrize('counts', [(0, 0), (2, 0, 1)])
def test_images_without_regions_and_odd_sizes(tmp_path, counts):
    model = tiny.declip(tmp_path, mask_padding=True)
    batch = tiny.make_batch(counts, size=(37, 59))
    picture_shapes(batch, [(37, 59), (20, 59), (37, 9)][: len(counts)])
    losses = tiny.compute_loss(model, batch)
    assert (losses['loss_distill'].item() == 0) == (sum(counts) == 0)
    assert losses['loss_context'].item() > 0
    sum(losses.values()).backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


def test_training_lowers_both_losses_and_leaves_the_teachers(tmp_path):
    model = tiny.declip(tmp_path).train()
    frozen = [p.clone() for p in [*model.vfm.parameters(), *model.teacher.parameters()]]
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=3e-3)
    history = []
    for _ in range(15):
        losses = tiny.compute_loss(model, tiny.make_batch())
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
        history.append({key: value.item() for key, value in losses.items()})
    assert all(history[-1][key] < history[0][key] * 0.8 for key in history[0])
    after = [*model.vfm.parameters(), *model.teacher.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(after, frozen, strict=True))


def test_4096_tokens_never_stand_against_4096(tmp_path):
    """No part of a training step holds a matrix of all pairs of tokens."""
    entries = 2**21
    context_loss = dict(type='openvocab.ContextDistillLoss', chunk_entries=entries)
    model = tiny.declip(tmp_path, context_loss=context_loss).train()
    batch = tiny.make_batch((2,), size=(512, 512))
    with LargestTensor() as seen:
        losses = tiny.compute_loss(model, batch)
        sum(losses.values()).backward()
    assert model.backbone.visual.conv1.weight.shape[-1] == 512 / 64
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)
    pixels = 3 * (64 * model.vfm.patch_size) ** 2
    assert seen.entries <= max(entries, pixels) < 4096**2


def test_checkpoint_holds_the_student_only(tmp_path):
    model = tiny.declip(tmp_path)
    state = model.state_dict()
    for frozen in ('teacher.encoder', 'vfm'):
        assert state.pop(f'{frozen}.encoder_record').numel() < 1000
    assert state and all(key.startswith('backbone.') for key in state)
    tiny.declip(tmp_path).load_state_dict(model.state_dict(), strict=True)


def test_another_vfm_is_refused(tmp_path):
    state = tiny.declip(tmp_path).state_dict()
    record = record_from_tensor(state['vfm.encoder_record'])
    assert record['arch'] == 'vit_small_patch16_224.dino'
    assert len(record['checkpoint']) == 64
    other = tiny.declip(tmp_path)
    with torch.no_grad():
        other.vfm.trunk.blocks[0].mlp.fc1.weight[0, 0] += 1
    with pytest.raises(CheckpointError) as error:
        other.load_state_dict(state)
    for part in (
        'model.vfm: the checkpoint was trained with the VFM',
        record['checkpoint'][:12],
        other.vfm.record()['checkpoint'][:12],
    ):
        assert part in str(error.value)


def test_a_checkpoint_without_the_record_says_so(tmp_path, monkeypatch):
    """Written before VFMs left one: it loads, and the log names the VFM in use."""
    model = tiny.declip(tmp_path)
    state = model.state_dict()
    del state['vfm.encoder_record']
    before = copy.deepcopy(model.vfm.state_dict())
    said = []
    monkeypatch.setattr(MMLogger.get_current_instance(), 'info', said.append)
    model.load_state_dict(state, strict=True)
    assert 'model.vfm: the checkpoint does not say which VFM' in ' '.join(said)
    torch.testing.assert_close(model.vfm.state_dict(), before, rtol=0, atol=0)


def test_autocast(tmp_path):
    model = tiny.declip(tmp_path)
    full = tiny.compute_loss(model, tiny.make_batch())
    with torch.autocast('cpu', dtype=torch.bfloat16):
        half = tiny.compute_loss(model, tiny.make_batch())
    sum(half.values()).backward()
    assert all(value.dtype == torch.float32 for value in half.values())
    torch.testing.assert_close(half, full, rtol=0.1, atol=0)


class Coarse(nn.Module):
    """A VFM whose map is half as fine as its patch says."""

    patch_size, mean, std = 14, (0.5,) * 3, (0.5,) * 3

    def forward(self, images):
        return F.avg_pool2d(images, 28)


def test_vfm_of_another_grid_is_named(tmp_path):
    model = tiny.declip(tmp_path)
    model.vfm = Coarse()
    with pytest.raises(ValueError, match=r'Coarse returns 2 x 3 tokens .* has 5 x 7'):
        tiny.compute_loss(model, tiny.make_batch())


def test_student_that_compares_nothing_is_refused(tmp_path):
    backbone = tiny.encoder(tmp_path, 'tiny-u', readout=VALUE)
    with pytest.raises(ValueError, match=r'read out by openvocab\.SelfSelfReadout'):
        tiny.declip(tmp_path, backbone=backbone)
    with pytest.raises(TypeError, match='vfm'):
        DeCLIPAligner(backbone, tiny.text(tmp_path, 'tiny-u'))
