import json

import cv2
import numpy as np
import pytest
import torch
from mmdet.structures.mask import encode_mask_results
from pycocotools import mask as rle

from helpers.tiny_configs import write_detector, write_segmentor
from openvocab.apis import (
    OpenVocabDetInferencer,
    OpenVocabSegInferencer,
    build_model,
    open_inferencer,
)
from openvocab.vocab import Vocabulary

DET_NAMES = ('red circle', 'blue star', 'green square')
SEG_NAMES = ('sky', 'grass', 'red circle')
OFF = dict(device='cpu', show_progress=False)
WRITERS = dict(detector=write_detector, segmentor=write_segmentor)


@pytest.fixture
def det_config(tmp_path):
    return write_detector(tmp_path / 'tiny_fvit.py')


@pytest.fixture
def seg_config(tmp_path):
    return write_segmentor(tmp_path / 'tiny_cat_seg.py')


@pytest.fixture
def detector(det_config):
    torch.manual_seed(0)
    return OpenVocabDetInferencer(det_config, **OFF)


@pytest.fixture
def segmentor(seg_config):
    torch.manual_seed(0)
    return OpenVocabSegInferencer(seg_config, **OFF)


@pytest.fixture(params=WRITERS)
def inferencer(request, tmp_path):
    torch.manual_seed(0)
    return open_inferencer(WRITERS[request.param](tmp_path / 'tiny.py'), **OFF)


@pytest.fixture
def folder(tmp_path):
    """Two images of noise, neither square, of different sizes, and a text."""
    folder = tmp_path / 'images'
    folder.mkdir()
    for name, shape in (('b.png', (128, 61, 3)), ('a.png', (90, 128, 3))):
        pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        cv2.imwrite(str(folder / name), pixels)
    (folder / 'notes.txt').write_text('no image')
    return folder


def as_rows(sample):
    found = sample.pred_instances
    return torch.cat([found.bboxes, found.scores[:, None], found.labels[:, None]], 1)


def test_detections_in_pixels_of_the_image(detector, folder):
    records = detector(folder, pred_score_thr=0)['predictions']
    assert [record['file'] for record in records] == [
        str(folder / 'a.png'),
        str(folder / 'b.png'),
    ]
    for record, (height, width) in zip(records, [(90, 128), (128, 61)], strict=True):
        assert (record['height'], record['width']) == (height, width)
        assert record['scores'] == sorted(record['scores'], reverse=True)
        names = [DET_NAMES[label] for label in record['labels']]
        assert record['label_names'] == names and len(names) == 7
        x1, y1, x2, y2 = np.array(record['bboxes']).T
        assert (0 <= x1).all() and (x1 <= x2).all() and (x2 <= width).all()
        # boxes are in pixels of the file, not of the 64 px input
        assert (0 <= y1).all() and (y2 <= height).all() and y2.max() > 64
    json.dumps(records)


def test_label_maps_and_their_plain_values(segmentor, folder):
    kwargs = dict(texts='sky, road, snow, red circle')
    (record, _) = segmentor(folder, **kwargs)['predictions']
    (sample, _) = segmentor(folder, return_datasamples=True, **kwargs)['predictions']
    labels = sample.pred_sem_seg.data[0].numpy()
    scores = sample.seg_scores.data[0].numpy()
    names = ('sky', 'road', 'snow', 'red circle')
    assert labels.shape == (90, 128)
    assert sorted(record['labels']) == np.unique(labels).tolist()
    assert record['areas'] == sorted(record['areas'], reverse=True)
    assert len(record['labels']) > 1 and sum(record['areas']) == labels.size
    for i, label in enumerate(record['labels']):
        assert record['label_names'][i] == names[label]
        mask = rle.decode(record['masks'][i]).astype(bool)
        assert np.array_equal(mask, labels == label)
        assert record['areas'][i] == mask.sum()
        assert record['scores'][i] == pytest.approx(scores[mask].mean())
    json.dumps(record)


def test_scores_below_the_threshold(detector, segmentor, folder):
    image = folder / 'a.png'
    (every,) = detector(image, pred_score_thr=0)['predictions']
    threshold = every['scores'][2]
    (kept,) = detector(image, pred_score_thr=threshold)['predictions']
    count = len(kept['scores'])
    assert 3 <= count < 7 and kept['bboxes'] == every['bboxes'][:count]
    (nothing,) = detector(image, pred_score_thr=1.1)['predictions']
    assert nothing['bboxes'] == nothing['label_names'] == []
    (sample,) = segmentor(image, return_datasamples=True)['predictions']
    threshold = sample.seg_scores.data.median().item()
    (cut,) = segmentor(image, pred_score_thr=threshold, return_datasamples=True)[
        'predictions'
    ]
    unsure = sample.seg_scores.data < threshold
    assert unsure.any() and (cut.pred_sem_seg.data[unsure] == 255).all()
    same = cut.pred_sem_seg.data[~unsure] == sample.pred_sem_seg.data[~unsure]
    assert same.all()
    (record,) = segmentor(image, pred_score_thr=threshold)['predictions']
    assert sum(record['areas']) == (~unsure).sum()
    result = segmentor(image, pred_score_thr=2, return_vis=True)
    assert result['predictions'][0]['masks'] == []
    # nothing is tinted: the enlarged image itself
    plain = cv2.imread(str(image))[..., ::-1]
    enlarged = cv2.resize(plain, (640, 450), interpolation=cv2.INTER_NEAREST)
    assert np.array_equal(result['visualization'][0], enlarged)


def test_files_arrays_and_batches_agree(inferencer, folder):
    files = [folder / 'a.png', str(folder / 'b.png')]
    arrays = [cv2.imread(str(file)) for file in files]
    thr = dict(pred_score_thr=0)
    alone = [inferencer(file, **thr)['predictions'][0] for file in files]
    for inputs, batch_size in ((files, 2), (arrays, 1), (folder, 1), (arrays, 5)):
        together = inferencer(inputs, batch_size=batch_size, **thr)['predictions']
        for one, other in zip(alone, together, strict=True):
            assert one['label_names'] == other['label_names']
            np.testing.assert_allclose(one['scores'], other['scores'], atol=1e-5)
            key = 'bboxes' if 'bboxes' in one else 'areas'
            np.testing.assert_allclose(one[key], other[key], atol=1e-2)


def test_classes_of_one_call(inferencer, folder):
    before = inferencer.classes
    thr = dict(pred_score_thr=0)
    (own,) = inferencer(folder / 'a.png', **thr)['predictions']
    assert set(own['label_names']) <= set(before) == set(inferencer.classes)
    calls = [
        (dict(texts=['dog', 'cat']), {'dog', 'cat'}),
        (dict(texts=' dog,\n cat ,'), {'dog', 'cat'}),
        (dict(vocab=dict(subset='ov_shapes', names=['water'])), {'water'}),
    ]
    for classes, names in calls:
        (found,) = inferencer(folder / 'a.png', **classes, **thr)['predictions']
        assert found['label_names'] and set(found['label_names']) <= names
        assert inferencer.classes == before
    (again,) = inferencer(folder / 'a.png', **thr)['predictions']
    assert again == own


def test_classes_return_after_an_error(inferencer, tmp_path):
    before = inferencer.classes
    (tmp_path / 'broken.jpg').write_bytes(b'\xff\xd8\xff\xe0 not a picture')
    with pytest.raises(ValueError, match=r'broken\.jpg'):
        inferencer(tmp_path / 'broken.jpg', texts='dog')
    assert inferencer.classes == before


def test_classes_that_the_model_knows_keep_their_colours(segmentor):
    gray = np.full((64, 640, 3), 100, np.uint8)
    own = Vocabulary.load('ov_shapes')
    colors = {}
    for name in ('grass', 'tundra'):
        (picture,) = segmentor(gray, texts=[name], return_vis=True)['visualization']
        # 0.55 of the image and 0.45 of the colour
        colors[name] = (picture[2, 2].astype(float) - 55) / 0.45
    np.testing.assert_allclose(
        colors['grass'], own.classes[own.index('grass')].color, atol=3
    )
    tundra = Vocabulary.load(['tundra']).metainfo()['palette'][0]
    np.testing.assert_allclose(colors['tundra'], tundra, atol=3)


def test_a_packaged_vocabulary(segmentor, folder):
    (found,) = segmentor(folder / 'a.png', vocab='ade20k_150')['predictions']
    assert max(found['labels']) < 150 and found['label_names']


def test_novel_classes_lean_on_the_encoder(detector, folder):
    call = dict(inputs=folder / 'a.png', texts=['dog', 'cat'], return_datasamples=True)
    call['pred_score_thr'] = 0

    def rows(**kwargs):
        return as_rows(detector(**call, **kwargs)['predictions'][0])

    default, both, dog = rows(), rows(novel=['dog', 'cat']), rows(novel=['dog'])
    torch.testing.assert_close(default, both)
    assert not torch.allclose(dog, both)
    torch.testing.assert_close(rows(novel='dog'), dog)
    torch.testing.assert_close(rows(novel='dog, cat'), both)
    call.update(texts=None, vocab=[dict(name=n, split='base') for n in ('dog', 'cat')])
    torch.testing.assert_close(rows(), both)  # no splits but the model's own
    with pytest.raises(ValueError, match='bird'):
        rows(novel=['bird'])


@pytest.mark.parametrize(
    ('classes', 'message'),
    [
        (dict(texts=[]), 'empty'),
        (dict(texts=' , '), 'empty'),
        (dict(texts=['dog', 'cat', 'Dog']), "'Dog'.*repeats"),
        (dict(vocab='my_clases'), 'my_clases'),
        (dict(texts=['dog'], vocab='coco_80'), 'not both'),
        (dict(novel=['dog']), 'texts or vocab'),
    ],
)
def test_bad_classes(inferencer, folder, classes, message):
    with pytest.raises(ValueError, match=message):
        inferencer(folder, **classes)


@pytest.mark.parametrize(
    ('image', 'error', 'message'),
    [
        ('no.png', FileNotFoundError, r'no\.png'),
        ('.', FileNotFoundError, 'no images'),
        ('notes.txt', ValueError, r'not an image.*notes\.txt'),
        ('empty.png', ValueError, r'not an image.*empty\.png'),
        (np.zeros((8, 8), np.uint8), ValueError, r'\(8, 8\) uint8'),
        (np.zeros((8, 8, 3)), ValueError, 'float64'),
        (np.zeros((0, 8, 3), np.uint8), ValueError, r'\(0, 8, 3\)'),
    ],
)
def test_bad_images(inferencer, tmp_path, image, error, message):
    (tmp_path / 'only').mkdir()
    (tmp_path / 'only' / 'notes.txt').write_text('no image')
    (tmp_path / 'only' / 'empty.png').touch()
    if isinstance(image, str):
        if image == '.':
            (tmp_path / 'only' / 'empty.png').unlink()
        image = tmp_path / 'only' / image
    with pytest.raises(error, match=message):
        inferencer(image)


def test_pictures_and_files(inferencer, folder, tmp_path):
    other = tmp_path / 'other'
    other.mkdir()
    (other / 'a.png').write_bytes((folder / 'b.png').read_bytes())
    inputs = [folder, other, cv2.imread(str(folder / 'a.png'))]
    out = tmp_path / 'deep' / 'out'
    results = inferencer(inputs, pred_score_thr=0, return_vis=True, out_dir=out)
    names = ['a.png', 'b.png', 'a_1.png', '00000003.jpg']
    sizes = [(450, 640), (1343, 640), (1343, 640), (450, 640)]
    for i, (name, size) in enumerate(zip(names, sizes, strict=True)):
        record = json.loads((out / 'preds' / f'{name}.json').read_text())
        assert record == results['predictions'][i]
        picture = cv2.imread(str(out / 'vis' / name))
        assert picture.shape[:2] == size
        drawn = results['visualization'][i]
        assert drawn.shape[:2] == size
        if name.endswith('png'):
            assert np.array_equal(drawn, picture[..., ::-1])
    assert len(list(out.rglob('*.*'))) == 8
    assert results['predictions'][3]['file'] is None
    assert inferencer(folder)['visualization'] == []


def test_show_opens_a_window(inferencer, folder, monkeypatch):
    shown = []
    monkeypatch.setattr(inferencer.visualizer, 'show', lambda *a: shown.append(a))
    inferencer(folder, show=True, wait_time=0.5)
    assert [(name, wait) for _, name, wait in shown] == [('a.png', 0.5), ('b.png', 0.5)]


def test_masks_of_detections(detector, folder):
    (sample,) = detector(folder / 'a.png', return_datasamples=True, pred_score_thr=0)[
        'predictions'
    ]
    masks = torch.rand(7, 90, 128) > 0.5
    sample.pred_instances.masks = masks
    record = detector.record(sample)
    for mask, encoded in zip(masks.numpy(), record['masks'], strict=True):
        assert np.array_equal(rle.decode(encoded).astype(bool), mask)
    assert (
        record['masks'][0]['counts'].encode()
        == (encode_mask_results(masks.numpy())[0]['counts'])
    )
    assert detector.draw(np.zeros((90, 128, 3), np.uint8), sample).any()


def test_a_batch_has_an_image(detector, folder):
    with pytest.raises(ValueError, match='batch_size=0: at least one image'):
        detector(folder / 'a.png', batch_size=0)


def test_checkpoint_and_its_encoder(det_config, folder, tmp_path):
    torch.manual_seed(0)
    model = build_model(det_config)
    assert not model.training and model.cfg.default_scope == 'mmdet'
    path = tmp_path / 'epoch_1.pth'
    torch.save(dict(state_dict=model.state_dict(), meta={}), path)
    for seed, weights, equal in ((1, path, True), (1, None, False)):
        torch.manual_seed(seed)
        inferencer = open_inferencer(det_config, weights, **OFF)
        for mine, theirs in zip(
            inferencer.model.state_dict().items(),
            model.state_dict().items(),
            strict=True,
        ):
            assert mine[0] == theirs[0]
        weight = inferencer.model.rpn_head.rpn_cls.weight
        assert torch.equal(weight, model.rpn_head.rpn_cls.weight) is equal
    options = {
        'model.backbone.arch': 'ov-shapes-p',
        'model.backbone.checkpoint': 'openvocab://ov-shapes-p',
    }
    with pytest.raises(
        ValueError, match=r'model\.backbone: the checkpoint was trained'
    ):
        build_model(det_config, path, cfg_options=options)


def test_the_encoder_of_the_config_is_loaded(det_config, tmp_path):
    """mmdet's and mmseg's own inferencers leave init_cfg of encoders aside."""
    model = build_model(det_config)
    encoder = tmp_path / 'encoder.pth'
    state = {
        k: v + 1
        for k, v in model.backbone.state_dict().items()
        if v.is_floating_point()
    }
    torch.save(state, encoder)
    options = {
        'model.backbone.init_cfg.type': 'Pretrained',
        'model.backbone.init_cfg.checkpoint': str(encoder),
    }
    inferencer = open_inferencer(det_config, cfg_options=options, **OFF)
    for name, value in inferencer.model.backbone.state_dict().items():
        if name in state:
            torch.testing.assert_close(value, state[name])


class Payload:
    def __reduce__(self):
        return (print, ('code ran',))


def test_code_in_a_checkpoint_is_refused(det_config, tmp_path, capsys):
    path = tmp_path / 'bad.pth'
    torch.save(dict(state_dict={}, extra=Payload()), path)
    for build in (build_model, open_inferencer):
        with pytest.raises(ValueError, match='carries code'):
            build(det_config, path)
    assert 'code ran' not in capsys.readouterr().out


def test_models_that_do_not_fit(det_config, tmp_path):
    with pytest.raises(ValueError, match=r'takes a BaseSegmentor.*a FViT'):
        OpenVocabSegInferencer(det_config, **OFF)
    with pytest.raises(ValueError, match=r"default_scope='mmengine'"):
        open_inferencer(det_config, cfg_options=dict(default_scope='mmengine'))
    for build in (open_inferencer, OpenVocabDetInferencer):
        with pytest.raises(FileNotFoundError, match=r'config not found: no\.py'):
            build('no.py')
        with pytest.raises(ValueError, match="no model 'fvit' in the zoo"):
            build('fvit')
    path = tmp_path / 'epoch_1.pth'
    torch.save(dict(state_dict={}), path)
    with pytest.raises(ValueError, match='name a config'):
        OpenVocabDetInferencer(None, str(path))


def test_a_model_by_its_name():
    name = 'training_free_ov-shapes-u_ov-shapes'
    inferencer = open_inferencer(name, **OFF)
    assert isinstance(inferencer, OpenVocabSegInferencer)
    image = np.random.default_rng(0).integers(0, 256, (64, 72, 3), dtype=np.uint8)
    (found,) = inferencer(image, texts='sky, grass, red circle')['predictions']
    assert set(found['label_names']) <= {'sky', 'grass', 'red circle'}
    assert sum(found['areas']) == 64 * 72
