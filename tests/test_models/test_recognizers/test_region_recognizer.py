"""On an encoder whose dense map is the image itself, so that answers are known."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.structures import InstanceData
from torch import nn
from torch.nn import functional as F

from openvocab.models.recognizers import RegionRecognizer
from openvocab.structures import RegionDataSample

PATCH = 4


class MeanColour(nn.Module):
    """Dense embedding = mean colour of each patch; image embedding = mean colour."""

    embed_dim, patch_size, strides = 3, PATCH, (PATCH,)
    mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)

    def __init__(self, normalize_before_pooling: bool = False) -> None:
        super().__init__()
        self.normalize_before_pooling = normalize_before_pooling

    def forward(self, images):
        return images[:, :1], F.avg_pool2d(images, PATCH)

    def encode_image(self, images):
        return images.mean((2, 3))


class Colours(nn.Module):
    def __init__(self, rows, thing=None) -> None:
        super().__init__()
        self.register_buffer('rows', torch.as_tensor(rows).float(), persistent=False)
        self.vocabulary = SimpleNamespace(name='colours', hash='0')
        self.embed_dim = self.rows.shape[1]

    def forward(self):
        return self.rows

    def set_vocabulary(self, source):
        self.rows = torch.as_tensor(source).float()


RGB = torch.eye(3)


def make_model(rows=RGB, **kwargs) -> RegionRecognizer:
    backbone = MeanColour(kwargs.pop('normalize_before_pooling', False))
    return RegionRecognizer(backbone, Colours(rows), **kwargs)


def paint(height: int, width: int, areas: dict) -> torch.Tensor:
    """A BGR uint8 image; areas: (y0, y1, x0, x1) -> index of RED, GREEN, BLUE."""
    image = torch.zeros(3, height, width, dtype=torch.uint8)
    for (y0, y1, x0, x1), colour in areas.items():
        image[2 - colour, y0:y1, x0:x1] = 255
    return image


def make_sample(boxes, is_thing=None, **fields) -> RegionDataSample:
    regions = InstanceData(bboxes=torch.tensor(boxes).float().reshape(-1, 4))
    if is_thing is not None:
        regions.is_thing = torch.tensor(is_thing, dtype=torch.bool)
    sample = RegionDataSample(regions=regions)
    for name, value in fields.items():
        setattr(sample, name, value)
    return sample


def predict(model, images, samples):
    return model.val_step(dict(inputs=images, data_samples=samples))


def test_boxes_and_masks_of_an_odd_batch():
    """Images of two sizes, none a multiple of the patch, one without regions."""
    first = paint(18, 27, {(0, 18, 0, 13): 0, (0, 18, 13, 27): 2})
    second = paint(13, 22, {(0, 13, 0, 22): 1})
    segments = torch.zeros(18, 27, dtype=torch.int32)
    segments[:, :12], segments[:, 14:] = 1, 2
    samples = [
        make_sample(
            [[0, 0, 12, 18], [14, 0, 27, 18], [0, 0, 5, 5]],
            [True, False, True],
            segment_map=segments,
        ),
        make_sample([], [], segment_map=torch.zeros(13, 22, dtype=torch.int32)),
    ]
    one, two = predict(make_model(), [first, second], samples)
    assert set(one.predictions) == {'boxes', 'masks'}
    boxes, masks = one.predictions['boxes'], one.predictions['masks']
    assert boxes.region.tolist() == [0, 2]  # the thing regions
    assert boxes.topk[:, 0].tolist() == [0, 0] and boxes.topk.shape == (2, 3)
    assert masks.region.tolist() == [0, 1]  # region 2 owns no pixel
    assert masks.topk[:, 0].tolist() == [0, 2]
    for kind in ('boxes', 'masks'):
        assert len(two.predictions[kind].region) == 0
        assert two.predictions[kind].topk.shape == (0, 3)


def test_batch_equals_single_images():
    torch.manual_seed(0)
    images = [torch.randint(256, (3, 20, 28), dtype=torch.uint8) for _ in range(3)]

    def samples():
        generator = torch.Generator().manual_seed(1)
        out = []
        for count in (2, 0, 4):
            corner = torch.rand(count, 2, generator=generator) * 10
            boxes = torch.cat((corner, corner + 6), 1).tolist()
            kinds = [True, False, True, True][:count]
            top = count + 1
            segments = torch.randint(top, (20, 28), generator=generator)
            out.append(make_sample(boxes, kinds, segment_map=segments.int()))
        return out

    model = make_model(torch.randn(9, 3))
    together = predict(model, images, samples())
    for i, sample in enumerate(samples()):
        (alone,) = predict(model, [images[i]], [sample])
        for kind in ('boxes', 'masks'):
            ours, theirs = (s.predictions[kind] for s in (together[i], alone))
            assert torch.equal(ours.region, theirs.region)
            assert torch.equal(ours.topk, theirs.topk)
            assert ours.topk.shape[1] == 5


def test_crops_are_normalised_like_images():
    crops = torch.stack([paint(8, 8, {(0, 8, 0, 8): c}) for c in (2, 0, 1)])
    sample = make_sample([[0, 0, 8, 8]] * 3, [True, True, False])
    sample.regions.crops = crops
    sample.regions.crop_valid = torch.tensor([True, False, True])
    empty = make_sample([], [])
    empty.regions.crops = crops[:0]
    empty.regions.crop_valid = torch.zeros(0, dtype=torch.bool)
    image = torch.zeros(3, 8, 8, dtype=torch.uint8)
    samples = predict(make_model(with_crops=True), [image] * 2, [sample, empty])
    found = samples[0].predictions['crops']
    assert found.region.tolist() == [0] and found.topk[0, 0] == 2
    assert len(samples[1].predictions['crops'].region) == 0
    assert 'crops' not in predict(make_model(), [image], [sample])[0].predictions


def test_crops_are_named_when_missing():
    with pytest.raises(ValueError, match='add CropRegions to the pipeline'):
        image = torch.zeros(3, 8, 8, dtype=torch.uint8)
        predict(make_model(with_crops=True), [image], [make_sample([[0, 0, 8, 8]])])


def test_without_kinds_every_region_is_a_box():
    image = paint(8, 8, {(0, 8, 0, 8): 1})
    (sample,) = predict(make_model(), [image], [make_sample([[0, 0, 8, 8]] * 2)])
    assert sample.predictions['boxes'].region.tolist() == [0, 1]
    assert 'masks' not in sample.predictions


def test_normalising_tokens_changes_the_mean():
    # three quarters dark red, one quarter bright green: raw mean green, unit mean red
    image = torch.zeros(3, 8, 8, dtype=torch.uint8)
    image[2], image[2, :4, :4], image[1, :4, :4] = 50, 0, 255
    box = [[0, 0, 8, 8]]
    for normalize, answer in ((False, 1), (True, 0)):
        model = make_model(normalize_before_pooling=normalize)
        (sample,) = predict(model, [image], [make_sample(box)])
        assert sample.predictions['boxes'].topk[0, 0] == answer


def test_vocabulary_of_any_size():
    image, model = paint(8, 8, {(0, 8, 0, 8): 1}), make_model(RGB[:1])
    (sample,) = predict(model, [image], [make_sample([[0, 0, 8, 8]])])
    assert sample.predictions['boxes'].topk.tolist() == [[0]]
    model.set_vocabulary(torch.cat((RGB, torch.randn(20, 3).abs() * 0.1)))
    (sample,) = predict(model, [image], [make_sample([[0, 0, 8, 8]])])
    assert sample.predictions['boxes'].topk.shape == (1, 5)


def test_modes():
    model = make_model()
    inputs = torch.rand(2, 3, 9, 14)
    assert model(inputs).shape == (2, 3, 2, 3)
    with pytest.raises(NotImplementedError, match='train with an aligner'):
        model(inputs, [], mode='loss')
    with pytest.raises(ValueError, match="mode 'train' is not one of"):
        model(inputs, mode='train')


def test_text_of_another_width_is_refused():
    with pytest.raises(ValueError, match='text_bank has rows of width 7'):
        make_model(torch.randn(4, 7))
