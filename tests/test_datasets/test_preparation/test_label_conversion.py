"""Tiny archives in the layout of the official ones, through the preparations."""

import json

import numpy as np
import pytest
from faster_coco_eval.core import mask as rle
from PIL import Image

from openvocab.datasets.label_image import decode_label_image, write_label_image
from openvocab.datasets.preparation.ade20k_full import reduced_size
from openvocab.datasets.preparation.preparations import PREPARATIONS
from openvocab.datasets.preparation.run import Run
from openvocab.datasets.segmentation.label_counts import LabelCounts
from openvocab.vocab import Vocabulary

# data root of the tests -> folder of the data set below it
COCO, ADE, VOC = 'coco', 'ADE20K_2021_17_01', 'VOCdevkit/VOC2010'


def prepare(name, root):
    """Prepares the parts that are there; returns their counts by name."""
    parts = PREPARATIONS[name].parts(root, root)
    rows = [p.prepare(Run()) for p in parts if not p.missing()]
    return {row.name: row.counts for (row,) in rows}


def read(path):
    return decode_label_image(path.read_bytes())


@pytest.fixture
def stuff(tmp_path):
    """ids - 1 as in stuffthingmaps: person, toothbrush, banner, wood, none."""
    values = np.array([[0, 89, 91], [181, 255, 255]], np.uint8)
    write_label_image(tmp_path / COCO / 'stuffthingmaps/val2017/000.png', values)
    return tmp_path


def test_coco_stuff(stuff):
    counts = prepare('coco-stuff', stuff)['val2017']
    labels = read(stuff / COCO / 'stuffthingmaps_171/val2017/000.png')
    assert labels.dtype == np.uint8
    assert labels.tolist() == [[0, 79, 80], [170, 255, 255]]
    assert (counts.images, counts.classes_present, counts.ignored) == (1, 4, 2)
    assert counts.ignored_share == pytest.approx(1 / 3)
    assert (counts.pixels[[0, 79, 80, 170]] == 1).all() and counts.pixels.sum() == 4


def test_coco_stuff_follows_the_official_ids(stuff):
    vocab = Vocabulary.load('coco_stuff_171')
    values = np.array([[entry.id - 1 for entry in vocab.classes]], np.uint8)
    write_label_image(stuff / COCO / 'stuffthingmaps/val2017/001.png', values)
    prepare('coco-stuff', stuff)
    labels = read(stuff / COCO / 'stuffthingmaps_171/val2017/001.png')
    assert labels.tolist() == [list(range(171))]


def test_coco_object_ignores_nothing(stuff):
    counts = prepare('coco-object', stuff)['val2017']
    labels = read(stuff / COCO / 'stuffthingmaps_81/val2017/000.png')
    assert labels.tolist() == [[1, 80, 0], [0, 0, 0]]
    assert counts.ignored == 0 and counts.num_classes == 81


def test_id_without_a_class_is_refused(stuff):
    # 11 is the street sign that COCO-Stuff left out.
    path = stuff / COCO / 'stuffthingmaps/val2017/001.png'
    write_label_image(path, np.array([[11]], np.uint8))
    with pytest.raises(ValueError, match=r'001\.png: value 11 \(1 pixels\)'):
        prepare('coco-stuff', stuff)
    assert not (stuff / COCO / 'stuffthingmaps_171/val2017/001.png').exists()


def write_ade(root, name, index, folder='urban/street'):
    folder = root / ADE / 'images/ADE/validation' / folder
    folder.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 255, (*index.shape, 3), np.uint8)
    Image.fromarray(noise).save(folder / f'{name}.jpg')
    # R holds the high byte times ten, plus a part number that is dropped.
    planes = np.stack([index // 256 * 10 + 3, index % 256, index * 0 + 7], axis=-1)
    Image.fromarray(planes.astype(np.uint8)).save(folder / f'{name}_seg.png')
    Image.fromarray(planes.astype(np.uint8)).save(folder / f'{name}_parts_1.png')
    return folder


def test_ade20k_847(tmp_path):
    vocab = Vocabulary.load('ade20k_847')
    index = np.array([entry.id for entry in vocab.classes] + [0, 1, 3000]).reshape(
        17, 50
    )
    folder = write_ade(tmp_path, 'ADE_val_00000001', index)
    counts = prepare('ade20k-847', tmp_path)['validation']
    labels = read(tmp_path / ADE / 'annotations_847/validation/ADE_val_00000001.png')
    assert labels.reshape(-1).tolist()[:847] == list(range(847))
    # 3000 is a class of its own: water faucet
    assert labels.reshape(-1).tolist()[847:] == [65535, 65535, 642]
    assert (counts.images, counts.classes_present, counts.ignored) == (1, 847, 2)
    copied = tmp_path / ADE / 'images_847/validation/ADE_val_00000001.jpg'
    assert copied.read_bytes() == (folder / 'ADE_val_00000001.jpg').read_bytes()


def test_ade20k_847_reduces_large_images(tmp_path):
    index = np.full((520, 900), 2978)
    index[:, 450:] = 2420
    write_ade(tmp_path, 'ADE_val_00000002', index)
    prepare('ade20k-847', tmp_path)
    labels = read(tmp_path / ADE / 'annotations_847/validation/ADE_val_00000002.png')
    image = Image.open(tmp_path / ADE / 'images_847/validation/ADE_val_00000002.jpg')
    assert labels.shape == (512, 886) and image.size == (886, 512)
    assert (labels[:, :443] == 0).all() and (labels[:, 443:] == 2).all()


@pytest.mark.parametrize(
    ('size', 'expected'),
    [
        ((512, 900), (512, 900)),
        ((300, 4000), (300, 4000)),
        ((513, 513), (512, 512)),
        ((2000, 1000), (1024, 512)),
        ((768, 1025), (512, 683)),
    ],
)
def test_shorter_side_of_ade20k(size, expected):
    assert reduced_size(*size) == expected


def test_pascal_context_459_keeps_every_class(tmp_path):
    savemat = pytest.importorskip('scipy.io').savemat
    (tmp_path / VOC / 'trainval').mkdir(parents=True)
    values = np.arange(460, dtype=np.uint16).reshape(20, 23)
    savemat(tmp_path / VOC / 'trainval/2008_000002.mat', dict(LabelMap=values))
    counts = prepare('pascal-context-459', tmp_path)['train and val']
    labels = read(tmp_path / VOC / 'SegmentationContext459/2008_000002.png')
    assert labels.reshape(-1).tolist() == [65535, *range(459)]
    assert (counts.classes_present, counts.ignored) == (459, 1)
    savemat(tmp_path / VOC / 'trainval/2008_000003.mat', dict(other=values))
    with pytest.raises(ValueError, match=r'000003\.mat: no LabelMap'):
        prepare('pascal-context-459', tmp_path)


@pytest.fixture
def context(tmp_path):
    """An aeroplane (2), then a cloth (75, not among the 59) over half of it."""

    def segment(category, rows, columns):
        mask = np.zeros((4, 6), np.uint8)
        mask[rows, columns] = 1
        encoded = rle.encode(np.asfortranarray(mask))
        counts = encoded['counts']
        encoded['counts'] = counts.decode() if isinstance(counts, bytes) else counts
        return dict(image_id=7, category_id=category, segmentation=encoded)

    content = dict(
        images=[
            dict(image_id=7, file_name='b.jpg', height=4, width=6, phase='val'),
            dict(image_id=8, file_name='a.jpg', height=2, width=3, phase='val'),
            dict(image_id=9, file_name='c.jpg', height=2, width=3, phase='train'),
        ],
        annos_segmentation=[
            segment(2, slice(0, 2), slice(None)),
            segment(75, slice(0, 1), slice(0, 3)),
            segment(458, slice(3, 4), slice(None)),
        ],
    )
    (tmp_path / VOC).mkdir(parents=True)
    (tmp_path / VOC / 'trainval_merged.json').write_text(json.dumps(content))
    return tmp_path


def test_pascal_context(context):
    counts = prepare('pascal-context', context)
    labels = read(context / VOC / 'SegmentationClassContext/b.png')
    assert labels.tolist() == [[0, 0, 0, 1, 1, 1], [1] * 6, [0] * 6, [59] * 6]
    assert (
        read(context / VOC / 'SegmentationClassContext/a.png') == np.zeros((2, 3))
    ).all()
    lists = context / VOC / 'ImageSets/SegmentationContext'
    assert (lists / 'val.txt').read_text() == 'a\nb\n'
    assert (lists / 'train.txt').read_text() == 'c\n'
    assert counts['val'].images == 2 and counts['val'].pixels[59] == 6


def test_corrupt_pascal_context_is_named(context):
    path = context / VOC / 'trainval_merged.json'
    content = json.loads(path.read_text())
    content['annos_segmentation'][0]['category_id'] = 460
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r'merged\.json: b: unknown category id 460'):
        prepare('pascal-context', context)
    content['annos_segmentation'][0]['category_id'] = 2
    content['images'][0]['height'] = 5
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r'b: a segment is \(4, 6\), the image is \(5'):
        prepare('pascal-context', context)
    del content['images'][0]['phase']
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"merged\.json: an entry lacks 'phase'"):
        prepare('pascal-context', context)


def test_counts_refuse_a_label_that_is_no_class():
    counts = LabelCounts(3, 255)
    counts.add(np.bincount([0, 2, 2, 255]))
    assert counts.pixels.tolist() == [1, 0, 2] and counts.ignored == 1
    with pytest.raises(ValueError, match='label 3 is none of 3 classes'):
        counts.add(np.bincount([3]))


def test_tool_prints_counts_and_writes_nothing_in_a_dry_run(stuff, run):
    arguments = ('coco-stuff', '--root', stuff)
    printed = run(*arguments, '--dry-run', '--classes').out
    assert 'train2017 left out' in printed
    assert 'DIFFERENT from the published 5,000' in printed
    assert '4 of 171 classes, 33.3 % without' in printed and 'toothbrush' in printed
    assert '1 to write, 0 kept' in printed
    assert not (stuff / COCO / 'stuffthingmaps_171').exists()
    assert run(*arguments, '--out', stuff / 'new').end is None
    assert (stuff / 'new/coco/stuffthingmaps_171/val2017/000.png').exists()


def test_tool_says_what_is_missing(tmp_path, stuff, run):
    end = run('pascal-context', '--root', tmp_path).end
    assert 'nothing to prepare' in end and 'trainval_merged.json' in end
    path = stuff / COCO / 'stuffthingmaps/val2017/000.png'
    write_label_image(path, np.array([[90]], np.uint8))
    assert 'value 90' in run('coco-stuff', '--root', stuff).end
    assert 'it has train2017, val2017' in run('coco-stuff', '--parts', 'test').end


def test_stopped_and_continued(stuff, run):
    folder = stuff / COCO / 'stuffthingmaps/val2017'
    for name in ('001', '003'):
        write_label_image(folder / f'{name}.png', np.zeros((3, 4), np.uint8))
    write_label_image(folder / '002.png', np.full((3, 4), 90, np.uint8))
    arguments = ('coco-stuff', '--root', stuff)
    assert '002.png: value 90' in run(*arguments).end
    target = stuff / COCO / 'stuffthingmaps_171/val2017'
    assert sorted(p.name for p in target.iterdir()) == ['000.png', '001.png']
    write_label_image(folder / '002.png', np.ones((3, 4), np.uint8))
    assert '2 written, 2 kept' in run(*arguments).out
    # a damaged one, and one whose source is newer, are written again
    (target / '001.png').write_bytes((target / '001.png').read_bytes()[:-20])
    write_label_image(folder / '003.png', np.full((3, 4), 2, np.uint8))
    assert '2 written, 2 kept' in run(*arguments).out
    assert read(target / '003.png').max() == 2 and not read(target / '001.png').any()
