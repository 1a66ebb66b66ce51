"""Archives in the official layout, through the tool, to the items of our configs."""

import shutil
from functools import partial

import numpy as np
import pytest

from helpers import fake_archives as fake
from openvocab.datasets.label_image import decode_label_image
from openvocab.datasets.preparation.preparations import PREPARATIONS
from openvocab.datasets.seeded_sampler import SeededIndex
from openvocab.vocab import Vocabulary

PUBLISHED = dict(
    zip(
        fake.NAMES,
        [
            ['5,000', '118,287'],
            ['5,000', '118,287'],
            ['5,000', '118,287'],
            ['107,761', '118,287', '4,836', '5,000'],
            ['100,170', '100,170', '19,809'],
            [],
            ['2,000'],
            ['2,000'],
            ['2,000'],
            ['4,998', '5,105'],
            ['10,103', '5,105'],
            ['1,449'],
            ['500'],
        ],
        strict=True,
    )
)


def files(root):
    return {p: p.stat().st_mtime_ns for p in sorted(root.rglob('*')) if p.is_file()}


def test_every_data_set_is_tested():
    assert tuple(PREPARATIONS) and {*PREPARATIONS} == {*fake.NAMES}


def test_running_again_keeps_every_file(run, prepared):
    before = files(prepared.root)
    for arguments in ((), ('--archives', prepared.downloads)):
        result = run(*fake.NAMES, '--root', prepared.root, *arguments)
        assert result.end is None
        assert '0 written' in result.out and ' written' not in result.out.replace(
            '0 written', ''
        )
        after = files(prepared.root)
        # panoptic jsons and image lists are small, and equal
        assert {*after} == {*before} and before == after


@pytest.mark.parametrize('name', fake.NAMES)
def test_counts_stand_beside_the_published_ones(run, prepared, name):
    out = run(name, '--root', prepared.root).out
    for figure in PUBLISHED[name]:
        assert f'DIFFERENT from the published {figure}' in out
    assert out.count('from the published ') == len(PUBLISHED[name])


@pytest.mark.parametrize('name', fake.NAMES)
def test_check_finds_nothing_but_the_counts(run, prepared, name):
    result = run(name, '--root', prepared.root, '--check', '--subset')
    assert result.end is None
    assert all(line.endswith('no problem found') for line in result.out.splitlines())
    result = run(name, '--root', prepared.root, '--check')
    wrong = [s for s in result.out.splitlines() if not s.endswith('no problem found')]
    assert all(' published are ' in line for line in wrong)
    assert result.end == (1 if wrong else None)
    assert bool(wrong) is bool(PUBLISHED[name])


def test_processes_give_the_same(run, prepared, tmp_path):
    names = ('coco-stuff', 'ade20k-panoptic', 'pascal-context')
    alone = run(*names, '--root', prepared.root, '--out', tmp_path / 'a')
    both = run(*names, '--root', prepared.root, '--out', tmp_path / 'b', workers=2)
    assert alone.end is None and both.end is None
    written = [p for p in files(tmp_path / 'a')]
    assert len(written) > 10
    for path in written:
        twin = tmp_path / 'b' / path.relative_to(tmp_path / 'a')
        assert twin.read_bytes() == path.read_bytes()


def test_a_dry_run_writes_nothing(run, prepared, tmp_path):
    out = tmp_path / 'out'
    for name in fake.NAMES:
        arguments = (name, '--root', prepared.root, '--out', out, '--dry-run')
        assert run(*arguments, '--classes').end is None
    assert not out.exists()


@pytest.fixture
def load(load_config, prepared):
    """Builds the data set of a config on the prepared tree."""
    return partial(load_config, prepared.root)


STUFF = [0, 79, 80, 170, 255]
SEGMENTATION = {
    'coco_stuff': STUFF,
    'coco_object': [1, 80, 0, 0, 0],
    'a150': [255, *range(150)],
    'a847': [0, 1, 2, 65535, 254, 255, 256, 846],
    'pc459': [65535, 0, 254, 255, 256, 458],
    'pas20': [255, 0, 19, 255],
    'pas20b': [20, 0, 19, 255],
    'voc21': [0, 1, 20, 255],
    'voc21_native': [0, 1, 20, 255],
    'cityscapes': [0, 18, 255, 255, 255],
}


def context(labels):
    """aeroplane in rows 0-3 but for the cloth, wood in the last row."""
    values = np.full(fake.SIZE, labels[0])
    values[:4] = labels[1]
    values[0, :8] = labels[0]
    values[35] = labels[2]
    return values


def ground_truth(data, index=0):
    packed = data[index]
    return packed['data_samples'].gt_sem_seg.data[0].numpy()


@pytest.mark.parametrize('name', SEGMENTATION)
def test_segmentation_configs(load, name):
    data = load(f'{name}_segmentation')
    expected = fake.grid(SEGMENTATION[name], np.int64)
    assert (ground_truth(data) == expected).all()


def test_pascal_context_configs(load):
    last = Vocabulary.load('pascal_context_59').index('wood')
    assert (ground_truth(load('pc59_segmentation')) == context([255, 0, last])).all()
    both = context([0, 1, last + 1])
    assert (ground_truth(load('pc60_segmentation')) == both).all()


@pytest.mark.parametrize(
    ('name', 'classes'),
    [
        ('coco_stuff_384', {*STUFF}),
        ('coco_stuff_640', {*STUFF}),
        ('a150_384', {*range(150), 255}),
        ('pc59_384', {0, 255, Vocabulary.load('pascal_context_59').index('wood')}),
    ],
)
def test_training_configs_of_segmentation(load, name, classes):
    data = load(f'{name}_segmentation', 'train')
    assert len(data) == (3 if 'coco' in name else 1)
    found = {*np.unique(ground_truth(data, SeededIndex(0, seed=1))).tolist()}
    assert found <= classes and len(found) > 1


def test_16_bit_labels_are_stored_as_such(prepared):
    folder = prepared.root / 'ADE20K_2021_17_01/annotations_847/validation'
    labels = decode_label_image((folder / 'ADE_val_00000001.png').read_bytes())
    assert labels.dtype == np.uint16 and {255, 256, 846, 65535} <= {*labels.flat}
    folder = prepared.root / 'VOCdevkit/VOC2010/SegmentationContext459'
    labels = decode_label_image((folder / f'{fake.VOC_VAL}.png').read_bytes())
    assert labels.dtype == np.uint16 and {*labels.flat} == {
        65535,
        0,
        254,
        255,
        256,
        458,
    }


def test_region_configs(load):
    item = load('coco_regions', scope='mmengine')[0]['data_samples']
    regions = item.regions
    vocabulary = Vocabulary.load('coco_panoptic_133')
    names = [vocabulary.names[label] for label in regions.labels]
    assert names == ['person', 'sky-other-merged']
    regions = load('ade20k_regions', scope='mmengine')[0]['data_samples'].regions
    vocabulary = Vocabulary.load('ade20k_150')
    things = [vocabulary.names[i] for i in regions.labels if vocabulary.is_thing[i]]
    # the bed has 4 x 2 pixels, too few
    assert things == ['person', 'person']
    assert not all(vocabulary.is_thing[label] for label in regions.labels)


def test_grid_config(load):
    assert len(load('coco_grid', 'train', 'mmengine')) == 3


@pytest.mark.parametrize(
    ('name', 'loader', 'images', 'classes'),
    [
        ('coco_transfer', 'test', 2, ['person', 'airplane', 'traffic light']),
        ('ov_coco_640', 'train', 3, ['person']),
        ('ov_coco_640', 'test', 1, ['person', 'airplane']),
        ('ov_lvis_1024', 'train', 3, ['aerosol_can']),
        ('ov_lvis_1024', 'test', 1, ['aerosol_can', 'apricot']),
        ('objects365_v1_transfer', 'test', 2, None),
    ],
)
def test_detection_configs(load, name, loader, images, classes):
    data = load(name, loader, 'mmdet')
    assert len(data) == images
    item = data.load_data_list()[0]
    names = [data.metainfo['classes'][box['bbox_label']] for box in item['instances']]
    vocabulary = data.vocabulary
    if classes is None:
        classes = [vocabulary.names[0], vocabulary.names[364]]
    assert names == classes
    with open(item['img_path'], 'rb') as file:
        assert file.read() == fake.image()
    assert data[0]['inputs'].shape[0] == 3


def test_links_of_lvis_survive_moving_the_data_root(run, prepared, tmp_path):
    shutil.copytree(prepared.root / 'coco', tmp_path / 'x/coco')
    shutil.copytree(
        prepared.root / 'lvis_v1/annotations', tmp_path / 'x/lvis_v1/annotations'
    )
    assert run('ov-lvis', '--root', tmp_path / 'x').end is None
    (tmp_path / 'x').rename(tmp_path / 'y')
    result = run('ov-lvis', '--root', tmp_path / 'y', '--check', '--subset')
    assert result.end is None
