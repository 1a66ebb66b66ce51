import cv2
import numpy as np
import pytest
import torch
from tiny_detector_config import write_config

from openvocab.apis import build_detector, detect, detection_records

NAMES = ('red circle', 'blue star', 'green square')


@pytest.fixture
def config(tmp_path):
    return write_config(tmp_path / 'tiny_fvit.py')


@pytest.fixture
def images(tmp_path):
    """Two files of noise, neither square, of different sizes."""
    paths = []
    for name, shape in (('a.png', (90, 128, 3)), ('b.png', (128, 61, 3))):
        pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        cv2.imwrite(str(tmp_path / name), pixels)
        paths.append(tmp_path / name)
    return paths


def as_rows(sample):
    found = sample.pred_instances
    return torch.cat([found.bboxes, found.scores[:, None], found.labels[:, None]], 1)


def test_detect_in_files_and_arrays(config, images):
    torch.manual_seed(0)
    model = build_detector(config)
    assert not model.training and model.cfg.default_scope == 'mmdet'
    from_files = detect(model, images)
    from_arrays = detect(model, [cv2.imread(str(path)) for path in images])
    for sample, other, path in zip(from_files, from_arrays, images, strict=True):
        height, width = cv2.imread(str(path)).shape[:2]
        assert sample.ori_shape == (height, width)
        found = sample.pred_instances
        assert len(found) == 7 and set(found.label_names) <= set(NAMES)
        assert [
            NAMES.index(name) for name in found.label_names
        ] == found.labels.tolist()
        assert (found.bboxes >= 0).all()
        # boxes are in pixels of the file, not of the resized input
        assert (found.bboxes[:, 2] <= width).all() and found.bboxes[:, 3].max() > 64
        assert (found.bboxes[:, 3] <= height).all()
        torch.testing.assert_close(as_rows(sample), as_rows(other))
    (alone,) = detect(model, str(images[1]))
    torch.testing.assert_close(as_rows(alone), as_rows(from_files[1]))


def test_a_vocabulary_for_one_call(config, images):
    model = build_detector(config)
    (sample,) = detect(model, images[0], vocabulary=['dog', 'cat'])
    assert set(sample.pred_instances.label_names) <= {'dog', 'cat'}
    (sample,) = detect(model, images[0])
    assert set(sample.pred_instances.label_names) <= set(NAMES)


def test_checkpoint_and_its_encoder(config, images, tmp_path):
    torch.manual_seed(0)
    model = build_detector(config)
    path = tmp_path / 'epoch_1.pth'
    torch.save(dict(state_dict=model.state_dict(), meta={}), path)
    torch.manual_seed(1)
    loaded = build_detector(config, path)
    other = build_detector(config)
    expected, equal, different = (
        as_rows(detect(m, images[0])[0]) for m in (model, loaded, other)
    )
    torch.testing.assert_close(equal, expected)
    assert not torch.allclose(different, expected)
    options = {
        'model.backbone.arch': 'ov-shapes-p',
        'model.backbone.checkpoint': 'openvocab://ov-shapes-p',
    }
    with pytest.raises(
        ValueError, match=r'model\.backbone: the checkpoint was trained'
    ):
        build_detector(config, path, cfg_options=options)


class Payload:
    def __reduce__(self):
        return (print, ('code ran',))


def test_code_in_a_checkpoint_is_refused(config, tmp_path, capsys):
    path = tmp_path / 'bad.pth'
    torch.save(dict(state_dict={}, extra=Payload()), path)
    with pytest.raises(ValueError, match='carries code'):
        build_detector(config, path)
    assert 'code ran' not in capsys.readouterr().out


def test_records(config, images):
    (sample,) = detect(build_detector(config), images[0])
    records = detection_records(sample)
    assert len(records) == 7
    scores = [record['score'] for record in records]
    assert scores == sorted(scores, reverse=True)
    kept = detection_records(sample, score_thr=scores[2])
    assert kept == records[: len(kept)] and len(kept) >= 3
    assert records[0]['bbox'] == sample.pred_instances.bboxes[0].tolist()
    assert records[0]['name'] == sample.pred_instances.label_names[0]
    assert detection_records(sample, score_thr=1.1) == []


def test_missing_image(config, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'no\.jpg'):
        detect(build_detector(config), tmp_path / 'no.jpg')
