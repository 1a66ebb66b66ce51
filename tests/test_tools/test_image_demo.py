"""tools/demo/image_demo.py on a tiny detector and a tiny segmentor."""

import json
import runpy
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from helpers.tiny_configs import write_detector, write_segmentor

TOOL = Path(__file__).parents[2] / 'tools/demo/image_demo.py'
main = runpy.run_path(str(TOOL))['main']


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
    return write_detector(tmp_path / 'tiny_fvit.py')


def read_records(out):
    return [json.loads(path.read_text()) for path in sorted(out.glob('preds/*.json'))]


def test_boxes_in_a_folder(folder, config, tmp_path, capsys):
    out = tmp_path / 'deep' / 'out'
    classes = ['--texts', 'sofa, red circle', '--novel', 'sofa']
    options = ['--score-thr', '0', '--out', str(out), '--device', 'cpu']
    main([str(folder), config, *classes, *options, '--batch-size', '2'])
    records = read_records(out)
    assert [Path(record['file']).name for record in records] == ['a.png', 'b.jpg']
    names = [name for record in records for name in record['label_names']]
    assert len(names) == 14 and set(names) <= {'sofa', 'red circle'}
    for record in records:
        picture = cv2.imread(str(out / 'vis' / Path(record['file']).name))
        assert picture.shape[1] == 640
    printed = capsys.readouterr().out
    assert '2 image(s)' in printed
    assert all(name in printed for name in names)


def test_masks_in_one_image(folder, tmp_path):
    config = write_segmentor(tmp_path / 'tiny_cat_seg.py')
    out = tmp_path / 'out'
    options = ['--texts', 'sky,road', '--out', str(out), '--device', 'cpu']
    main([str(folder / 'a.png'), config, *options])
    (record,) = read_records(out)
    assert set(record['label_names']) <= {'sky', 'road'}
    assert sum(record['areas']) == 90 * 128
    picture = cv2.imread(str(out / 'vis' / 'a.png'))
    image = cv2.resize(cv2.imread(str(folder / 'a.png')), (640, 450))
    assert picture.shape == (450, 640, 3) and not np.array_equal(picture, image)


def test_a_checkpoint_and_a_threshold(folder, config, tmp_path):
    from openvocab.apis import build_model

    path = tmp_path / 'epoch_1.pth'
    torch.save(dict(state_dict=build_model(config).state_dict()), path)
    counts = []
    for threshold in ('0', '2'):
        out = tmp_path / threshold
        arguments = ['--score-thr', threshold, '--out', str(out), '--device', 'cpu']
        main([str(folder / 'a.png'), config, str(path), *arguments])
        (record,) = read_records(out)
        counts.append(len(record['scores']))
    assert counts == [7, 0]


@pytest.mark.parametrize(
    ('image', 'options', 'message'),
    [
        ('no.png', [], 'image not found'),
        ('.', [], 'no images'),
        ('notes.txt', [], 'not an image'),
        ('a.png', ['--texts', 'dog', '--novel', 'cat'], 'cat'),
        ('a.png', ['--texts', ' , '], 'empty'),
        ('a.png', ['--vocab', 'my_clases'], 'my_clases'),
    ],
)
def test_bad_input_is_one_line(folder, config, tmp_path, image, options, message):
    if image == '.':
        (folder / 'a.png').unlink()
        (folder / 'b.jpg').unlink()
    options = [*options, '--out', str(tmp_path / 'out'), '--device', 'cpu']
    with pytest.raises(SystemExit) as error:
        main([str(folder / image), config, *options])
    assert str(error.value).startswith('image_demo: ') and message in str(error.value)
    assert '\n' not in str(error.value)
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--novel', 'dog'], '--novel needs --texts'),
        (['--batch-size', '0'], 'at least 1'),
        (['--texts', 'dog', '--vocab', 'coco_80'], 'not allowed with'),
    ],
)
def test_options_that_do_not_go_together(capsys, options, message):
    with pytest.raises(SystemExit):
        main(['image.jpg', 'config.py', *options])
    assert message in capsys.readouterr().err
