import cv2
import numpy as np
import pytest

from openvocab.visualization import draw_segmentation
from openvocab.visualization.segmentation import _widest_place

META = dict(
    classes=('sky', 'dog', 'road'), palette=[(250, 0, 0), (0, 0, 250), (9, 9, 9)]
)


def halves(width=200, height=100):
    labels = np.zeros((height, width), np.int64)
    labels[:, width // 2 :] = 1
    return np.full((height, width, 3), 100, np.uint8), labels


def test_classes_are_tinted_in_their_palette_and_outlined():
    image, labels = halves()
    picture = draw_segmentation(image, labels, META, min_width=200)
    assert picture.shape == image.shape and (image == 100).all()
    # 0.55 of the image and 0.45 of the colour, BGR
    assert picture[5, 5].tolist() == [55, 55, 168]
    assert picture[5, 195].tolist() == [168, 55, 55]
    assert (picture[:, 99] == 0).all()


def test_pixels_without_a_class_stay():
    image, labels = halves()
    labels[:, 100:] = 255
    picture = draw_segmentation(image, labels, META, min_width=200)
    assert (picture[:, 101:] == 100).all()
    assert (picture[:, :90] != 100).any()
    labels[:] = 255
    assert np.array_equal(draw_segmentation(image, labels, META, min_width=200), image)


def test_names_lie_on_their_classes_with_mean_scores(monkeypatch):
    written = []
    monkeypatch.setattr(
        'openvocab.visualization.segmentation.put_label',
        lambda image, text, corner, color: written.append((text, corner)),
    )
    image, labels = halves()
    scores = np.where(labels == 0, 0.25, 0.5)
    scores[:50] *= 2
    draw_segmentation(image, labels, META, scores, min_width=400)
    (sky, at_sky), (dog, at_dog) = written
    assert (sky, dog) == ('sky 0.38', 'dog 0.75')
    # the image is enlarged twice; a label is centred in the 100 x 100 half
    assert at_sky[0] == pytest.approx(100 - 32, abs=4)
    assert at_dog[0] == pytest.approx(300 - 32, abs=4)
    assert at_dog[1] == pytest.approx(100 - 8, abs=4)


def test_the_widest_place_is_in_the_class_even_where_its_middle_is_not():
    ring = np.zeros((80, 80), np.uint8)
    cv2.circle(ring, (40, 40), 30, 1, thickness=9)
    x, y = _widest_place(ring.astype(bool))
    assert ring[y, x] and 27 <= np.hypot(x - 40, y - 40) <= 33
    corner = np.zeros((20, 20), bool)
    corner[0, 0] = True
    assert _widest_place(corner) == (0, 0)


def test_narrow_images_are_enlarged():
    image, labels = halves(50, 20)
    assert draw_segmentation(image, labels, META).shape == (256, 640, 3)
