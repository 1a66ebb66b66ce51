import numpy as np
import pytest
import torch

from openvocab.datasets import CropRegions, KeepOriginalImage


def results_of(image, boxes, scale_factor=(1.0, 1.0)):
    results = KeepOriginalImage().transform(dict(img=image))
    assert results['ori_img'] is image
    results['scale_factor'] = scale_factor
    results['regions'] = dict(bboxes=np.array(boxes, np.float32).reshape(-1, 4))
    return results


def crops_of(*args, **kwargs):
    return CropRegions(**kwargs).transform(results_of(*args))['regions']


def test_native_size_crop_is_the_pixels():
    image = np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    regions = crops_of(image, [[3, 4, 11, 12]], size=8)
    assert regions['crops'].dtype == torch.uint8
    expected = torch.from_numpy(image[4:12, 3:11]).permute(2, 0, 1)
    assert torch.equal(regions['crops'][0], expected)
    assert regions['crop_valid'].tolist() == [True]


def test_box_is_mapped_back_to_the_original():
    image = np.zeros((40, 80, 3), np.uint8)
    image[8:16, 20:28] = 200
    # The input is a quarter of the height and half of the width.
    regions = crops_of(image, [[10, 2, 14, 4]], (0.5, 0.25), size=16)
    assert (regions['crops'] == 200).all()


@pytest.mark.parametrize(
    ('box', 'inside'),
    [
        ([0, 0, 40, 20], (slice(4, 12), slice(0, 16))),
        ([0, 0, 10, 20], (slice(0, 16), slice(4, 12))),
    ],
)
def test_letterbox_is_black_and_centred(box, inside):
    image = np.full((20, 40, 3), 255, np.uint8)
    crop = crops_of(image, [box], size=16)['crops'][0]
    mask = torch.zeros(16, 16, dtype=torch.bool)
    mask[inside] = True
    assert (crop[:, mask] == 255).all()
    assert (crop[:, ~mask] == 0).all()


def test_enlargement_is_about_the_centre_and_clipped():
    image = np.zeros((100, 100, 3), np.uint8)
    image[30:60, 30:60] = 255
    crop = crops_of(image, [[35, 35, 55, 55]], size=30, scale=1.5)['crops'][0]
    assert (crop == 255).all()
    image = np.full((20, 20, 3), 9, np.uint8)
    crop = crops_of(image, [[0, 0, 20, 20]], size=20, scale=1.5)['crops'][0]
    assert (crop == 9).all()


def test_boxes_without_a_pixel_and_no_boxes():
    image = np.full((20, 20, 3), 9, np.uint8)
    regions = crops_of(image, [[5, 5, 5.2, 9], [0, 0, 4, 4]], size=6)
    assert regions['crop_valid'].tolist() == [False, True]
    assert not regions['crops'][0].any()
    regions = crops_of(image, [], size=6)
    assert regions['crops'].shape == (0, 3, 6, 6)
    assert regions['crop_valid'].shape == (0,)


def test_missing_original_or_regions_says_what_to_add():
    with pytest.raises(KeyError, match='KeepOriginalImage'):
        CropRegions(8).transform(dict(regions={}))
    with pytest.raises(KeyError, match='makes regions'):
        CropRegions(8).transform(dict(ori_img=np.zeros((2, 2, 3), np.uint8)))
    with pytest.raises(ValueError, match='size'):
        CropRegions(0)
