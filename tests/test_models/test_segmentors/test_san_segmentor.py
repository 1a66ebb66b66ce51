"""SAN around tiny CLIPs with random weights: a ViT and an EVA."""

import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from helpers.tiny_clip import TEXT, VISION, write_arch
from openvocab.models.backbones import CLIPBackbone
from openvocab.models.segmentors import SANSegmentor
from openvocab.registry import MODELS
from openvocab.testing.segmentation import random_segmentation_batch

NAMES = ['sky', 'grass', 'red circle', 'sand', 'blue star']
SIDE = dict(
    width=24, depth=3, num_heads=2, patch_size=8, grid=(6, 6), num_queries=7,
    fuse_after=(0, 1, 2), decoder_width=16,
)  # fmt: skip
HEAD = dict(
    type='openvocab.SANHead',
    side=SIDE,
    levels=(0, 1, 2),
    aux_blocks=(2,),
    loss=dict(type='openvocab.MaskSetLoss', num_points=64),
)


@pytest.fixture(params=['vit', 'eva'])
def arch(request, tmp_path) -> str:
    text = dict(TEXT, context_length=16, vocab_size=49408)
    path = tmp_path / f'{request.param}.json'
    return write_arch(path, VISION[request.param], text)


@pytest.fixture
def make(arch):
    def make(vocabulary=NAMES, head=None, **changes) -> SANSegmentor:
        torch.manual_seed(1)
        settings = dict(
            backbone=dict(type='openvocab.CLIPBackbone', arch=arch),
            text_bank=dict(
                type='openvocab.TextBank', vocabulary=vocabulary, prompts='single'
            ),
            decode_head={**HEAD, **(head or {})},
            size_divisor=8,
        )
        model = SANSegmentor(**{**settings, **changes})
        torch.manual_seed(2)
        with torch.no_grad():  # nothing at its trivial initial value
            for parameter in model.decode_head.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.1)
            side = model.decode_head.side  # queries that see, and find, several things
            side.query_embed.mul_(20)
            side.mask_decoder.bias_scaling.weight.fill_(10)
        model.text_bank.rows = spread_rows(model, len(model.text_bank))
        return model.eval()

    return make


def propose(model: SANSegmentor, images, with_aux: bool = False):
    return model.propose(images, model.text_bank.rows, with_aux)


@torch.no_grad()
def spread_rows(model: SANSegmentor, count: int) -> torch.Tensor:
    """Rows that tell the queries apart, so that label maps have several classes."""
    found, project = [], model.backbone.tower.project
    model.backbone.tower.project = lambda x: found.append(project(x)) or found[-1]
    propose(model, tensor_batch((40, 48), count=1))
    model.backbone.tower.project = project
    mean = F.normalize(found[0][0].mean(0), dim=0)
    spread = found[0][0] - found[0][0] @ mean[:, None] * mean
    rows = torch.cat([spread, torch.randn(max(count - len(spread), 0), 16)])[:count]
    return F.normalize(rows, dim=1)


def tensor_batch(size, count=2) -> torch.Tensor:
    torch.manual_seed(3)
    return torch.randn(count, 3, *size)


@torch.no_grad()
@pytest.mark.parametrize('size', [(48, 48), (40, 72)])
def test_equals_the_parts_put_together_by_hand(make, size):
    """Levels, pooling of the bias, cosines: against the modules one by one."""
    model, images = make(), tensor_batch(size)
    head, tower = model.decode_head, model.backbone.tower
    (found,) = propose(model, images)

    smaller = model.encoder_images(images)
    assert smaller.shape[-2:] == tuple(side // 2 // 8 * 8 for side in size)
    grid = tuple(side // 8 for side in smaller.shape[-2:])
    tokens, levels = tower.embed(smaller, head.position_offset)[0], []
    for index in range(3):
        levels.append(tokens[:, 1:])
        if index < 2:
            tokens = tower.view(index, grid).forward(tokens)
    (output,) = head.side(images, levels, grid, [3])
    bias = torch.stack([F.adaptive_max_pool2d(b, grid) for b in output.bias]).flatten(3)
    found_by_hand = F.normalize(tower.embed_copies(tokens, grid, 2, bias), dim=-1)
    rows = torch.cat([model.text_bank.rows, F.normalize(head.background, dim=-1)])
    scores = model.backbone.logit_scale * found_by_hand @ rows.T

    torch.testing.assert_close(found.masks, output.masks)
    torch.testing.assert_close(found.scores, scores, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_masks_know_no_vocabulary(make):
    model, images = make(), tensor_batch((40, 48))
    (few,) = propose(model, images)
    model.text_bank.rows = torch.cat([model.text_bank.rows, torch.eye(16)[:1]])
    (more,) = propose(model, images)
    assert torch.equal(few.masks, more.masks)
    classes = len(NAMES)
    torch.testing.assert_close(more.scores[..., :classes], few.scores[..., :classes])
    torch.testing.assert_close(more.scores[..., -1], few.scores[..., -1])


@torch.no_grad()
def test_a_permuted_vocabulary_permutes_the_logits(make):
    model, images = make(), tensor_batch((40, 48))
    order = torch.randperm(len(NAMES))
    (before,) = propose(model, images)
    labels = model.predict(images)
    model.text_bank.rows = model.text_bank.rows[order]
    (after,) = propose(model, images)
    torch.testing.assert_close(after.scores[..., :-1], before.scores[..., order])
    labels, others = (
        torch.stack([sample.pred_sem_seg.data for sample in found])
        for found in (labels, model.predict(images))
    )
    assert len(labels.unique()) > 1
    assert torch.equal(order[others], labels)


@torch.no_grad()
@pytest.mark.parametrize('classes', [1, 847])
def test_any_number_of_classes(make, classes):
    model = make([f'thing {i}' for i in range(classes)])
    assert len(model.dataset_meta['classes']) == classes
    (found,) = propose(model, tensor_batch((40, 48)))
    assert found.scores.shape == (2, 7, classes + 1)
    (sample, _) = model.predict(tensor_batch((40, 48)))
    assert sample.pred_sem_seg.data.shape == (1, 40, 48)
    assert sample.pred_sem_seg.data.max() < classes


@torch.no_grad()
def test_the_vocabulary_can_be_exchanged(make):
    model = make()
    model.set_vocabulary(['road', 'snow'])
    assert model.dataset_meta['classes'] == ('road', 'snow')
    assert model.encode_decode(tensor_batch((40, 48))).shape == (2, 2, 5, 6)


@torch.no_grad()
@pytest.mark.parametrize('size', [(90, 70), (20, 31)])
def test_label_map_by_hand(make, size):
    """Pad, resize masks, crop, resize, activate, sum over queries, arg-max."""
    model = make()
    image = tensor_batch((37, 50), count=1)
    sample = SegDataSample(metainfo=dict(ori_shape=size))
    (found,) = propose(model, F.pad(image, (0, 6, 0, 3)))
    masks = F.interpolate(found.masks, (40, 56), mode='bilinear')[..., :37, :50]
    masks = F.interpolate(masks, size, mode='bilinear').sigmoid()
    classes = found.scores.softmax(-1)[..., :-1]
    scores = torch.einsum('bqk,bqhw->bkhw', classes, masks)

    (sample,) = model.predict(image, [sample])
    (ours,) = model.class_scores(list(image))
    torch.testing.assert_close(ours.at(slice(None), size), scores[0])
    assert torch.equal(sample.pred_sem_seg.data, scores.argmax(1))
    for tile in (1, 5000):
        label_map = ours.label_map(size, tile)
        assert torch.equal(label_map.labels, scores.argmax(1)[0])


@torch.no_grad()
def test_a_batch_of_several_sizes_equals_single_images(make):
    model = make()
    sizes = [(40, 64), (56, 30), (40, 64), (9, 17)]
    inputs, samples = random_segmentation_batch(sizes=sizes)
    together = model.test_step(dict(inputs=inputs, data_samples=samples))
    seen = set()
    for i, size in enumerate(sizes):
        image, sample = random_segmentation_batch(sizes=sizes)
        batch = dict(inputs=[image[i]], data_samples=[sample[i]])
        alone = model.test_step(batch)[0].pred_sem_seg.data
        assert alone.shape == (1, *size)
        assert torch.equal(together[i].pred_sem_seg.data, alone)
        seen |= set(alone.unique().tolist())
    assert len(seen) > 1


def test_gradient_reaches_the_head_and_nothing_else(make):
    model = make().train()
    inputs, samples = random_segmentation_batch(size=(40, 48), classes=5)
    batch = model.data_preprocessor(dict(inputs=inputs, data_samples=samples), True)
    losses = model(**batch, mode='loss')
    names = ('loss_cls', 'loss_mask', 'loss_dice')
    assert set(losses) == {*names, *(f'aux2.{name}' for name in names)}
    model.parse_losses(losses)[0].backward()
    for name, parameter in model.named_parameters():
        if name.startswith('decode_head.'):
            assert parameter.grad.abs().sum() > 0, name
        else:
            assert not parameter.requires_grad and parameter.grad is None, name
    # the classes alone teach where to look, through the frozen blocks
    model.zero_grad()
    model.loss(**batch)['loss_cls'].backward()
    assert model.decode_head.side.mask_decoder.attn_mlp.layers[0].weight.grad.any()


def test_frozen_positions_keep_the_first_blocks_out_of_the_graph(make):
    model = make(head=dict(train_positions=False)).train()
    assert model.decode_head.position_offset is None
    levels, _ = model.backbone.tower.first_blocks(tensor_batch((24, 24)), (2,))
    assert not levels[0].requires_grad
    inputs, samples = random_segmentation_batch(size=(40, 48), classes=5)
    batch = model.data_preprocessor(dict(inputs=inputs, data_samples=samples), True)
    model.parse_losses(model.loss(**batch))[0].backward()
    assert all(p.grad is not None for p in model.decode_head.parameters())


def test_the_encoder_is_in_no_checkpoint_but_what_positions_learned_is(make):
    model = make()
    names = [key for key in model.state_dict() if 'encoder_record' not in key]
    assert all(name.startswith('decode_head.') for name in names)
    assert 'decode_head.position_offset' in names
    other = make()
    with torch.no_grad():
        for parameter in model.decode_head.parameters():
            parameter.add_(0.1)
        other.load_state_dict(model.state_dict())
        other.text_bank.rows = model.text_bank.rows
        images = tensor_batch((40, 48))
        ours, theirs = (propose(m, images)[0].scores for m in (model, other))
    assert torch.equal(ours, theirs)


def test_all_outputs_are_named_in_one_pass_and_only_the_last_at_test(make):
    model = make()
    images, tower, asked = tensor_batch((40, 48)), model.backbone.tower, []
    run = tower.embed_copies
    tower.embed_copies = lambda *args: asked.append(args[-1].shape) or run(*args)
    aux, last = propose(model, images, with_aux=True)
    (alone,) = propose(model, images)
    assert [shape[2] for shape in asked] == [2 * 7, 7]
    torch.testing.assert_close(last.scores, alone.scores, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(aux.scores, last.scores, atol=1e-2)


def test_trains_in_bfloat16(make):
    model = make().train()
    inputs, samples = random_segmentation_batch(size=(40, 48), classes=5)
    batch = model.data_preprocessor(dict(inputs=inputs, data_samples=samples), True)
    totals = []
    for half in (False, True):
        torch.manual_seed(5)
        with torch.autocast('cpu', torch.bfloat16, enabled=half):
            losses = model(**batch, mode='loss')
        totals.append(model.parse_losses(losses)[0])
    totals[1].backward()
    assert all(p.grad.isfinite().all() for p in model.decode_head.parameters())
    torch.testing.assert_close(*totals, atol=0, rtol=0.05)


def test_an_image_without_a_label(make):
    model = make().train()
    inputs, samples = random_segmentation_batch(size=(40, 48), ignored=1.0)
    batch = model.data_preprocessor(dict(inputs=inputs, data_samples=samples), True)
    losses = model.loss(**batch)
    model.parse_losses(losses)[0].backward()
    assert losses['loss_cls'] > 0 and losses['loss_mask'] == 0
    assert all(p.grad.isfinite().all() for p in model.decode_head.parameters())


def test_labels_outside_the_vocabulary_are_refused(make):
    model = make().train()
    inputs, samples = random_segmentation_batch(size=(40, 48), classes=9)
    batch = model.data_preprocessor(dict(inputs=inputs, data_samples=samples), True)
    with pytest.raises(
        ValueError, match=r'label \d is neither a class .* \(5 classes\)'
    ):
        model.loss(**batch)


def test_novel_classes_are_held_out(make):
    """Neither their pixels nor their rows have a part in the loss."""
    splits = ('base', 'novel', 'seen', 'unseen', None)
    classes = [dict(name=n, split=s) for n, s in zip(NAMES, splits, strict=True)]
    model = make(dict(classes=classes)).train()
    labels = torch.randint(5, (1, 40, 48))
    losses = []
    for rows, novel in ((model.text_bank.rows, 1), (torch.randn(5, 16), 3)):
        rows[[0, 2, 4]] = model.text_bank.rows[[0, 2, 4]]
        model.text_bank.rows = rows
        gt = torch.where((labels == 1) | (labels == 3), novel, labels)
        sample = SegDataSample(gt_sem_seg=PixelData(data=gt))
        torch.manual_seed(4)
        losses.append(model.loss(tensor_batch((40, 48), 1), [sample]))
    for name, value in losses[0].items():
        torch.testing.assert_close(value, losses[1][name])


@pytest.mark.parametrize('kind', ['resnet', 'convnext', 'average pooling'])
def test_encoders_without_a_class_token_are_refused(kind, tmp_path):
    vision = VISION.get(kind, dict(VISION['vit'], pool_type='avg'))
    arch = write_arch(tmp_path / 'arch.json', vision)
    with pytest.raises(ValueError, match=r'SAN cannot use .*class token'):
        MODELS.build(dict(HEAD, encoder=CLIPBackbone(arch)))


def test_wrong_sizes_are_refused(make):
    with pytest.raises(ValueError, match='levels <= split < 3'):
        make(head=dict(split=3))
    with pytest.raises(ValueError, match='levels <= split < 3'):
        make(head=dict(levels=(0, 1, 2), split=1))
    with pytest.raises(ValueError, match='size_divisor=12 is no multiple'):
        make(size_divisor=12)
