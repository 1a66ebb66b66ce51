import numpy as np
import pytest
from PIL import Image

from openvocab.datasets import ResizeLongest


def smooth_image(height, width):
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 255, (9, 13, 3), dtype=np.uint8))
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)).copy()


@pytest.mark.parametrize('shape', [(60, 81), (200, 33), (17, 17)])
@pytest.mark.parametrize('size', [48, 128])
def test_equals_pillow_within_two_levels(shape, size):
    image = smooth_image(*shape)
    results = ResizeLongest(size).transform(dict(img=image, ori_shape=shape))
    height, width = results['img_shape']
    assert max(height, width) == size
    expected = Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC)
    difference = results['img'].astype(int) - np.asarray(expected)
    assert np.abs(difference).max() <= 2
    assert results['scale_factor'] == (width / shape[1], height / shape[0])


def test_right_size_is_left_alone_and_thin_images_keep_a_pixel():
    image = smooth_image(20, 64)
    assert ResizeLongest(64).transform(dict(img=image))['img'] is image
    thin = np.full((400, 1, 3), 50, np.uint8)
    results = ResizeLongest(40).transform(dict(img=thin))
    assert results['img'].shape == (40, 1, 3)
    assert (results['img'] == 50).all()
    with pytest.raises(ValueError, match='size'):
        ResizeLongest(0)
