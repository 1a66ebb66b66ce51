"""ADE20K panoptic: segments, boxes and ids against values worked out by hand."""

import json

import numpy as np
import pytest
from PIL import Image

from openvocab.datasets.preparation.ade20k_panoptic import PanopticConversion
from openvocab.datasets.preparation.preparations import PREPARATIONS
from openvocab.datasets.preparation.run import Run
from openvocab.datasets.transforms.load_panoptic_regions import read_panoptic_png
from openvocab.vocab import Vocabulary

WALL, SKY, BED, PERSON = 1, 3, 8, 13  # values of the label maps
BED_THING, PERSON_THING = 1, 4  # positions among the 100 things, from 1


@pytest.fixture
def root(tmp_path):
    """Wall over sky; a bed on both, two persons, one of them without an instance."""
    labels = np.full((6, 9), WALL, np.uint8)
    labels[3:] = SKY
    labels[0, 0] = 0
    labels[2:4, 1:5] = BED
    labels[5, 7:] = PERSON
    planes = np.zeros((6, 9, 3), np.uint8)
    planes[2:4, 1:5] = (BED_THING, 5, 0)
    # lies over the sky, where the label map does not say person
    planes[4:6, 6] = (PERSON_THING, 200, 9)
    top = tmp_path / 'ADEChallengeData2016'
    for folder, pixels, name in (
        ('images', np.zeros((6, 9, 3), np.uint8), 'ADE_val_1.jpg'),
        ('annotations', labels, 'ADE_val_1.png'),
        ('annotations_instance', planes, 'ADE_val_1.png'),
    ):
        (top / folder / 'validation').mkdir(parents=True)
        Image.fromarray(pixels).save(top / folder / 'validation' / name)
    return tmp_path


def prepare(root):
    _, part = PREPARATIONS['ade20k-panoptic'].parts(root, root)
    return part.prepare(Run())[0]


def test_segments(root):
    assert prepare(root).content == '4 segments'
    top = root / 'ADEChallengeData2016'
    ids = read_panoptic_png(top / 'ade20k_panoptic_val/ADE_val_1.png')
    wall, sky, bed, person = 256, 256 * 3, 256 * 8 + 5, 256 * 13 + 200
    assert ids.tolist() == [
        [0, *[wall] * 8],
        [wall] * 9,
        [wall, *[bed] * 4, *[wall] * 4],
        [sky, *[bed] * 4, *[sky] * 4],
        [*[sky] * 6, person, sky, sky],
        # no instance: these pixels of the class person have no segment
        [*[sky] * 6, person, 0, 0],
    ]
    content = json.loads((top / 'ade20k_panoptic_val.json').read_text())
    names = Vocabulary.load('ade20k_150').names
    assert [c['name'] for c in content['categories']] == list(names)
    assert sum(c['isthing'] for c in content['categories']) == 100
    (annotation,) = content['annotations']
    assert annotation['segments_info'] == [
        dict(id=wall, category_id=0, iscrowd=0, area=22, bbox=[0, 0, 9, 3]),
        dict(id=sky, category_id=2, iscrowd=0, area=19, bbox=[0, 3, 9, 3]),
        dict(id=bed, category_id=7, iscrowd=0, area=8, bbox=[1, 2, 4, 2]),
        dict(id=person, category_id=12, iscrowd=0, area=2, bbox=[6, 4, 1, 2]),
    ]
    assert content['images'] == [
        dict(id='ADE_val_1', file_name='ADE_val_1.jpg', height=6, width=9)
    ]


def test_an_existing_png_gives_the_same_entries(root):
    prepare(root)
    path = root / 'ADEChallengeData2016/ade20k_panoptic_val.json'
    content = path.read_bytes()
    path.unlink()
    assert prepare(root).state == '0 written, 1 kept'
    assert path.read_bytes() == content
    png = path.with_suffix('') / 'ADE_val_1.png'
    for damage in (b'', png.read_bytes()[:-14]):
        png.write_bytes(damage)
        assert prepare(root).state == '1 written, 0 kept'
        assert path.read_bytes() == content
    # a png of somebody else, whose ids mean something else
    Image.fromarray(np.full((6, 9, 3), 7, np.uint8)).save(png)
    assert prepare(root).state == '1 written, 0 kept'


def test_the_things_of_the_instance_maps_are_numbered_in_order(tmp_path):
    """As in the table that comes with the instance maps: 1 is 8, 2 is 9, ... 150."""
    planes = np.zeros((10, 10, 3), np.uint8)
    planes[..., 0] = np.arange(1, 101).reshape(10, 10)
    planes[..., 1] = 1
    Image.fromarray(planes).save(tmp_path / 'things.png')
    Image.fromarray(planes).save(tmp_path / 'image.jpg')
    Image.fromarray(np.zeros((10, 10), np.uint8)).save(tmp_path / 'labels.png')
    names = ('image.jpg', 'labels.png', 'things.png', 'out.png')
    ids = PanopticConversion(*(tmp_path / name for name in names)).ids().reshape(-1)
    values = ids // 256
    assert values[[0, 1, 2, 3, 4, 5, 99]].tolist() == [8, 9, 11, 13, 15, 16, 150]
    assert (np.diff(values) > 0).all() and (ids % 256 == 1).all()
