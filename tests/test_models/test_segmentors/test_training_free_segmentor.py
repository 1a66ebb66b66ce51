"""Segmentation without training against the published protocol, written out plainly."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from openvocab.datasets.ov_shapes.scene import draw_scene
from openvocab.datasets.ov_shapes.world import World
from openvocab.models.segmentors import TrainingFreeSegmentor
from openvocab.registry import MODELS
from openvocab.testing import random_segmentation_batch

WORDS = dict(name='background', synonyms=['sand', 'water', 'snow'])
CLASSES = [
    WORDS,
    dict(name='sky', synonyms=['sky', 'cloud']),
    'grass',
    'red circle',
    dict(name='road', synonyms=['road', 'gravel', 'street']),
]
CLASS_OF = [0, 0, 0, 1, 1, 2, 3, 4, 4, 4]
SLIDE = dict(
    type='openvocab.SlideAndGlobalInference',
    canvas=None,
    crop=48,
    stride=24,
    global_weight=0,
)


@pytest.fixture
def make_model():
    """Build a segmentor; keyword arguments replace its own."""

    def make(vocabulary=CLASSES, all_synonyms=True, **changes):
        settings = dict(
            backbone=dict(
                type='openvocab.CLIPBackbone',
                arch='ov-shapes-u',
                checkpoint='openvocab://ov-shapes-u',
                readout=dict(type='openvocab.ClearCLIPReadout'),
            ),
            text_bank=dict(
                type='openvocab.TextBank',
                vocabulary=vocabulary,
                all_synonyms=all_synonyms,
            ),
            inference=SLIDE,
        )
        return TrainingFreeSegmentor(**{**settings, **changes}).eval()

    return make


def scenes(sizes, ori_shapes=None):
    """Images that the tiny CLIP knows, cut to sizes, with their data samples."""
    _, samples = random_segmentation_batch(sizes=sizes, ori_shapes=ori_shapes)
    inputs = []
    for number, (height, width) in enumerate(sizes):
        image = draw_scene(np.random.default_rng(number), World()).image
        inputs.append(torch.from_numpy(image[:height, :width].copy()).permute(2, 0, 1))
    return inputs, samples


def batch_of(model, sizes, ori_shapes=None):
    inputs, samples = scenes(sizes, ori_shapes)
    return model.data_preprocessor(dict(inputs=inputs, data_samples=samples))


def labels_of(model, batch):
    return [s.pred_sem_seg.data[0] for s in model(**batch, mode='predict')]


def protocol(model, image, size, scale, prob_thd=None, area_thd=None):
    """One image, square windows, all queries at full size."""
    height, width = image.shape[-2:]
    total, count = torch.zeros(len(CLASS_OF), height, width), torch.zeros(height, width)
    for row in range(max(height - 48 + 23, 0) // 24 + 1):
        for column in range(max(width - 48 + 23, 0) // 24 + 1):
            bottom, right = min(row * 24 + 48, height), min(column * 24 + 48, width)
            top, left = max(bottom - 48, 0), max(right - 48, 0)
            view = image[None, :, top:bottom, left:right]
            tokens = F.normalize(model.backbone(view)[-1][0], dim=0)
            cosines = torch.einsum('dhw,qd->qhw', tokens, model.text_bank.rows)
            cosines = resize(cosines, view.shape[-2:])
            total[:, top:bottom, left:right] += cosines
            count[top:bottom, left:right] += 1
    probabilities = (scale * resize(total / count, size)).softmax(0)
    classes = [
        torch.stack([p for p, c in zip(probabilities, CLASS_OF, strict=True) if c == k])
        for k in range(5)
    ]
    scores = torch.stack([queries.amax(0) for queries in classes])
    if area_thd is not None:
        labels = scores.argmax(0)
        area = torch.stack([(labels == k).sum() for k in range(1, 5)])
        scores[1:] *= (area > area_thd * area.sum())[:, None, None]
    best, labels = scores.max(0)
    if prob_thd is not None:
        labels[best < prob_thd] = 0
    return labels, best


def resize(maps, size):
    return F.interpolate(maps[None], size, mode='bilinear', align_corners=False)[0]


@torch.no_grad()
@pytest.mark.parametrize(
    ('scale', 'prob_thd', 'area_thd'),
    [
        (40.0, None, None),
        (25.0, 0.3, None),
        (300.0, 0.9, None),
        (40.0, None, 0.3),
        (25.0, 0.25, 0.2),
        (25.0, None, 1.0),
    ],
)
def test_equals_the_published_protocol(make_model, scale, prob_thd, area_thd):
    model = make_model(logit_scale=scale, prob_thd=prob_thd, area_thd=area_thd)
    sizes, shapes = [(64, 96), (48, 48), (72, 40)], [(50, 70), (48, 48), (101, 60)]
    batch = batch_of(model, sizes, shapes)
    images = [
        image[:, :height, :width]
        for image, (height, width) in zip(batch['inputs'], sizes, strict=True)
    ]
    seen = set()
    for found, image, size in zip(labels_of(model, batch), images, shapes, strict=True):
        expected, best = protocol(model, image, size, scale, prob_thd, area_thd)
        unsure = torch.zeros(size, dtype=torch.bool)
        if prob_thd is not None:
            unsure = (best - prob_thd).abs() < 1e-5
        assert torch.equal(found[~unsure], expected[~unsure])
        seen |= set(expected.unique().tolist())
    assert len(seen) > 1 or area_thd == 1.0


@torch.no_grad()
def test_thresholds_change_labels(make_model):
    batch = batch_of(make_model(), [(96, 96)])
    plain = labels_of(make_model(), batch)[0]
    for changes in (dict(prob_thd=0.3, logit_scale=25.0), dict(area_thd=0.3)):
        changed = labels_of(make_model(**changes), batch)[0]
        assert not torch.equal(plain, changed)
        if 'prob_thd' in changes:
            assert (changed[changed != plain] == 0).all()
        else:
            assert len(changed.unique()) < len(plain.unique())
    everything = labels_of(make_model(area_thd=1.0), batch)[0]
    assert (everything == 0).all()


@torch.no_grad()
def test_the_scale_alone_changes_no_label(make_model):
    batch = batch_of(make_model(), [(64, 80)])
    maps = [labels_of(make_model(logit_scale=s), batch)[0] for s in (1.0, 40.0, 200.0)]
    assert torch.equal(maps[0], maps[1]) and torch.equal(maps[1], maps[2])


@torch.no_grad()
@pytest.mark.parametrize('inference', [SLIDE, dict(type='openvocab.WholeInference')])
def test_a_batch_equals_one_by_one(make_model, inference):
    model = make_model(inference=inference, prob_thd=0.3, logit_scale=25.0)
    sizes = [(64, 96), (48, 32), (64, 96)]
    batch = batch_of(model, sizes)
    together = labels_of(model, batch)
    inputs, samples = scenes(sizes)
    for labels, image, sample in zip(together, inputs, samples, strict=True):
        (alone,) = model.test_step(dict(inputs=[image], data_samples=[sample]))
        assert torch.equal(alone.pred_sem_seg.data[0], labels)


@torch.no_grad()
def test_synonyms_of_one_class_are_one_class(make_model):
    words = ['sky', 'water', 'grass', 'gravel']
    pairs = dict(bright=words[:2], dark=words[2:])
    grouped = make_model([dict(name=n, synonyms=w) for n, w in pairs.items()])
    apart = make_model(words, all_synonyms=False)
    batch = batch_of(apart, [(64, 64)])
    (single,), (joined,) = labels_of(apart, batch), labels_of(grouped, batch)
    assert len(single.unique()) > 2
    assert torch.equal(joined, single // 2)


@torch.no_grad()
def test_permuting_the_vocabulary_permutes_the_labels(make_model):
    model = make_model(prob_thd=0.3, logit_scale=25.0, area_thd=0.1)
    batch = batch_of(model, [(64, 96)])
    before = labels_of(model, batch)[0]
    order = [3, 0, 4, 2, 1]
    model.set_vocabulary([CLASSES[i] for i in order])
    after = labels_of(model, batch)[0]
    assert torch.equal(torch.tensor(order)[after], before)


@torch.no_grad()
@pytest.mark.parametrize('count', [1, 847])
def test_any_number_of_classes(make_model, count):
    names = [f'class {i}' for i in range(count - 1)]
    model = make_model(['background', *names], prob_thd=0.0, area_thd=0.0)
    labels = labels_of(model, batch_of(model, [(64, 64)]))[0]
    assert labels.max() < count


def test_thresholds_need_a_background(make_model):
    with pytest.raises(ValueError, match=r"area_thd=0\.1 needs a class 'background'"):
        make_model(['sky', 'grass'], area_thd=0.1)
    with pytest.raises(ValueError, match=r"prob_thd=0\.1 needs a class 'background'"):
        make_model(['sky', 'grass'], prob_thd=0.1)
    for threshold in ('area_thd', 'prob_thd'):
        model = make_model(**{threshold: 0.1})
        batch = batch_of(model, [(64, 64)])
        before = labels_of(model, batch)[0]
        with pytest.raises(ValueError, match='which vocabulary'):
            model.set_vocabulary(['sky', 'grass'])
        assert torch.equal(labels_of(model, batch)[0], before)


def test_it_holds_no_vocabulary_and_moves_as_a_whole(make_model):
    model = make_model()
    assert not [key for key in model.state_dict() if 'text_bank' in key]
    model.to('meta')
    held = [*model.parameters(), *model.buffers()]
    assert {tensor.device.type for tensor in held} == {'meta'}


def test_there_is_nothing_to_train(make_model):
    model = make_model()
    inputs, samples = random_segmentation_batch(images=1, classes=5)
    batch = model.data_preprocessor(dict(inputs=inputs, data_samples=samples), True)
    with pytest.raises(NotImplementedError, match='CosineHead has nothing to train'):
        model(**batch, mode='loss')


@torch.no_grad()
def test_any_readout_and_a_proxy_fit(make_model):
    batch, maps = batch_of(make_model(), [(64, 96)]), []
    clip = dict(arch='ov-shapes-u', checkpoint='openvocab://ov-shapes-u')
    vfm = dict(type='openvocab.CLIPAsVFM')

    @MODELS.register_module()
    class CLIPAsVFM(torch.nn.Module):
        patch_size, mean, std = 4, (0.5,) * 3, (0.5,) * 3

        def forward(self, images):
            return F.avg_pool2d(images, 4)

    try:
        for backbone in (
            dict(type='openvocab.CLIPBackbone', **clip),
            dict(type='openvocab.GEM', blocks=2, **clip),
            dict(type='openvocab.ProxyCLIP', vfm=vfm, **clip),
        ):
            model = make_model(backbone=backbone)
            maps.append(labels_of(model, batch)[0])
            assert maps[-1].shape == (64, 96)
    finally:
        MODELS.module_dict.pop('CLIPAsVFM')
    assert not torch.equal(maps[0], maps[1]) and not torch.equal(maps[0], maps[2])


@pytest.mark.gpu
@torch.no_grad()
def test_gpu_equals_cpu(make_model):
    model = make_model(prob_thd=0.3, logit_scale=25.0, area_thd=0.1)
    sizes = [(64, 96), (96, 64)]
    batch = batch_of(model, sizes)
    expected = labels_of(model, batch)
    model.cuda()
    found = labels_of(model, batch_of(model, sizes))
    for one, other in zip(found, expected, strict=True):
        assert (one.cpu() != other).float().mean() < 0.01
