"""Labels by name, splits, official and derived files, corrupt files, the pipeline."""

import json
import pickle
import random

import cv2
import numpy as np
import pytest
import torch
from mmdet.datasets import CocoDataset
from mmdet.models import DetDataPreprocessor
from mmengine.dataset import pseudo_collate

from helpers.coco_style import FILES, annotation, official_json, write
from openvocab.datasets import OVDetDataset
from openvocab.registry import DATASETS
from openvocab.vocab import UnknownClassError, Vocabulary, VocabularyError

TRAINING = dict(filter_cfg=dict(filter_empty_gt=True, min_size=8))


def build(path, vocabulary='ov_coco', drop_unknown='coco_80', **kwargs):
    # serialising collects garbage, which is most of the time of a small test
    kwargs.setdefault('serialize_data', False)
    return OVDetDataset(
        ann_file=str(path),
        data_prefix=dict(img='images'),
        vocabulary=vocabulary,
        drop_unknown=drop_unknown,
        **kwargs,
    )


def items(dataset):
    return [dataset.get_data_info(i) for i in range(len(dataset))]


def plain(dataset):
    """The items without ``sample_idx``."""
    return [
        {k: v for k, v in item.items() if k != 'sample_idx'} for item in items(dataset)
    ]


def named_labels(dataset):
    names = dataset.metainfo['classes']
    return {
        item['img_id']: [names[box['bbox_label']] for box in item['instances']]
        for item in items(dataset)
    }


@pytest.fixture
def official(tmp_path):
    return write(tmp_path / 'instances_train2017.json', official_json())


@pytest.fixture
def messages(monkeypatch):
    found = []
    monkeypatch.setattr(
        'openvocab.datasets.categories.print_log',
        lambda message, **_: found.append(message),
    )
    return found


def test_labels_are_positions_in_the_vocabulary(official, messages):
    dataset = build(official)
    assert len(dataset) == 3
    first, second, third = items(dataset)
    # 65 classes in COCO's order: person 0, airplane 4, toothbrush 64
    assert [box['bbox_label'] for box in first['instances']] == [64, 0, 4]
    assert [box['bbox_label'] for box in second['instances']] == [4]
    assert third['instances'] == []
    assert first['instances'][1]['bbox'] == [20, 4, 32.5, 24]
    assert first['img_path'] == f'images/{FILES[0]}' and first['img_id'] == 139
    assert (first['height'], first['width']) == (30, 50)
    assert all(box['ignore_flag'] == 0 for box in first['instances'])
    assert len(dataset.metainfo['base_classes']) == 48
    assert dataset.metainfo['vocab']['name'] == 'ov_coco'
    assert messages == []


def test_base_training_drops_novel_boxes_and_images_without_base(official):
    train = build(official, splits=('base',), **TRAINING)
    assert named_labels(train) == {139: ['toothbrush', 'person']}
    # the labels keep the space of the 65 classes
    assert [box['bbox_label'] for box in items(train)[0]['instances']] == [64, 0]
    # without the filter, and in testing, the images stay
    assert len(build(official, splits=('base',))) == 3
    assert len(build(official, splits=('base',), test_mode=True, **TRAINING)) == 3
    both = build(official, splits=('base', 'novel'))
    assert plain(both) == plain(build(official))


def test_validation_keeps_images_with_a_class_of_the_vocabulary(official):
    val = build(official, keep_only_annotated=True, test_mode=True)
    assert named_labels(val) == {
        139: ['toothbrush', 'person', 'airplane'],
        285: ['airplane'],
    }


@pytest.mark.parametrize('seed', range(3))
def test_order_and_ids_of_the_file_do_not_matter(official, tmp_path, seed):
    content = official_json()
    generator = random.Random(seed)
    generator.shuffle(content['categories'])
    new_ids = dict(zip(range(1, 91), generator.sample(range(500), 90), strict=True))
    for category in content['categories']:
        category['id'] = new_ids[category['id']]
        category['name'] = category['name'].upper()
    for entry in content['annotations']:
        entry['category_id'] = new_ids[entry['category_id']]
    other = write(tmp_path / 'permuted.json', content)
    for arguments in (dict(), dict(splits=('base',), **TRAINING)):
        assert plain(build(other, **arguments)) == plain(build(official, **arguments))


def derived(names, keep_images):
    """Only the annotations and categories of some classes, as converters write."""
    content = official_json()
    kept = {c['id'] for c in content['categories'] if c['name'] in names['categories']}
    wanted = {c['id'] for c in content['categories'] if c['name'] in names['boxes']}
    content['categories'] = [c for c in content['categories'] if c['id'] in kept]
    content['annotations'] = [
        a for a in content['annotations'] if a['category_id'] in wanted
    ]
    used = {a['image_id'] for a in content['annotations']}
    if not keep_images:
        content['images'] = [i for i in content['images'] if i['id'] in used]
    return content


@pytest.mark.parametrize('keep_images', [True, False])
@pytest.mark.parametrize('categories', ['base', 'all'])
def test_derived_training_files_equal_the_official_one(
    official, tmp_path, messages, categories, keep_images
):
    vocab = Vocabulary.load('ov_coco')
    base = vocab.subset(split='base').names
    names = dict(boxes=base, categories=base if categories == 'base' else vocab.names)
    path = write(tmp_path / 'derived.json', derived(names, keep_images))
    training = dict(splits=('base',), **TRAINING)
    assert plain(build(path, drop_unknown=None, **training)) == plain(
        build(official, **training)
    )
    if categories == 'base':
        (message,) = messages
        assert "no category for 17 of the 65 classes of 'ov_coco'" in message
        assert 'derived.json' in message and 'airplane, bus' in message
        assert message.endswith('and 9 more') and '\n' not in message
    else:
        assert messages == []


@pytest.mark.parametrize('keep_images', [True, False])
def test_derived_validation_file_equals_the_official_one(
    official, tmp_path, keep_images
):
    names = Vocabulary.load('ov_coco').names
    content = derived(dict(boxes=names, categories=names), keep_images)
    path = write(tmp_path / 'derived.json', content)
    testing = dict(keep_only_annotated=True, test_mode=True)
    assert plain(build(path, drop_unknown=None, **testing)) == plain(
        build(official, **testing)
    )


def test_equals_mmdets_dataset_on_the_whole_of_coco(tmp_path):
    content = official_json()
    content['categories'].sort(key=lambda category: category['id'])
    write_over = dict(content, annotations=content['annotations'] + hard_boxes())
    path = write(tmp_path / 'coco.json', write_over)
    ours = OVDetDataset(
        ann_file=path, vocabulary='coco_80', data_prefix=dict(img='images'), **TRAINING
    )
    theirs = CocoDataset(ann_file=path, data_prefix=dict(img='images'), **TRAINING)
    assert items(ours) == items(theirs)
    assert ours.metainfo['classes'] == theirs.metainfo['classes']
    assert ours.metainfo['palette'] == theirs.metainfo['palette']
    assert [ours.get_cat_ids(i) for i in range(3)] == [
        theirs.get_cat_ids(i) for i in range(3)
    ]


def hard_boxes():
    """No area, narrower than a pixel, outside the image, a crowd."""
    crowd = annotation(104, 632, 1, [3, 3, 9, 9])
    crowd.update(iscrowd=1, segmentation=dict(size=[30, 50], counts=[1500]))
    return [
        annotation(101, 285, 1, [3, 3, 0, 9]),
        annotation(102, 285, 1, [3, 3, 0.5, 9]),
        annotation(103, 285, 1, [60, 3, 9, 9]),
        crowd,
    ]


def test_boxes_without_size_and_crowds(tmp_path):
    content = official_json()
    content['annotations'] += hard_boxes()
    path = write(tmp_path / 'hard.json', content)
    train = build(path, splits=('base',), **TRAINING)
    # a person without size or in a crowd still makes the image an annotated one
    assert named_labels(train) == {
        139: ['toothbrush', 'person'],
        285: [],
        632: ['person'],
    }
    (crowd,) = items(train)[2]['instances']
    assert crowd['ignore_flag'] == 1 and crowd['bbox'] == [3, 3, 12, 12]


def test_images_without_boxes_only(tmp_path):
    content = dict(official_json(), annotations=[])
    path = write(tmp_path / 'empty.json', content)
    assert [item['instances'] for item in items(build(path))] == [[], [], []]
    with pytest.raises(ValueError, match=r'empty\.json: no image is left'):
        build(path, **TRAINING)


def test_a_class_list_of_ones_own_and_synonyms(official):
    vocabulary = [dict(name='zahnbuerste', synonyms=['toothbrush'])]
    dataset = build(official, vocabulary)
    assert named_labels(dataset)[139] == ['zahnbuerste']


def test_lvis_style_file(tmp_path):
    """Images by coco_url, federated entries untouched, rare classes left out."""
    vocab = Vocabulary.load('lvis_v1')
    categories = [
        dict(id=entry.id, name=entry.name, frequency=entry.split, synset='x')
        for entry in reversed(vocab.classes)
    ]
    images = [
        dict(
            id=number,
            height=30,
            width=50,
            coco_url=f'http://images.cocodataset.org/{folder}/{number:012d}.jpg',
            neg_category_ids=[3],
            not_exhaustive_category_ids=[1],
        )
        for number, folder in ((7, 'train2017'), (9, 'val2017'))
    ]
    boxes = [
        annotation(1, 7, 1203, [1, 1, 9, 9]),
        annotation(2, 9, vocab.classes[vocab.index('apricot')].id, [1, 1, 9, 9]),
        annotation(3, 7, 655, [1, 1, 9, 9]),
    ]
    for entry in boxes:
        del entry['iscrowd']
    path = write(
        tmp_path / 'lvis.json',
        dict(images=images, annotations=boxes, categories=categories),
    )
    dataset = build(path, 'lvis_v1', None, splits=('c', 'f'))
    first, second = items(dataset)
    assert first['img_path'] == 'images/train2017/000000000007.jpg'
    assert second['img_path'] == 'images/val2017/000000000009.jpg'
    assert [box['bbox_label'] for box in first['instances']] == [1202, 654]
    assert second['instances'] == []
    training = build(path, 'lvis_v1', None, splits=('c', 'f'), **TRAINING)
    assert [item['img_id'] for item in items(training)] == [7]
    assert len(dataset.metainfo['classes']) == 1203
    # the rare box is there when all splits are kept
    (rare,) = items(build(path, 'lvis_v1', None))[1]['instances']
    assert rare['bbox_label'] == vocab.index('apricot') == 13


def test_unknown_category_is_named(official, tmp_path):
    for drop in (None, ['traffic light', 'fire hydrant']):
        with pytest.raises(UnknownClassError) as caught:
            build(official, drop_unknown=drop)
        message = str(caught.value)
        assert '\n' not in message and 'instances_train2017.json' in message
        assert "'ov_coco'" in message and 'drop_unknown' in message
    content = official_json()
    content['categories'].append(dict(id=900, name='unicorn'))
    path = write(tmp_path / 'more.json', content)
    with pytest.raises(UnknownClassError, match=r"more\.json: category 'unicorn'"):
        build(path)


def test_unknown_split_is_named(official):
    with pytest.raises(VocabularyError, match=r"splits=\['seen'\].*'base', 'novel'"):
        build(official, splits=('seen',))
    with pytest.raises(VocabularyError, match=r'has the splits \[\]'):
        build(official, 'coco_80', None, splits=('base',))


def change_entry(kind, position, **values):
    def change(content):
        content[kind][position].update(values)
        for key in [key for key, value in values.items() if value is ...]:
            del content[kind][position][key]

    return change


@pytest.mark.parametrize(
    'change, message',
    [
        (lambda c: c.pop('categories'), "no 'categories' entry"),
        (lambda c: c.update(annotations={}), "'annotations' is not a list"),
        (change_entry('images', 1, id=...), 'image at position 1 has no id'),
        (change_entry('images', 1, id=139), 'image 139 is listed twice'),
        (change_entry('images', 1, height=...), 'image 285 has no size'),
        (change_entry('images', 1, file_name=...), 'image 285 has neither a file_name'),
        (change_entry('categories', 4, name=...), r'category \d+ has no name'),
        (change_entry('categories', 4, id=None), 'category at position 4 has no id'),
        (change_entry('annotations', 2, id=...), 'annotation at position 2 has no id'),
        (change_entry('annotations', 2, id=11), 'annotation 11 is listed twice'),
        (change_entry('annotations', 2, image_id=5), 'annotation 13 is of image 5'),
        (
            change_entry('annotations', 2, image_id=...),
            'annotation 13 is of image None',
        ),
        (
            change_entry('annotations', 2, image_id=[1]),
            r'annotation 13 is of image \[1',
        ),
        (change_entry('annotations', 2, category_id={}), '13 has the undefined categ'),
        (
            change_entry('annotations', 2, category_id=12),
            'annotation 13 has the undefined category id 12',
        ),
        (change_entry('annotations', 2, bbox=...), 'annotation 13 needs a bbox'),
        (change_entry('annotations', 2, bbox=[1, 2, 3]), r'got bbox \[1, 2, 3\]'),
        (change_entry('annotations', 2, bbox=[1, 2, 3, 'x']), 'annotation 13 needs'),
        (change_entry('annotations', 2, bbox=[1, 2, float('nan'), 3]), 'bbox .*nan'),
        (change_entry('annotations', 2, area=...), 'and area None'),
    ],
)
def test_corrupt_entries_are_named(tmp_path, change, message):
    content = official_json()
    change(content)
    path = write(tmp_path / 'corrupt.json', content)
    with pytest.raises(ValueError, match=message) as caught:
        build(path)
    assert 'corrupt.json' in str(caught.value) and '\n' not in str(caught.value)


def test_missing_and_broken_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'missing\.json'):
        build(tmp_path / 'missing.json')
    (tmp_path / 'cut.json').write_text(json.dumps(official_json())[:-40])
    with pytest.raises(ValueError, match=r'cut\.json is not valid json'):
        build(tmp_path / 'cut.json')


def test_pickles_and_builds_lazily_through_the_registry(official):
    dataset = DATASETS.build(
        dict(
            type='openvocab.OVDetDataset',
            ann_file=official,
            vocabulary='ov_coco',
            drop_unknown='coco_80',
            lazy_init=True,
        )
    )
    assert len(dataset.metainfo['classes']) == 65
    dataset.full_init()
    again = pickle.loads(pickle.dumps(dataset))
    assert items(again) == items(dataset)


SIZE = 64
LOAD = [
    dict(type='mmcv.LoadImageFromFile'),
    dict(type='mmdet.LoadAnnotations', with_bbox=True, with_mask=True),
]
TRAIN = [
    *LOAD,
    dict(
        type='mmcv.RandomResize',
        scale=(SIZE, SIZE),
        ratio_range=(0.1, 2.0),
        keep_ratio=True,
        resize_type='mmdet.Resize',
    ),
    dict(
        type='mmdet.RandomCrop',
        crop_type='absolute_range',
        crop_size=(SIZE, SIZE),
        recompute_bbox=True,
        allow_negative_crop=True,
    ),
    dict(type='mmdet.FilterAnnotations', min_gt_bbox_wh=(1e-2, 1e-2)),
    dict(type='mmdet.RandomFlip', prob=0.5),
    dict(type='mmdet.PackDetInputs'),
]
TEST = [
    LOAD[0],
    dict(type='mmdet.Resize', scale=(SIZE, SIZE), keep_ratio=True),
    LOAD[1],
    dict(type='mmdet.PackDetInputs'),
]


@pytest.fixture
def with_images(official, tmp_path):
    (tmp_path / 'images').mkdir()
    for number, name in enumerate(FILES):
        image = np.random.default_rng(number).integers(0, 255, (30, 50, 3), np.uint8)
        cv2.imwrite(str(tmp_path / 'images' / name), image)
    return tmp_path


def load(root, pipeline, **kwargs):
    return build(
        'instances_train2017.json', data_root=str(root), pipeline=pipeline, **kwargs
    )


def preprocess(batch, training):
    preprocessor = DetDataPreprocessor(
        mean=[100.0] * 3,
        std=[50.0] * 3,
        bgr_to_rgb=True,
        pad_size_divisor=SIZE,
        pad_mask=True,
    )
    return preprocessor(pseudo_collate(batch), training)


def test_padding_leaves_the_image_shape_alone(with_images):
    dataset = load(with_images, TEST, test_mode=True)
    batch = preprocess([dataset[i] for i in range(3)], False)
    assert batch['inputs'].shape == (3, 3, SIZE, SIZE)
    for sample in batch['data_samples']:
        # 30 x 50 resized to fit 64 x 64
        assert sample.img_shape == (38, 64) and sample.ori_shape == (30, 50)
        assert sample.scale_factor == pytest.approx((1.28, 1.2666), abs=1e-3)
    # padded after normalisation, with 0 = the mean colour
    assert not batch['inputs'][:, :, 38:].any() and batch['inputs'][:, :, :38].any()
    truth = batch['data_samples'][0].gt_instances
    assert truth.labels.tolist() == [64, 0, 4]
    assert len(batch['data_samples'][2].gt_instances) == 0


def test_training_batches_are_square_with_jitter(with_images):
    np.random.seed(0)
    random.seed(0)
    dataset = load(with_images, TRAIN, splits=('base',), **TRAINING)
    shapes = set()
    for _ in range(12):
        batch = preprocess([dataset[0]], True)
        assert batch['inputs'].shape == (1, 3, SIZE, SIZE)
        (sample,) = batch['data_samples']
        height, width = sample.img_shape
        assert height <= SIZE and width <= SIZE
        shapes.add((height, width))
        assert set(sample.gt_instances.labels.tolist()) <= {0, 64}
        boxes = sample.gt_instances.bboxes
        assert len(boxes) and torch.isfinite(boxes).all()
        assert (boxes.amax(0) <= torch.tensor([width, height, width, height])).all()
        assert sample.gt_instances.masks.masks.shape[1:] == (SIZE, SIZE)
    assert len(shapes) > 5
