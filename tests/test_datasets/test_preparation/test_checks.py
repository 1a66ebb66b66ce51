"""What --check says about trees that somebody else prepared, or only in part."""

import shutil

import pytest

from helpers import fake_archives as fake
from openvocab.datasets.label_image import write_label_image


@pytest.fixture
def tree(prepared, tmp_path):
    """A copy of one data set's folder."""

    def copy(*folders):
        for folder in folders:
            shutil.copytree(prepared.root / folder, tmp_path / folder)
        return tmp_path

    return copy


@pytest.fixture
def check(run, tmp_path):
    """The problems of a part, without its name; every one is one line."""

    def check(name, *arguments):
        result = run(name, '--root', tmp_path, '--check', '--subset', *arguments)
        lines = result.out.splitlines()
        problems = [line for line in lines if not line.endswith('no problem found')]
        assert result.end == (1 if problems else None)
        return [line.split(': ', 1)[1] for line in problems]

    return check


def test_missing_extra_and_unequal_files(tree, check):
    root = tree('coco/val2017', 'coco/stuffthingmaps_171/val2017')
    images, labels = root / 'coco/val2017', root / 'coco/stuffthingmaps_171/val2017'
    first, second = fake.COCO_VAL
    (labels / f'{first}.png').unlink()
    (images / f'{second}.jpg').write_bytes(fake.image(size=(7, 5)))
    write_label_image(labels / 'extra.png', fake.grid([0]))
    assert check('coco-stuff', '--parts', 'val2017') == [
        f'{labels}/{first}.png: label file not found',
        f'{labels}/{second}.png: is (36, 48), its image {images}/{second}.jpg is (7, 5)'
        ' (height, width)',
        f'{labels}/extra.png: has no image',
    ]


def test_what_a_killed_process_leaves_is_not_taken_for_a_label_map(tree, check):
    root = tree('coco/val2017', 'coco/stuffthingmaps_171/val2017')
    (root / 'coco/stuffthingmaps_171/val2017/.x.abc.png').write_bytes(b'half')
    assert check('coco-stuff', '--parts', 'val2017') == []


def test_a_missing_folder_is_one_problem(tree, check):
    root = tree('coco/val2017')
    assert check('coco-object', '--parts', 'val2017') == [
        f'{root}/coco/stuffthingmaps_81/val2017: folder not found'
    ]
    assert check('pascal-voc') == [
        f'{root}/VOCdevkit/VOC2012/ImageSets/Segmentation/val.txt: list of images not '
        'found'
    ]


def test_a_turned_image_has_the_size_that_loaders_see(tree, check):
    from PIL import Image

    root = tree('coco/val2017', 'coco/stuffthingmaps_171/val2017')
    path = root / f'coco/val2017/{fake.COCO_VAL[0]}.jpg'
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(path) as image:
        image.save(path, exif=exif)
    (problem,) = check('coco-stuff', '--parts', 'val2017')
    assert problem.endswith(f'{path} is (48, 36) (height, width)')


def test_labels_of_another_vocabulary(tree, check):
    """PC-59 prepared by others: 0..58 and 255 are not what configs read, 0..59 is."""
    root = tree('VOCdevkit/VOC2010')
    labels = root / 'VOCdevkit/VOC2010/SegmentationClassContext'
    write_label_image(labels / f'{fake.VOC_VAL}.png', fake.grid([60, 3]))
    (problem,) = check('pascal-context', '--parts', 'val')
    assert problem == (
        f'{labels}/{fake.VOC_VAL}.png: value 60 (864 pixels) is neither a class of the '
        'vocabulary nor an ignored value'
    )


def test_wrapped_16_bit_labels(tree, check):
    """8-bit copies of A-847, as tools that cannot do 16 bits write them."""
    root = tree('ADE20K_2021_17_01')
    folder = root / 'ADE20K_2021_17_01/annotations_847/validation'
    path = folder / 'ADE_val_00000001.png'
    write_label_image(path, fake.grid([847, 65_535], 'uint16'))
    (problem,) = check('ade20k-847')
    assert problem.startswith(f'{path}: value 847 ')


def test_problems_are_limited(tree, check, run, tmp_path):
    root = tree('coco/val2017', 'coco/stuffthingmaps_171/val2017')
    for path in (root / 'coco/stuffthingmaps_171/val2017').iterdir():
        path.unlink()
    arguments = ('--parts', 'val2017')
    assert len(check('coco-stuff', *arguments)) == 2
    lines = check('coco-stuff', *arguments, '--limit', 1)
    assert len(lines) == 2 and lines[1] == '1 problems more (--limit 0)'
    assert len(check('coco-stuff', *arguments, '--limit', 0)) == 2


def test_classes_that_a_json_lacks(tree, check):
    import json

    root = tree('coco/val2017', 'coco/annotations')
    path = root / 'coco/annotations/instances_val2017.json'
    content = json.loads(path.read_text())
    content['categories'] = [c for c in content['categories'] if c['name'] != 'zebra']
    path.write_text(json.dumps(content))
    problems = check('ov-coco', '--parts', 'val2017')
    assert (
        f"{path}: no category for 1 of the 80 classes of 'coco_80': zebra" in problems
    )
    path = root / 'coco/annotations/panoptic_val2017.json'
    content = json.loads(path.read_text())
    content['categories'][0]['isthing'] = 0
    path.write_text(json.dumps(content))
    assert check('coco-panoptic', '--parts', 'val2017') == [
        f"{path}: thing or stuff is not flagged as in 'coco_panoptic_133': person"
    ]
