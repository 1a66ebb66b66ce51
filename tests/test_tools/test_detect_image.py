"""tools/demo/detect_image.py on a tiny detector."""

import json
import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS / 'test_apis'))

from tiny_detector_config import write_config  # noqa: E402

main = runpy.run_path(str(TESTS.parent / 'tools/demo/detect_image.py'))['main']


@pytest.fixture(autouse=True)
def _keep_log_level():
    logger = MMLogger.get_current_instance()
    level = logger.level
    yield
    logger.setLevel(level)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / 'images'
    folder.mkdir()
    random = np.random.default_rng(0)
    for name, shape in (('b.jpg', (128, 61, 3)), ('a.png', (90, 128, 3))):
        cv2.imwrite(str(folder / name), random.integers(0, 256, shape, dtype=np.uint8))
    (folder / 'notes.txt').write_text('no image')
    return folder


@pytest.fixture
def config(tmp_path):
    return write_config(tmp_path / 'tiny_fvit.py')


def test_a_folder(folder, config, tmp_path, capsys):
    out = tmp_path / 'deep' / 'out'
    classes = ['--classes', 'sofa', 'red circle', '--novel', 'sofa']
    options = ['--score-thr', '0', '--out', str(out), '--device', 'cpu']
    main([str(folder), config, *classes, *options])
    results = json.loads((out / 'results.json').read_text())
    assert results['classes'] == ['sofa', 'red circle']
    assert [Path(image['file']).name for image in results['images']] == [
        'a.png',
        'b.jpg',
    ]
    for image, (height, width) in zip(
        results['images'], [(90, 128), (128, 61)], strict=True
    ):
        assert (image['height'], image['width']) == (height, width)
        assert len(image['detections']) == 7
        for record in image['detections']:
            x1, y1, x2, y2 = record['bbox']
            assert 0 <= x1 <= x2 <= width and 0 <= y1 <= y2 <= height
            assert record['name'] in results['classes'] and 0 <= record['score'] <= 1
        picture = cv2.imread(str(out / 'pictures' / Path(image['file']).name))
        assert picture.shape[1] == 640
    printed = capsys.readouterr().out
    assert '2 image(s)' in printed
    names = [r['name'] for image in results['images'] for r in image['detections']]
    assert all(name in printed for name in names)


def test_one_image_with_a_checkpoint_and_a_threshold(folder, config, tmp_path):
    from openvocab.apis import build_detector

    path = tmp_path / 'epoch_1.pth'
    torch.save(dict(state_dict=build_detector(config).state_dict()), path)
    results = []
    for threshold in ('0', '2'):
        out = tmp_path / threshold
        arguments = ['--score-thr', threshold, '--out', str(out), '--device', 'cpu']
        main([str(folder / 'a.png'), config, str(path), *arguments])
        results.append(json.loads((out / 'results.json').read_text()))
    assert results[0]['checkpoint'] == str(path)
    assert results[0]['classes'] == ['red circle', 'blue star', 'green square']
    counts = [len(result['images'][0]['detections']) for result in results]
    assert counts == [7, 0]


@pytest.mark.parametrize(
    ('image', 'options', 'message'),
    [
        ('no.png', [], 'image not found'),
        ('.', [], 'no images'),
        ('notes.txt', [], 'failed to load image'),
        ('a.png', ['--classes', 'dog', '--novel', 'cat'], 'cat'),
        ('a.png', ['--vocabulary', 'my_clases'], 'my_clases'),
    ],
)
def test_bad_input_is_one_line(folder, config, tmp_path, image, options, message):
    if image == '.':
        (folder / 'a.png').unlink()
        (folder / 'b.jpg').unlink()
    options = [*options, '--out', str(tmp_path / 'out'), '--device', 'cpu']
    with pytest.raises(SystemExit) as error:
        main([str(folder / image), config, *options])
    assert str(error.value).startswith('detect_image: ') and message in str(error.value)
    assert not (tmp_path / 'out' / 'results.json').exists()


def test_novel_needs_classes(capsys):
    with pytest.raises(SystemExit):
        main(['image.jpg', 'config.py', '--novel', 'dog'])
    assert '--novel needs --classes' in capsys.readouterr().err
