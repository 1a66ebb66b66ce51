import pytest
import torch

from openvocab.models.losses.ov_bce_loss import HELD_OUT, IGNORED
from openvocab.models.segmentors import OVSegmentor, SlideAndGlobalInference
from openvocab.registry import MODELS
from openvocab.testing import random_segmentation_batch

SLIDE = dict(type='openvocab.SlideAndGlobalInference', canvas=80, crop=48, stride=32)
EIGHT = ['sky', 'grass', 'sand', 'water', 'snow', 'road', 'gravel', 'red circle']


def predict(model, sizes, ori_shapes=None):
    inputs, samples = random_segmentation_batch(sizes=sizes, ori_shapes=ori_shapes)
    batch = model.data_preprocessor(dict(inputs=inputs, data_samples=samples))
    return [sample.pred_sem_seg.data for sample in model(**batch, mode='predict')]


def test_config_wires_the_encoder(make_segmentor):
    model = make_segmentor()
    assert isinstance(model, OVSegmentor)
    assert model.decode_head.in_channels == model.backbone.channels
    assert model.decode_head.strides == model.backbone.strides == (8,)
    mean = torch.tensor(model.backbone.mean) * 255
    torch.testing.assert_close(model.data_preprocessor.mean.flatten(), mean)
    assert model.dataset_meta['classes'] == ('sky', 'grass', 'red circle')
    assert MODELS.get('openvocab.OVSegmentor') is OVSegmentor


def test_three_modes(make_segmentor):
    model = make_segmentor()
    inputs, samples = random_segmentation_batch(images=2, size=(64, 96), classes=3)
    batch = model.data_preprocessor(dict(inputs=inputs, data_samples=samples), True)
    assert model(**batch, mode='tensor').shape == (2, 3, 8, 12)
    losses = model(**batch, mode='loss')
    losses['loss'].backward()
    assert model.decode_head.scale.grad is not None
    found = model(**batch, mode='predict')
    for sample in found:
        labels = sample.pred_sem_seg.data
        assert labels.shape == (1, 64, 96) and labels.dtype == torch.int64
    alone = model(batch['inputs'], mode='predict')
    assert torch.equal(alone[0].pred_sem_seg.data, found[0].pred_sem_seg.data)


@pytest.mark.parametrize('inference', [dict(type='openvocab.WholeInference'), SLIDE])
def test_a_batch_of_several_sizes_equals_one_by_one(make_segmentor, inference):
    model = make_segmentor(EIGHT, inference=inference)
    sizes, shapes = [(64, 96), (80, 48), (64, 96)], [(50, 70), (33, 20), (128, 200)]
    together = predict(model, sizes, shapes)
    inputs, samples = random_segmentation_batch(sizes=sizes, ori_shapes=shapes)
    for labels, image, sample in zip(together, inputs, samples, strict=True):
        batch = dict(inputs=[image], data_samples=[sample])
        (alone,) = model.test_step(batch)
        assert labels.shape == (1, *sample.ori_shape)
        assert torch.equal(alone.pred_sem_seg.data, labels)
        assert len(labels.unique()) > 1


@pytest.mark.parametrize('inference', [dict(type='openvocab.WholeInference'), SLIDE])
def test_permuting_the_vocabulary_permutes_the_labels(make_segmentor, inference):
    model = make_segmentor(EIGHT, inference=inference)
    (before,) = predict(model, [(64, 96)])
    order = [3, 1, 7, 0, 2, 6, 5, 4]
    model.set_vocabulary([EIGHT[i] for i in order])
    (after,) = predict(model, [(64, 96)])
    assert torch.equal(torch.tensor(order)[after], before)


@pytest.mark.parametrize('count', [1, 19, 150, 847])
def test_any_number_of_classes(make_segmentor, count):
    model = make_segmentor([f'class {i}' for i in range(count)])
    (labels,) = predict(model, [(64, 64)])
    assert labels.min() >= 0 and labels.max() < count
    assert count < 847 or labels.max() > 255


def test_flipped_images_are_flipped_back(make_segmentor):
    model = make_segmentor(EIGHT)
    inputs, samples = random_segmentation_batch(images=1, size=(48, 64))
    (plain,) = model.test_step(dict(inputs=inputs, data_samples=samples))
    before = plain.pred_sem_seg.data
    for direction in ('horizontal', 'vertical'):
        samples[0].set_metainfo(dict(flip=True, flip_direction=direction))
        (found,) = model.test_step(dict(inputs=inputs, data_samples=samples))
        axis = dict(horizontal=-1, vertical=-2)[direction]
        assert torch.equal(found.pred_sem_seg.data, before.flip(axis))


def test_prob_thd_needs_a_background(make_segmentor):
    model = make_segmentor(['sky', 'background', 'grass'], prob_thd=2.0)
    (labels,) = predict(model, [(64, 64)])
    assert (labels == 1).all()
    with pytest.raises(ValueError, match="needs a class 'background', which"):
        model.set_vocabulary(['sky', 'grass'])
    assert model.dataset_meta['classes'][1] == 'background'
    assert len(model.text_bank.vocabulary) == 3
    with pytest.raises(ValueError, match='set prob_thd=None'):
        make_segmentor(['sky', 'grass'], prob_thd=0.1)
    model = make_segmentor(['sky', 'background', 'grass'], prob_thd=0.0)
    assert (predict(model, [(64, 64)])[0] != 1).any()


def test_encoder_scale_changes_the_grid(make_segmentor):
    images = torch.randn(1, 3, 64, 96)
    for scale, grid in ((0.5, (4, 6)), (1.0, (8, 12)), (2.0, (16, 24))):
        model = make_segmentor(encoder_scale=scale)
        assert model(images).shape[-2:] == grid
    assert model(torch.randn(1, 3, 61, 50)).shape[-2:] == (15, 12)


def test_what_the_encoder_is_shown_in_the_public_code(make_segmentor):
    images = torch.randn(1, 3, 64, 96)
    shown = torch.nn.functional.interpolate(images, scale_factor=0.5, mode='bilinear')
    model = make_segmentor(encoder_scale=0.5, encoder_antialias=False)
    torch.testing.assert_close(model.encoder_images(images), shown)
    smooth = make_segmentor(encoder_scale=0.5).encoder_images(images)
    assert smooth.std() < 0.9 * shown.std()


def test_wrong_width_is_named(make_segmentor):
    bank = dict(
        type='openvocab.TextBank', vocabulary=['a'], encoder=dict(arch='ov-shapes-p')
    )
    with pytest.raises(ValueError, match='rows of width 128, its image encoder 96'):
        make_segmentor(text_bank=bank)


@pytest.mark.parametrize('count, ignored', [(3, 255), (256, 65535)])
def test_padding_is_ignored(make_segmentor, count, ignored):
    classes = [f'class {i}' for i in range(count)]
    model = make_segmentor(classes, data_preprocessor=dict(size=(64, 64)))
    assert model.data_preprocessor.size == (64, 64)
    inputs, samples = random_segmentation_batch(
        images=1, size=(40, 64), classes=count, ignore_index=ignored
    )
    batch = dict(inputs=inputs, data_samples=samples)
    out = model.data_preprocessor(batch, True)
    assert out['inputs'].shape == (1, 3, 64, 64)
    assert (out['data_samples'][0].gt_sem_seg.data[:, 40:] == ignored).all()
    before = model(**out, mode='loss')['loss']
    out['data_samples'][0].gt_sem_seg.data[:, 40:] = 0
    assert not torch.isclose(model(**out, mode='loss')['loss'], before)


def test_novel_classes_are_held_out_of_training(make_segmentor):
    splits = ['base', 'novel', 'seen', 'unseen']
    classes = [dict(name=f'class {i}', split=s) for i, s in enumerate(splits)]
    model = make_segmentor(classes)
    seen = {}
    model.decode_head.loss = lambda features, text, labels: seen.update(
        text=text, labels=labels
    )
    inputs, samples = random_segmentation_batch(images=1, classes=4)
    batch = model.data_preprocessor(dict(inputs=inputs, data_samples=samples), True)
    model(**batch, mode='loss')
    assert torch.equal(seen['text'], model.text_bank()[[0, 2]])
    given = samples[0].gt_sem_seg.data
    expectations = {0: 0, 1: HELD_OUT, 2: 1, 3: HELD_OUT, 255: IGNORED}
    for label, expected in expectations.items():
        assert (given == label).any()
        assert (seen['labels'][given == label] == expected).all()
    assert model(torch.randn(1, 3, 32, 32)).shape[1] == 4
    model.set_vocabulary(classes[1::2])
    with pytest.raises(ValueError, match='only novel or unseen classes'):
        model(**batch, mode='loss')


def test_a_label_outside_the_vocabulary_is_named(make_segmentor):
    model = make_segmentor()
    inputs, samples = random_segmentation_batch(images=1, classes=3)
    samples[0].gt_sem_seg.data[0, 5, 5] = 3
    batch = model.data_preprocessor(dict(inputs=inputs, data_samples=samples), True)
    with pytest.raises(ValueError, match=r"label 3 is neither .* 'custom' \(3 classes"):
        model(**batch, mode='loss')


def test_images_of_several_sizes_need_samples(make_segmentor):
    inputs, _ = random_segmentation_batch(sizes=[(32, 32), (40, 32)])
    with pytest.raises(ValueError, match='give them one by one'):
        make_segmentor().test_step(dict(inputs=inputs))


def test_settings_of_windows_are_checked():
    with pytest.raises(ValueError, match='windows would leave pixels out'):
        SlideAndGlobalInference(crop=64, stride=65)
    with pytest.raises(ValueError, match=r'global_weight=1\.5'):
        SlideAndGlobalInference(global_weight=1.5)
    with pytest.raises(ValueError, match='batch_size must be at least 1'):
        SlideAndGlobalInference(batch_size=0)


@pytest.mark.parametrize('inference', [dict(type='openvocab.WholeInference'), SLIDE])
def test_scores_are_those_of_the_labels(make_segmentor, inference):
    model = make_segmentor(EIGHT, inference=inference)
    inputs, samples = random_segmentation_batch(images=1, size=(48, 64))
    (sample,) = model.test_step(dict(inputs=inputs, data_samples=samples))
    batch = model.data_preprocessor(dict(inputs=inputs, data_samples=samples))
    with torch.no_grad():
        (scores,) = model.class_scores(list(batch['inputs']))
    every = scores.at(slice(0, 8), (48, 64))
    labels, best = sample.pred_sem_seg.data, sample.seg_scores.data
    assert best.shape == labels.shape == (1, 48, 64)
    torch.testing.assert_close(best[0], every.max(dim=0).values)
    torch.testing.assert_close(best, every.gather(0, labels))


def test_scores_are_flipped_with_the_labels(make_segmentor):
    model = make_segmentor(EIGHT)
    inputs, samples = random_segmentation_batch(images=1, size=(48, 64))
    (plain,) = model.test_step(dict(inputs=inputs, data_samples=samples))
    before = plain.seg_scores.data.clone()
    samples[0].set_metainfo(dict(flip=True, flip_direction='horizontal'))
    (flipped,) = model.test_step(dict(inputs=inputs, data_samples=samples))
    assert torch.equal(flipped.seg_scores.data, before.flip(-1))


def test_classes_for_a_block(make_segmentor):
    model = make_segmentor(EIGHT)
    (before,) = predict(model, [(64, 96)])
    with pytest.raises(RuntimeError, match='inside'), model.using_vocabulary(['dog']):
        assert model.dataset_meta['classes'] == ('dog',)
        (inside,) = predict(model, [(64, 96)])
        assert (inside == 0).all()
        raise RuntimeError('inside')
    assert model.dataset_meta['classes'] == tuple(EIGHT)
    (after,) = predict(model, [(64, 96)])
    assert torch.equal(after, before)
