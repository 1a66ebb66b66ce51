import pickle

import numpy as np
import pytest
from mmengine.registry import init_default_scope
from PIL import Image

from openvocab.datasets import LoadOVAnnotations, OVSegDataset
from openvocab.datasets.label_image import write_label_image
from openvocab.vocab.class_entry import VocabularyError

CLASSES = [
    dict(name='cat', split='base'),
    dict(name='dog', split='novel'),
    dict(name='sky', split='seen', is_thing=False),
    dict(name='sea', split='unseen', is_thing=False),
]
VALUES = np.array([[0, 1, 2], [3, 255, 0]], np.uint8)
LOAD = [
    dict(type='LoadImageFromFile'),
    dict(type='openvocab.LoadOVAnnotations'),
]


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmseg')


@pytest.fixture
def write(tmp_path):
    """Writes one image and its label file."""

    def write(values, suffix='.png', size=None):
        height, width = size or values.shape
        image = np.zeros((height, width, 3), np.uint8)
        (tmp_path / 'img').mkdir(exist_ok=True)
        Image.fromarray(image).save(tmp_path / 'img/a.jpg')
        write_label_image(tmp_path / f'ann/a{suffix}', values)
        return tmp_path

    return write


def dataset(root, vocabulary=CLASSES, pipeline=LOAD, **kwargs):
    prefix = dict(img_path='img', seg_map_path='ann')
    return OVSegDataset(
        vocabulary=vocabulary,
        data_root=str(root),
        data_prefix=prefix,
        pipeline=pipeline,
        **kwargs,
    )


def labels_of(*args, **kwargs):
    return dataset(*args, **kwargs)[0]['gt_seg_map']


def test_labels_and_metainfo(write):
    data = dataset(write(VALUES))
    assert len(data) == 1
    labels = data[0]['gt_seg_map']
    assert labels.dtype == np.uint8 and (labels == VALUES).all()
    assert data.metainfo['classes'] == ('cat', 'dog', 'sky', 'sea')
    assert data.metainfo['splits'] == ('base', 'novel', 'seen', 'unseen')
    assert data.metainfo['ignore_index'] == data.ignore_index == 255
    assert len(set(data.metainfo['palette'])) == 4


def test_splits_ignore_the_pixels_of_other_classes_and_keep_the_labels(write):
    data = dataset(write(VALUES), splits=('base', 'seen'))
    assert data[0]['gt_seg_map'].tolist() == [[0, 255, 2], [255, 255, 0]]
    assert len(data.metainfo['classes']) == 4
    with pytest.raises(VocabularyError, match=r"splits=\['rare'\].*'base', 'novel'"):
        dataset(write(VALUES), splits=('rare',))


def test_label_vocabulary_is_matched_by_name(write):
    root = write(VALUES)
    labels = labels_of(root, ['sea', 'cat'], label_vocabulary=CLASSES)
    assert labels.tolist() == [[1, 255, 255], [0, 255, 1]]
    with pytest.raises(VocabularyError, match="'cow'"):
        dataset(root, ['cow'], label_vocabulary=CLASSES)


def test_small_vocabulary_of_16_bit_files(write):
    values = np.array([[1, 255, 700, 65535]], np.uint16)
    whole = [f'c{i}' for i in range(847)]
    labels = labels_of(write(values), ['c700', 'c255'], label_vocabulary=whole)
    assert labels.dtype == np.uint8
    assert labels.tolist() == [[255, 1, 0, 255]]


def test_reduce_zero_label_does_not_wrap(write):
    values = np.array([[0, 1, 4, 255]], np.uint8)
    assert labels_of(write(values), reduce_zero_label=True).tolist() == [
        [255, 0, 3, 255]
    ]
    # 16 bits: 0 is ignored, 256 is class 255, and 847 the last class.
    values = np.array([[0, 1, 256, 847, 65535]], np.uint16)
    classes = [f'c{i}' for i in range(847)]
    labels = labels_of(write(values), classes, reduce_zero_label=True)
    assert labels.tolist() == [[65535, 0, 255, 846, 65535]]


def test_pas20b_files_as_released(write):
    values = np.array([[0, 1, 20, 255]], np.uint8)
    order = [*range(1, 21), 0]
    labels = labels_of(write(values), 'pascal_voc_20b', file_values=order)
    assert labels.tolist() == [[20, 0, 19, 255]]


@pytest.mark.parametrize('suffix', ['.png', '.tif'])
def test_847_classes_survive_loading_and_augmentation(write, suffix):
    values = np.arange(847, dtype=np.uint16).reshape(11, 77).repeat(6, 0).repeat(4, 1)
    values[0, 0] = 65535
    pipeline = [
        *LOAD,
        dict(type='Resize', scale=(616, 132), keep_ratio=False),
        dict(type='RandomCrop', crop_size=(132, 600)),
        dict(type='RandomFlip', prob=1.0),
        dict(type='PhotoMetricDistortion'),
        dict(type='PackSegInputs'),
    ]
    root = write(values, suffix)
    data = dataset(root, 'ade20k_847', pipeline, seg_map_suffix=suffix)
    assert data.ignore_index == 65535
    packed = data[0]['data_samples'].gt_sem_seg.data
    found = set(packed.unique().tolist()) - {65535}
    assert found <= set(range(847)) and {255, 256, 700} <= found
    assert len(found) > 800


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        (np.array([[0, 4]], np.uint8), r'a\.png: value 4 \(1 pixels\) is neither'),
        (np.array([[0, 300]], np.uint16), r'a\.png: value 300 '),
    ],
)
def test_label_outside_the_vocabulary_names_file_and_value(write, values, message):
    with pytest.raises(ValueError, match=message):
        labels_of(write(values))


def test_image_without_any_label(write):
    assert (labels_of(write(np.full((4, 6), 255, np.uint8))) == 255).all()


def test_empty_label_file_is_named(write):
    root = write(VALUES)
    (root / 'ann/a.png').write_bytes(b'')
    with pytest.raises(ValueError, match=r'a\.png: .*empty file'):
        labels_of(root)


def test_missing_files_are_named(write, tmp_path):
    root = write(VALUES)
    (root / 'ann/a.png').unlink()
    with pytest.raises(FileNotFoundError, match=r'label file not found: .*a\.png'):
        labels_of(root)
    with pytest.raises(FileNotFoundError, match='image folder not found'):
        dataset(tmp_path / 'nowhere')
    with pytest.raises(ValueError, match=r'no image \*\.jpeg in'):
        dataset(root, img_suffix='.jpeg')


def test_label_of_another_size_is_refused(write):
    with pytest.raises(ValueError, match=r'a\.png is \(2, 3\), its image .* \(3, 2\)'):
        labels_of(write(VALUES, size=(3, 2)))


def test_labels_keep_the_original_size_when_loaded_after_resizing(write):
    pipeline = [
        LOAD[0],
        dict(type='ResizeShortestEdge', scale=8, max_size=100),
        LOAD[1],
        dict(type='PackSegInputs'),
    ]
    packed = dataset(write(VALUES), pipeline=pipeline)[0]
    assert packed['inputs'].shape == (3, 8, 12)
    assert packed['data_samples'].gt_sem_seg.data.shape == (1, 2, 3)


def test_item_of_another_data_set_is_refused():
    with pytest.raises(KeyError, match=r'use openvocab\.OVSegDataset'):
        LoadOVAnnotations()(dict(seg_map_path='a.png'))


def test_contradicting_arguments(write):
    root = write(VALUES)
    with pytest.raises(ValueError, match='either file_values or reduce_zero_label'):
        dataset(root, file_values=[1], reduce_zero_label=True)
    with pytest.raises(ValueError, match='file_values has 5 entries'):
        dataset(root, file_values=range(5))


def test_workers_and_the_list_of_items_hold_no_table_per_image(write):
    data = dataset(write(VALUES))
    assert len(data.data_bytes) < 2000
    copied = pickle.loads(pickle.dumps(data))
    assert (copied[0]['gt_seg_map'] == VALUES).all()
