import json
import pickle

import numpy as np
import pytest
import torch

from openvocab.datasets import PanopticRegionDataset
from openvocab.registry import DATASETS

PIPELINE = [
    dict(type='mmcv.LoadImageFromFile'),
    dict(type='mmcv.Resize', scale=(100, 100), keep_ratio=True),
    dict(type='openvocab.LoadPanopticRegions'),
    dict(type='mmcv.Pad', size=(100, 100)),
    dict(type='openvocab.PackRegions'),
]


def build(root, classes, **kwargs):
    return PanopticRegionDataset(
        ann_file='panoptic.json',
        data_root=str(root),
        data_prefix=dict(img='img', seg='seg'),
        vocabulary=classes,
        **kwargs,
    )


def rewrite(root, change):
    path = root / 'panoptic.json'
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_labels_follow_names_and_crowds_are_skipped(panoptic_root, classes):
    item = build(panoptic_root, classes).get_data_info(0)
    assert item['segment_labels'].tolist() == [2, 0, 3]
    assert item['segment_is_thing'].tolist() == [False, True, False]
    assert item['img_id'] == 7


def test_class_order_changes_labels_only(panoptic_root, classes):
    item = build(panoptic_root, classes[::-1]).get_data_info(0)
    assert item['segment_labels'].tolist() == [1, 3, 0]


def test_metainfo_is_the_vocabularys_and_needs_no_files(classes):
    dataset = PanopticRegionDataset(
        'missing.json', dict(img='x', seg='x'), classes, lazy_init=True
    )
    assert dataset.metainfo['classes'] == ('cat', 'dog', 'sky-other-merged', 'grass')
    assert dataset.metainfo['is_thing'] == (True, True, False, False)
    assert len(dataset.metainfo['vocab']['hash']) >= 12


def test_through_the_pipeline(panoptic_root, classes):
    dataset = DATASETS.build(
        dict(
            type='openvocab.PanopticRegionDataset',
            ann_file='panoptic.json',
            data_root=str(panoptic_root),
            data_prefix=dict(img='img', seg='seg'),
            vocabulary=classes,
            pipeline=PIPELINE,
            test_mode=True,
        )
    )
    packed = dataset[0]
    sample = packed['data_samples']
    assert packed['inputs'].shape == (3, 100, 100)
    assert packed['inputs'].dtype == torch.uint8
    assert not packed['inputs'][:, 60:].any()
    assert sample.img_shape == (60, 100)
    assert sample.pad_shape == (100, 100)
    assert sample.ori_shape == (30, 50)
    assert sample.regions.bboxes.tolist() == [
        [0, 0, 100, 30],
        [40, 20, 64, 40],
        [0, 30, 100, 60],
    ]
    assert sample.regions.labels.tolist() == [2, 0, 3]
    assert sample.segment_map.dtype == torch.int32
    assert sample.segment_map.shape == (100, 100)
    assert sample.segment_map[25, 50] == 2
    assert sample.segment_map[5, 5] == 1
    # The crowd, the id without annotation and the padding belong to no region.
    for row, column in ((5, 90), (55, 2), (80, 50)):
        assert sample.segment_map[row, column] == 0


def test_serialised_and_picklable(panoptic_root, classes):
    dataset = build(panoptic_root, classes, pipeline=PIPELINE)
    assert dataset.data_list == []
    again = pickle.loads(pickle.dumps(dataset))
    assert torch.equal(again[0]['inputs'], dataset[0]['inputs'])


@pytest.mark.parametrize(
    ('change', 'error', 'words'),
    [
        (
            lambda c: c['categories'].append(dict(id=1, name='zebra')),
            KeyError,
            ['panoptic.json', 'zebra'],
        ),
        (lambda c: c.pop('categories'), ValueError, ['panoptic.json', 'categories']),
        (lambda c: c['images'][0].pop('file_name'), ValueError, ['json', 'file_name']),
        (
            lambda c: c['annotations'][0]['segments_info'][0].update(category_id=3),
            ValueError,
            ['panoptic.json', 'category id 3'],
        ),
        (lambda c: c['annotations'].clear(), ValueError, ['no annotated image']),
    ],
)
def test_bad_annotation_is_named(panoptic_root, classes, change, error, words):
    rewrite(panoptic_root, change)
    with pytest.raises(error) as caught:
        build(panoptic_root, classes)
    assert all(word in str(caught.value) for word in words)
    assert '\n' not in str(caught.value)


def test_corrupt_json_is_named(panoptic_root, classes):
    (panoptic_root / 'panoptic.json').write_text('{"images": [')
    with pytest.raises(ValueError, match=r'panoptic\.json is not valid json'):
        build(panoptic_root, classes)


def test_missing_files_are_named(panoptic_root, classes):
    dataset = build(panoptic_root, classes, pipeline=PIPELINE)
    (panoptic_root / 'seg' / 'a.png').unlink()
    with pytest.raises(FileNotFoundError, match=r'seg/a\.png'):
        dataset[0]
    (panoptic_root / 'img' / 'a.png').unlink()
    with pytest.raises(FileNotFoundError, match=r'img/a\.png'):
        dataset[0]
    (panoptic_root / 'panoptic.json').unlink()
    with pytest.raises(FileNotFoundError, match=r'panoptic\.json'):
        build(panoptic_root, classes)


def test_image_without_segments_has_no_regions(panoptic_root, classes):
    rewrite(panoptic_root, lambda c: c['annotations'][0]['segments_info'].clear())
    sample = build(panoptic_root, classes, pipeline=PIPELINE)[0]['data_samples']
    assert sample.regions.bboxes.shape == (0, 4)
    assert sample.regions.labels.shape == (0,)
    assert not sample.segment_map.any()


def test_where_thing_flags_differ_the_vocabularys_win(panoptic_root, classes):
    rewrite(panoptic_root, lambda c: c['categories'][0].update(isthing=1))
    item = build(panoptic_root, classes).get_data_info(0)
    np.testing.assert_array_equal(item['segment_is_thing'], [False, True, False])
