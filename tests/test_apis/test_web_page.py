"""The answers of the web page, without a browser."""

import cv2
import numpy as np
import pytest
import torch

from helpers.tiny_configs import write_detector, write_segmentor
from openvocab.apis import WebPage, open_inferencer

NAMES = 'sky, red circle,\nsofa'


@pytest.fixture(scope='module')
def page(tmp_path_factory):
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp('configs')
    configs = dict(
        boxes=write_detector(folder / 'tiny_fvit.py'),
        masks=write_segmentor(folder / 'tiny_cat_seg.py'),
    )
    return WebPage(
        {
            name: open_inferencer(config, device='cpu', show_progress=False)
            for name, config in configs.items()
        }
    )


@pytest.fixture
def image(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (90, 128, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / 'noise.png'), pixels)
    return tmp_path / 'noise.png'


@pytest.mark.parametrize('model', ['boxes', 'masks'])
def test_an_answer_is_what_the_inferencer_finds(page, image, model):
    answer = page.answer(model, str(image), NAMES, 0.0)
    expected = page.models[model](
        image,
        texts=NAMES,
        pred_score_thr=float('-inf'),
        return_vis=True,
    )
    assert np.array_equal(answer.picture, expected['visualization'][0])
    (record,) = expected['predictions']
    assert [row[0] for row in answer.rows] == record['label_names']
    assert [row[1] for row in answer.rows] == [f'{s:.2f}' for s in record['scores']]
    found = len(set(record['label_names']))
    assert f'{len(answer.rows)} {model}, {found} of 3 classes' in answer.message


def test_places(page, image):
    (first, *_) = page.answer('boxes', image, NAMES, 0.0).rows
    record = page.models['boxes'](image, texts=NAMES, pred_score_thr=0)
    x1, y1, x2, y2 = record['predictions'][0]['bboxes'][0]
    assert first[2] == f'{x1:.0f}, {y1:.0f} to {x2:.0f}, {y2:.0f}'
    answer = page.answer('masks', image, 'sky', 0.0)
    ((name, _, place),) = answer.rows
    assert (name, place) == ('sky', '100.0% of the image')
    assert '1 mask, 1 of 1 classes' in answer.message


@pytest.mark.parametrize('model', ['boxes', 'masks'])
def test_a_threshold_that_nothing_reaches(page, image, model):
    answer = page.answer(model, image, NAMES, 1.0)
    assert answer.message == 'Nothing scores 1.00 or more: lower the threshold.'
    assert answer.rows == () and answer.picture.shape == (450, 640, 3)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(names=''), 'at least one class name'),
        (dict(names=None), 'at least one class name'),
        (dict(names=' ,\n; '), 'at least one class name'),
        (dict(names='dog, cat, Dog'), "'Dog' (position 2) repeats 'dog'"),
        (dict(image=None), 'Upload an image'),
        (dict(score_thr=None), 'Choose a least score'),
        (dict(image='gone.png'), 'not an image'),
        (dict(image='broken.png'), 'not an image'),
        (dict(image='empty.png'), 'not an image'),
        (dict(model='other'), 'boxes, masks'),
    ],
)
def test_a_wrong_question_gets_a_message(page, image, change, message):
    (image.parent / 'broken.png').write_bytes(image.read_bytes()[:40])
    (image.parent / 'empty.png').touch()
    question = dict(model='boxes', image=image, names=NAMES, score_thr=0.3) | change
    if isinstance(question['image'], str):
        question['image'] = str(image.parent / question['image'])
    answer = page.answer(**question)
    assert message in answer.message
    assert answer.picture is None and answer.rows == ()
    # a path of the server is nothing for the page
    assert str(image.parent) not in answer.message
    assert page.answer('boxes', image, NAMES, 0.0).picture is not None


def test_hints_and_thresholds(page):
    assert page.threshold('boxes') == 0.3 and page.threshold('masks') == 0
    assert page.hint('boxes').endswith('with red circle, blue star, green square.')
    names = [f'class {number}' for number in range(20)]
    with page.models['masks'].model.using_vocabulary(names):
        assert page.hint('masks').endswith('class 11 and 8 more.')


def test_a_page_needs_a_model():
    with pytest.raises(ValueError, match='at least one model'):
        WebPage({})
