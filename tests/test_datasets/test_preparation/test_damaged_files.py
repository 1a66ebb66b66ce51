"""Damaged annotation: a line that names the file, and no output that is half written.

Every case damages one file of a tiny data set, then prepares it, checks it and loads it
through the config.
"""

import io
import json
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from helpers import fake_archives as fake

# data set -> what it needs, its part, the config that reads it
SETS = {
    'coco-panoptic': (
        ['coco/annotations/panoptic_val2017', 'coco/annotations/panoptic_val2017.json'],
        'coco/val2017',
        ['val2017'],
        ('coco_regions', 'test', 'mmengine'),
    ),
    'coco-stuff': (
        ['coco/stuffthingmaps/val2017', 'coco/stuffthingmaps_171/val2017'],
        'coco/val2017',
        ['val2017'],
        ('coco_stuff_segmentation', 'test', 'mmseg'),
    ),
    'ov-coco': (
        [
            'coco/annotations/instances_val2017.json',
            'coco/annotations/instances_val2017_all_2.json',
        ],
        'coco/val2017',
        ['val2017'],
        ('ov_coco_640', 'test', 'mmdet'),
    ),
    'ov-lvis': (
        ['lvis_v1/annotations/lvis_v1_val.json'],
        'coco/train2017',
        ['train2017', 'val'],
        ('ov_lvis_1024', 'test', 'mmdet'),
    ),
    'objects365-v1': (
        ['Objects365/Obj365_v1/annotations'],
        'Objects365/Obj365_v1/val',
        ['val'],
        ('objects365_v1_transfer', 'test', 'mmdet'),
    ),
    'ade20k-150': (
        [
            'ADEChallengeData2016/annotations/validation',
            'ADEChallengeData2016/objectInfo150.txt',
        ],
        'ADEChallengeData2016/images/validation',
        ['validation'],
        ('a150_segmentation', 'test', 'mmseg'),
    ),
    'ade20k-panoptic': (
        [
            f'ADEChallengeData2016/{name}'
            for name in (
                'annotations/validation',
                'annotations_instance/validation',
                'ade20k_panoptic_val',
                'ade20k_panoptic_val.json',
            )
        ],
        'ADEChallengeData2016/images/validation',
        ['validation'],
        ('ade20k_regions', 'test', 'mmengine'),
    ),
    'ade20k-847': (
        ['ADE20K_2021_17_01/annotations_847', 'ADE20K_2021_17_01/images_847'],
        'ADE20K_2021_17_01/images',
        ['validation'],
        ('a847_segmentation', 'test', 'mmseg'),
    ),
    'pascal-context': (
        [
            'VOCdevkit/VOC2010/trainval_merged.json',
            'VOCdevkit/VOC2010/SegmentationClassContext',
            'VOCdevkit/VOC2010/ImageSets',
        ],
        'VOCdevkit/VOC2010/JPEGImages',
        ['train', 'val'],
        ('pc59_segmentation', 'test', 'mmseg'),
    ),
    'pascal-context-459': (
        [
            'VOCdevkit/VOC2010/trainval',
            'VOCdevkit/VOC2010/SegmentationContext459',
            'VOCdevkit/VOC2010/ImageSets',
        ],
        'VOCdevkit/VOC2010/JPEGImages',
        ['train and val', 'val'],
        ('pc459_segmentation', 'test', 'mmseg'),
    ),
    'pascal-voc': (
        ['VOCdevkit/VOC2012/SegmentationClass', 'VOCdevkit/VOC2012/ImageSets'],
        'VOCdevkit/VOC2012/JPEGImages',
        ['val'],
        ('pas20_segmentation', 'test', 'mmseg'),
    ),
    'cityscapes': (
        ['cityscapes/gtFine'],
        'cityscapes/leftImg8bit',
        ['val'],
        ('cityscapes_segmentation', 'test', 'mmseg'),
    ),
}


@dataclass
class Case:
    """The file that is damaged, and the damage."""

    name: str
    file: str
    what: str
    damage: Callable[[bytes], bytes]

    def __str__(self):
        return f'{self.name}-{self.file}-{self.what}'


def constant(content):
    return lambda original: content


def edited(change):
    """A change of the decoded json."""

    def damage(original):
        content = json.loads(original)
        changed = change(content)
        return json.dumps(content if changed is None else changed).encode()

    return damage


def at(*keys, value):
    """Sets the entry below the keys; deletes it if the value is ``...``."""

    def change(content):
        for key in keys[:-1]:
            content = content[key]
        if value is ...:
            del content[keys[-1]]
        else:
            content[keys[-1]] = value

    return edited(change)


BYTES = {
    'empty': constant(b''),
    'cut': lambda original: original[: len(original) * 2 // 3],
    'noise': constant(bytes(range(256)) * 4),
}
ANY_JSON = {
    **BYTES,
    'deep': constant(b'[' * 200_000),
    'list': constant(b'[]'),
    'null': constant(b'null'),
    'images gone': at('images', value=...),
    'images a mapping': at('images', value={}),
    'image null': at('images', 0, value=None),
    'image without size': at('images', 0, 'height', value=...),
    'size a text': at('images', 0, 'width', value='48'),
    'size negative': at('images', 0, 'height', value=-36),
    'no image': at('images', value=[]),
}
CATEGORIES = {
    'categories gone': at('categories', value=...),
    'category a number': at('categories', 0, value=7),
    'category renamed': at('categories', 0, 'name', value='wyvern'),
    'category without name': at('categories', 0, 'name', value=None),
    'category twice': edited(
        lambda c: c['categories'].append(dict(c['categories'][0]))
    ),
    'category missing': at('categories', -1, value=...),
    'annotations a text': at('annotations', value='many'),
    'annotation null': at('annotations', 0, value=None),
}
BOXES = {
    **CATEGORIES,
    'unknown category': at('annotations', 0, 'category_id', value=12_345),
    'category a list': at('annotations', 0, 'category_id', value=[1]),
    'unknown image': at('annotations', 0, 'image_id', value=12_345),
    'annotation twice': at('annotations', 0, 'id', value=2),
    'box of three': at('annotations', 0, 'bbox', value=[1, 2, 3]),
    'box of texts': at('annotations', 0, 'bbox', value=['a', 'b', 'c', 'd']),
    'box infinite': at('annotations', 0, 'bbox', value=[1, 2, float('inf'), 3]),
    'area gone': at('annotations', 0, 'area', value=...),
    'image twice': edited(lambda c: c['images'].append(c['images'][0])),
    'other size': at('images', 0, 'height', value=37),
}
FILE_NAME = {
    'name gone': at('images', 0, 'file_name', value=...),
    'name a number': at('images', 0, 'file_name', value=7),
    'name wrong': at('images', 0, 'file_name', value='elsewhere.jpg'),
}
MASKS = {
    'address a number': at('images', 0, 'coco_url', value=7),
    'mask a number': at('annotations', 0, 'segmentation', value=7),
    'mask of texts': at('annotations', 0, 'segmentation', value=[['a', 'b']]),
}
SEGMENTS = {
    **CATEGORIES,
    **FILE_NAME,
    'png name gone': at('annotations', 0, 'file_name', value=...),
    'segments gone': at('annotations', 0, 'segments_info', value=...),
    'segments a number': at('annotations', 0, 'segments_info', value=3),
    'segment a number': at('annotations', 0, 'segments_info', 0, value=3),
    'segment id a text': at('annotations', 0, 'segments_info', 0, 'id', value='1'),
    'segment id too large': at('annotations', 0, 'segments_info', 0, 'id', value=1e9),
    'segment not in the png': at('annotations', 0, 'segments_info', 0, 'id', value=5),
    'segment of no class': at(
        'annotations', 0, 'segments_info', 0, 'category_id', value=[]
    ),
    'other size': at('images', 0, 'height', value=37),
}
CONTEXT = {
    'segments gone': at('annos_segmentation', value=...),
    'segment null': at('annos_segmentation', 0, value=None),
    'unknown category': at('annos_segmentation', 0, 'category_id', value=460),
    'category a text': at('annos_segmentation', 0, 'category_id', value='2'),
    'runs too short': at('annos_segmentation', 0, 'segmentation', 'counts', value='1'),
    'runs a number': at('annos_segmentation', 0, 'segmentation', 'counts', value=1),
    'runs of noise': at(
        'annos_segmentation', 0, 'segmentation', 'counts', value='zzzz\x00\xff'
    ),
    'runs of another size': at(
        'annos_segmentation', 0, 'segmentation', 'size', value=[10**9, 10**9]
    ),
    'polygons': at('annos_segmentation', 0, 'segmentation', value=[[1, 2, 3, 4]]),
    'image gigantic': edited(
        lambda c: c['images'][0].update(height=10**9, width=10**9)
    ),
    'phase gone': at('images', 0, 'phase', value=...),
    'name a number': at('images', 0, 'file_name', value=7),
}
PIXELS = {
    **BYTES,
    'three channels': constant(fake.encoded(np.full((*fake.SIZE, 3), 251, np.uint8))),
    'label out of range': constant(fake.label_png([0, 250])),
    '16 bits': constant(fake.label_png([0, 40_000], np.uint16)),
    'other shape': constant(fake.encoded(np.zeros((7, 5), np.uint8))),
    'a jpg': constant(fake.image()),
    'header of a giant': lambda png: (
        png[:16] + (2**31 - 1).to_bytes(4, 'big') * 2 + png[24:]
    ),
}
# what is right in a map of three channels
COLOURS = {
    key: value
    for key, value in PIXELS.items()
    if key not in ('three channels', 'label out of range')
}
MATLAB = {
    **BYTES,
    'other variable': constant(fake.mat(Labels=fake.grid([1]))),
    'label out of range': constant(fake.mat(LabelMap=fake.grid([460], np.uint16))),
    'negative': constant(fake.mat(LabelMap=fake.grid([-1], np.int16))),
    'fractions': constant(fake.mat(LabelMap=fake.grid([1.5], float))),
    'three axes': constant(fake.mat(LabelMap=np.zeros((3, 4, 5), np.uint16))),
    'text': constant(fake.mat(LabelMap='sky')),
}


def cases():
    ade = 'ADEChallengeData2016'
    stem = 'ADE_val_00000001'
    city = 'cityscapes/gtFine/val/frankfurt/frankfurt_000000_000294_gtFine'
    for name, file, damages in (
        (
            'coco-panoptic',
            'coco/annotations/panoptic_val2017.json',
            {**ANY_JSON, **SEGMENTS},
        ),
        (
            'coco-panoptic',
            f'coco/annotations/panoptic_val2017/{fake.COCO_VAL[0]}.png',
            COLOURS,
        ),
        (
            'coco-stuff',
            f'coco/stuffthingmaps/val2017/{fake.COCO_VAL[0]}.png',
            {k: v for k, v in PIXELS.items() if k != 'other shape'},
        ),
        (
            'coco-stuff',
            f'coco/val2017/{fake.COCO_VAL[0]}.jpg',
            {**BYTES, 'other shape': constant(fake.image(size=(7, 5)))},
        ),
        (
            'ov-coco',
            'coco/annotations/instances_val2017.json',
            {**ANY_JSON, **BOXES, **FILE_NAME},
        ),
        (
            'ov-lvis',
            'lvis_v1/annotations/lvis_v1_val.json',
            {**ANY_JSON, **BOXES, **MASKS},
        ),
        (
            'objects365-v1',
            'Objects365/Obj365_v1/annotations/objects365_val.json',
            {**BYTES, **FILE_NAME, 'category renamed': CATEGORIES['category renamed']},
        ),
        ('ade20k-150', f'{ade}/annotations/validation/{stem}.png', PIXELS),
        (
            'ade20k-150',
            f'{ade}/objectInfo150.txt',
            {
                **BYTES,
                'two exchanged': lambda text: text.replace(b'wall', b'sky', 1),
            },
        ),
        ('ade20k-panoptic', f'{ade}/annotations/validation/{stem}.png', PIXELS),
        (
            'ade20k-panoptic',
            f'{ade}/annotations_instance/validation/{stem}.png',
            {**COLOURS, 'thing out of range': PIXELS['three channels']},
        ),
        (
            'ade20k-847',
            f'ADE20K_2021_17_01/images/ADE/validation/urban/street/{stem}_seg.png',
            {**COLOURS, 'one channel': PIXELS['label out of range']},
        ),
        (
            'pascal-context',
            'VOCdevkit/VOC2010/trainval_merged.json',
            {**ANY_JSON, **CONTEXT},
        ),
        (
            'pascal-context-459',
            f'VOCdevkit/VOC2010/trainval/{fake.VOC_TRAIN}.mat',
            MATLAB,
        ),
        (
            'pascal-voc',
            f'VOCdevkit/VOC2012/SegmentationClass/{fake.VOC_VAL}.png',
            PIXELS,
        ),
        (
            'pascal-voc',
            'VOCdevkit/VOC2012/ImageSets/Segmentation/val.txt',
            {'empty': BYTES['empty'], 'noise': BYTES['noise']},
        ),
        ('cityscapes', f'{city}_labelIds.png', PIXELS),
    ):
        for what, damage in damages.items():
            yield Case(name, file, what, damage)


@pytest.fixture(scope='module')
def trees(prepared):
    """Data set -> relative path -> content."""
    found = {}
    for name, (needs, images, _, _) in SETS.items():
        files = found[name] = {}
        for top in (*needs, images):
            path = prepared.root / top
            for file in [path] if path.is_file() else sorted(path.rglob('*')):
                if file.is_file():
                    files[file.relative_to(prepared.root)] = file.read_bytes()
    return found


def damaged_tree(case, trees, root):
    """Writes the tree; the damaged file is newer than what was made of it."""
    files = trees[case.name]
    (path,) = [path for path in files if path.as_posix() == case.file]
    for file in [*(f for f in files if f != path), path]:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(files[file])
    (root / path).write_bytes(case.damage(files[path]))
    return path


def assert_whole(root, files, damaged):
    """Nothing temporary is left, and every other file is as it was or readable."""
    for path in root.rglob('*'):
        assert not path.name.startswith('.')
        relative = path.relative_to(root)
        if not path.is_file() or relative == damaged:
            continue
        content = path.read_bytes()
        if content == files.get(relative):
            continue
        if path.suffix == '.json':
            json.loads(content)
        elif path.suffix == '.png':
            Image.open(io.BytesIO(content)).load()
        else:
            assert path.suffix == '.txt' and content.decode('utf-8')


def go_through(case, trees, root, run, load_config):
    """Prepares, checks and loads; returns whether the damage was found on the way."""
    path = damaged_tree(case, trees, root)
    _, _, parts, config = SETS[case.name]
    arguments = (case.name, '--root', root, '--parts', *parts)
    prepared = run(*arguments)
    if prepared.end is not None:
        assert isinstance(prepared.end, str) and '\n' not in prepared.end
        assert path.name in prepared.end or 'nothing to prepare' in prepared.end
    assert_whole(root, trees[case.name], path)
    checked = run(*arguments, '--check', '--subset')
    assert checked.end in (None, 1)
    lines = checked.out.splitlines()
    assert lines and all(line.startswith(f'{case.name} ') for line in lines)
    failed = False
    if path.suffix not in ('.jpg', '.txt'):
        try:
            load_config(root, *config)[0]
        except (ValueError, OSError) as error:
            failed = True
            assert '\n' not in str(error)
            # the file, or the image that it wrongly names
            assert any(s in str(error) for s in (path.stem, 'elsewhere', 'no image'))
    return prepared.end is not None or checked.end == 1 or failed


ALL = list(cases())


def test_there_are_many_cases():
    assert len(ALL) > 200 and len({str(case) for case in ALL}) == len(ALL)


# every other one in the fast suite
@pytest.mark.parametrize(
    'case',
    [
        pytest.param(case, marks=[pytest.mark.slow] * (number % 2))
        for number, case in enumerate(ALL)
    ],
    ids=str,
)
def test_damage_is_named(case, trees, tmp_path, run, load_config):
    assert go_through(case, trees, tmp_path, run, load_config)


VALUES = [
    None,
    True,
    -1,
    0,
    2.5,
    10**30,
    float('nan'),
    '',
    'x',
    [],
    [[]],
    {},
    {'id': 1},
]


def any_change(seed):
    """Replaces or deletes a random entry, at any depth."""

    def change(content):
        chance = random.Random(seed)
        place = content
        while True:
            keys = list(place) if isinstance(place, dict) else range(len(place))
            key = chance.choice(list(keys))
            below = place[key]
            if not isinstance(below, (dict, list)) or not below:
                break
            if chance.random() < 0.15:
                break
            place = below
        if chance.random() < 0.3:
            del place[key]
        else:
            place[key] = chance.choice(VALUES)

    return edited(change)


JSONS = [
    ('coco-panoptic', 'coco/annotations/panoptic_val2017.json'),
    ('ov-coco', 'coco/annotations/instances_val2017.json'),
    ('ov-lvis', 'lvis_v1/annotations/lvis_v1_val.json'),
    ('pascal-context', 'VOCdevkit/VOC2010/trainval_merged.json'),
]


@pytest.mark.parametrize('seed', range(16))
def test_any_change_of_a_json_is_survived(seed, trees, tmp_path, run, load_config):
    name, file = JSONS[seed % len(JSONS)]
    case = Case(name, file, f'seed {seed}', any_change(seed))
    go_through(case, trees, tmp_path, run, load_config)


def test_nothing_is_found_in_an_undamaged_tree(trees, tmp_path, run, load_config):
    for name in SETS:
        root = tmp_path / name
        file = next(iter(trees[name])).as_posix()
        case = Case(name, file, 'none', lambda content: content)
        assert not go_through(case, trees, root, run, load_config)
        shutil.rmtree(root)
