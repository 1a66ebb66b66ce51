"""Every data config of segmentation on one image in the layout that it expects."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from PIL import Image

from openvocab.datasets.label_image import write_label_image
from openvocab.models.losses.ov_bce_loss import HELD_OUT
from openvocab.models.segmentors.training_labels import TrainingLabels
from openvocab.registry import DATA_SAMPLERS, DATASETS, METRICS

FOLDER = Path(__file__).parents[3] / 'configs/_base_/datasets'
CONFIGS = sorted(FOLDER.glob('*_segmentation.py'))
# name -> (classes, value of the first and last class in the files, background)
FILES = dict(
    a150=(150, 1, 150, 0),
    a150_384=(150, 1, 150, 0),
    a150_labels=(150, 1, 150, 0),
    a150_mmseg=(150, 1, 150, 0),
    a847=(847, 0, 846, 65535),
    a847_labels=(847, 0, 846, 65535),
    cityscapes=(19, 7, 33, 0),
    coco_object=(81, 0, 80, 255),
    coco_stuff=(171, 0, 170, 255),
    coco_stuff_384=(171, 0, 170, 255),
    coco_stuff_640=(171, 0, 170, 255),
    ov_shapes=(46, 0, 45, 255),
    pas20=(20, 1, 20, 0),
    pas20_tv=(20, 1, 20, 0),
    pas20b=(59, 1, 0, 255),
    pc459=(459, 0, 458, 65535),
    pc459_glued=(459, 0, 458, 65535),
    pc59=(59, 1, 59, 0),
    pc59_384=(59, 1, 59, 0),
    pc60=(60, 0, 59, 255),
    voc21=(21, 0, 20, 255),
    voc21_native=(21, 0, 20, 255),
)


def name_of(path):
    return path.stem.removesuffix('_segmentation')


def test_every_config_is_listed():
    assert {name_of(path) for path in CONFIGS} == set(FILES)


def build(cfg, root, values, size):
    """The data set of a config, with one image whose left half is ``values[0]``."""
    cfg = cfg.copy()
    cfg.data_root = str(root)
    prefix, stem = cfg.data_prefix, 'a'
    image = root / prefix.img_path / f'{stem}{cfg.get("img_suffix", ".jpg")}'
    image.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((*size, 3), np.uint8)).save(image)
    labels = np.full(size, values[2], np.uint16 if max(values) > 255 else np.uint8)
    labels[:, : size[1] // 2] = values[0]
    labels[0, 0] = values[1]
    suffix = cfg.get('seg_map_suffix', '.png')
    write_label_image(root / prefix.seg_map_path / f'{stem}{suffix}', labels)
    if cfg.get('ann_file'):
        (root / cfg.ann_file).parent.mkdir(parents=True, exist_ok=True)
        (root / cfg.ann_file).write_text(f'{stem}\n')
    return DATASETS.build(cfg)


def first_draw(cfg, data):
    """What the config's sampler asks of the data set first."""
    sampler = dict(cfg.train_dataloader.sampler, dataset=data, seed=0)
    return data[next(iter(DATA_SAMPLERS.build(sampler)))]


@pytest.mark.parametrize('path', CONFIGS, ids=name_of)
def test_test_set(path, tmp_path):
    init_default_scope('mmseg')
    cfg = Config.fromfile(path)
    classes, *values = FILES[name_of(path)]
    data = build(cfg.test_dataloader.dataset, tmp_path, values, (30, 45))
    assert len(data.metainfo['classes']) == classes
    packed = data[0]
    own_size = name_of(path) in ('ov_shapes', 'voc21_native')
    assert packed['inputs'].shape[1:] == ((30, 45) if own_size else (640, 960))
    labels = packed['data_samples'].gt_sem_seg.data[0]
    last = 20 if name_of(path) == 'pas20b' else classes - 1
    assert labels.shape == (30, 45)
    assert (labels[0, 0], labels[1, 0]) == (last, 0)
    assert labels[0, 44] == data.metainfo['ignore_index']
    metric = METRICS.build(cfg.test_evaluator)
    metric.dataset_meta = data.metainfo
    packed['data_samples'].pred_sem_seg = packed['data_samples'].gt_sem_seg.clone()
    metric.process(None, [packed['data_samples']])
    assert metric.evaluate(1)['miou'] == 100


def test_long_images_are_limited(tmp_path):
    init_default_scope('mmseg')
    cfg = Config.fromfile(FOLDER / 'a150_segmentation.py')
    data = build(cfg.test_dataloader.dataset, tmp_path, [1, 150, 0], (20, 100))
    assert data[0]['inputs'].shape == (3, 512, 2560)


@pytest.mark.parametrize(
    ('name', 'shape', 'allowed'),
    [
        ('coco_stuff_384', (384, 384), {0, 3, 255}),
        ('coco_stuff_640', None, {0, 3, 255}),
        # zero is "other" in the files, and the classes begin at one
        ('a150_384', (384, 384), {2, 255}),
        ('pc59_384', (384, 384), {2, 255}),
        ('ov_shapes', (30, 45), {0, 3, 255}),
    ],
)
def test_training_set(name, shape, allowed, tmp_path):
    init_default_scope('mmseg')
    cfg = Config.fromfile(FOLDER / f'{name}_segmentation.py')
    values = [0, 3, 255]
    data = build(cfg.train_dataloader.dataset, tmp_path, values, (30, 45))
    packed = first_draw(cfg, data)
    found = tuple(packed['inputs'].shape[1:])
    assert found == shape if shape else 320 <= min(found) and max(found) <= 640
    labels = packed['data_samples'].gt_sem_seg.data
    assert labels.shape == (1, *found)
    assert set(labels.unique().tolist()) <= allowed


def test_the_seen_classes_of_ov_shapes_alone_are_trained(tmp_path):
    init_default_scope('mmseg')
    cfg = Config.fromfile(FOLDER / 'ov_shapes_segmentation.py')
    dataset = cfg.train_dataloader.dataset
    data = build(dataset, tmp_path, [0, 0, 0], (6, 46))
    everything = np.arange(46, dtype=np.uint8)[None].repeat(6, 0)
    label = tmp_path / dataset.data_prefix.seg_map_path / 'a.png'
    write_label_image(label, everything)
    packed = first_draw(cfg, data)
    labels = packed['data_samples'].gt_sem_seg.data
    assert labels.unique().tolist() == list(range(46))
    trained = TrainingLabels(data.vocabulary)(labels)
    names = {data.metainfo['classes'][i] for i in labels[trained >= 0].unique()}
    assert names == set(data.metainfo['base_classes'])
    held_out = {data.metainfo['classes'][i] for i in labels[trained == HELD_OUT]}
    assert held_out == set(data.metainfo['novel_classes'])
    assert len(names) + len(held_out) == 46
