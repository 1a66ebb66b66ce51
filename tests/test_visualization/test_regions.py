import numpy as np
import torch
from mmengine.structures import InstanceData

from openvocab.structures import RegionDataSample
from openvocab.visualization import draw_regions, draw_sample
from openvocab.visualization.regions import region_captions, region_colors

META = dict(
    classes=('cat', 'sky'),
    is_thing=(True, False),
    splits=('novel', None),
    palette=[(255, 0, 0), (0, 0, 255)],
)


def test_captions_state_kind_and_split():
    assert region_captions([1, 0], 2, META) == ['sky (stuff)', 'cat (thing, novel)']
    assert region_captions(None, 2, META) == ['0', '1']
    assert region_captions([0], 1, dict(classes=('cat',))) == ['cat']


def test_colors():
    assert region_colors([0, 1], 2, META) == [(0, 0, 255), (255, 0, 0)]
    assert len(set(region_colors(None, 30, {}))) == 30
    assert region_colors(None, 0, {}) == []


def test_segments_are_tinted_and_the_input_is_kept():
    image = np.zeros((60, 80, 3), np.uint8)
    segment_map = np.zeros((30, 40), np.int32)
    segment_map[20:, 20:] = 1
    boxes = np.array([[40, 40, 80, 60]])
    picture = draw_regions(image, boxes, [''], [(0, 0, 200)], segment_map)
    assert not image.any()
    assert picture[52, 70].tolist() == [0, 0, 90]
    assert picture[41, 60].tolist() == [0, 0, 200]
    assert not picture[:38].any()


def make_sample(**fields):
    sample = RegionDataSample(metainfo=dict(img_shape=(30, 50)))
    sample.regions = InstanceData(**fields)
    return sample


def test_whole_sample_without_padding():
    boxes = torch.tensor([[0.0, 0, 25, 30], [25, 0, 50, 30]])
    inputs = torch.zeros(3, 50, 50, dtype=torch.uint8)
    inputs[:, 30:] = 255
    sample = make_sample(bboxes=boxes, labels=torch.tensor([0, 1]))
    sample.segment_map = torch.ones(50, 50, dtype=torch.int32)
    assert draw_sample(inputs, sample, META, 100).shape == (60, 100, 3)
    crops = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
    picture = draw_sample(inputs, make_sample(bboxes=boxes, crops=crops), {}, 200)
    assert picture.shape[0] > 120 and picture.shape[1] == 200


def test_no_regions_at_all():
    inputs = torch.zeros(3, 50, 50, dtype=torch.uint8)
    sample = make_sample(
        bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.int64)
    )
    sample.segment_map = torch.zeros(50, 50, dtype=torch.int32)
    assert not draw_sample(inputs, sample, META, 50).any()
