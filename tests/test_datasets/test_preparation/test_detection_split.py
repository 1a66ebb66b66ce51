"""Derived annotation files: content, counts, checksum, and the tool around them."""

import hashlib
import json
from dataclasses import replace

import pytest

from helpers.coco_style import annotation, official_json, write
from openvocab.datasets import OVDetDataset
from openvocab.datasets.detection_json import DetectionJson
from openvocab.datasets.preparation import coco, detection_split
from openvocab.datasets.preparation.detection_split import DERIVATIONS, update_json
from openvocab.vocab import Vocabulary

TRAIN, VAL = DERIVATIONS['ov_coco']
(NORARE,) = DERIVATIONS['ov_lvis']


def lvis_json():
    vocab = Vocabulary.load('lvis_v1')
    categories = [
        dict(id=entry.id, name=entry.name, frequency=entry.split)
        for entry in vocab.classes
    ]
    rare = vocab.classes[vocab.index('apricot')].id
    images = [dict(id=i, height=30, width=50, neg_category_ids=[i]) for i in (7, 9)]
    boxes = [
        annotation(1, 7, 1, [1, 1, 9, 9]),
        annotation(2, 9, rare, [1, 1, 9, 9]),
        annotation(3, 7, rare, [1, 1, 9, 9]),
        annotation(4, 7, 655, [1, 1, 9, 9]),
    ]
    return dict(info={}, images=images, annotations=boxes, categories=categories)


def derive(derivation, path):
    vocabulary = Vocabulary.load(derivation.vocabulary)
    source = DetectionJson.load(str(path), vocabulary, derivation.drop_unknown)
    return derivation.of(source)


def ids(content, key):
    return [entry['id'] for entry in content[key]]


def test_ov_coco_train(tmp_path):
    official = official_json()
    content = derive(TRAIN, write(tmp_path / 'official.json', official))
    assert list(content) == list(official) and content['info'] == official['info']
    assert ids(content, 'annotations') == [11, 13]
    assert ids(content, 'images') == [139]
    # all 65 categories, base and novel, as the file orders them
    names = [category['name'] for category in content['categories']]
    assert set(names) == set(Vocabulary.load('ov_coco').names) and len(names) == 65
    order = [c['name'] for c in official['categories'] if c['name'] in names]
    assert names == order
    # entries are untouched
    assert content['annotations'][1] == official['annotations'][2]
    assert content['images'][0] == official['images'][0]


def test_ov_coco_val(tmp_path):
    content = derive(VAL, write(tmp_path / 'official.json', official_json()))
    assert ids(content, 'annotations') == [11, 12, 13, 14]
    assert ids(content, 'images') == [139, 285]
    assert len(content['categories']) == 65


def test_a_crowd_or_a_box_without_size_keeps_its_image(tmp_path):
    official = official_json()
    crowd = dict(annotation(21, 632, 1, [1, 1, 9, 9]), iscrowd=1)
    official['annotations'] += [crowd, annotation(22, 285, 1, [1, 1, 0, 9])]
    content = derive(TRAIN, write(tmp_path / 'official.json', official))
    assert ids(content, 'images') == [139, 285, 632]


def test_lvis_norare_keeps_categories_and_images(tmp_path):
    official = lvis_json()
    content = derive(NORARE, write(tmp_path / 'lvis.json', official))
    assert ids(content, 'annotations') == [1, 4]
    assert content['images'] == official['images']
    assert content['categories'] == official['categories']


@pytest.mark.parametrize(
    'derivation, training', [(TRAIN, True), (VAL, False)], ids=['train', 'val']
)
def test_the_data_set_gives_the_same_items_with_either_file(
    tmp_path, derivation, training
):
    official = write(tmp_path / 'official.json', official_json())
    derived = write(tmp_path / 'derived.json', derive(derivation, official))
    ours = dict(splits=('base',), filter_cfg=dict(filter_empty_gt=True))
    both = [
        OVDetDataset(
            ann_file=path,
            vocabulary='ov_coco',
            drop_unknown='coco_80',
            serialize_data=False,
            **(ours if training else dict(keep_only_annotated=True, test_mode=True)),
        )
        for path in (official, derived)
    ]
    assert both[0].data_list == both[1].data_list and len(both[0].data_list) >= 1


@pytest.mark.parametrize('batch', [1, 2, 3, 10_000])
def test_written_json_is_the_content_whatever_the_batches(tmp_path, monkeypatch, batch):
    monkeypatch.setattr(detection_split, '_BATCH', batch)
    content = dict(
        info=dict(text='é "quoted"', number=0.1), empty=[], images=[1, [2, 3], {'a': 4}]
    )
    steps = []
    path = tmp_path / 'new' / 'file.json'
    digest, new = update_json(
        path, content, lambda done, total: steps.append((done, total))
    )
    data = path.read_bytes()
    assert json.loads(data) == content
    assert data == json.dumps(content, separators=(',', ':')).encode()
    assert digest == hashlib.sha256(data).hexdigest()
    assert steps[-1] == (3, 3) and steps == sorted(steps)
    assert list(path.parent.iterdir()) == [path]
    assert new and update_json(path, content) == (digest, False)
    path.write_bytes(data[:-1])
    assert update_json(path, content) == (digest, True) and path.read_bytes() == data


def test_empty_object_and_failure_leave_nothing_half_written(tmp_path):
    path = tmp_path / 'file.json'
    update_json(path, {})
    assert path.read_text() == '{}'
    with pytest.raises(TypeError):
        update_json(path, dict(images=[1], other=[object()]))
    assert path.read_text() == '{}' and list(tmp_path.iterdir()) == [path]


def test_the_tool_writes_prints_and_compares(tmp_path, monkeypatch, run):
    folder = tmp_path / 'coco/annotations'
    folder.mkdir(parents=True)
    for derivation in (TRAIN, VAL):
        write(folder / derivation.official, official_json())
    # as if the published validation file had two images
    monkeypatch.setitem(
        coco.DERIVATIONS, 'ov_coco', (TRAIN, replace(VAL, published_images=2))
    )
    out = tmp_path / 'zero-shot'
    arguments = ('ov-coco', '--root', tmp_path, '--out', out)
    printed = run(*arguments).out
    assert 'DIFFERENT from the published 107,761' in printed
    assert 'equal to the published 2 ' in printed
    files = sorted((out / 'coco/annotations').iterdir())
    assert [path.name for path in files] == [
        'instances_train2017_seen_2_65_cat.json',
        'instances_val2017_all_2.json',
    ]
    for path in files:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert f'sha256 {digest}  {path}\n' in printed
    assert run(*arguments).out == printed.replace('written    ', 'kept       ')


def test_the_check_compares_a_derived_file(tmp_path, run):
    folder = tmp_path / 'coco/annotations'
    folder.mkdir(parents=True)
    write(folder / VAL.official, official_json())
    arguments = ('ov-coco', '--root', tmp_path, '--parts', 'val2017')
    assert run(*arguments).end is None
    path = folder / VAL.derived
    assert VAL.derived not in run(*arguments, '--check').out
    content = json.loads(path.read_text())
    path.write_text(json.dumps(dict(content, images=content['images'][:1])))
    printed = run(*arguments, '--check').out
    assert f'{path}: not what {VAL.official} gives: 1 images, expected 2' in printed
    path.write_text('{}')
    assert f"{path} has no 'images' entry" in run(*arguments, '--check').out


def test_the_tool_writes_lvis_beside_the_official_file(tmp_path, run):
    folder = tmp_path / 'lvis_v1/annotations'
    folder.mkdir(parents=True)
    write(folder / NORARE.official, lvis_json())
    out = run('ov-lvis', '--root', tmp_path).out
    assert 'DIFFERENT from the published 100,170' in out
    derived = json.loads((folder / 'lvis_v1_train_norare.json').read_text())
    assert len(derived['categories']) == 1203 and len(derived['annotations']) == 2


def test_the_tool_names_a_missing_or_wrong_file(tmp_path, run):
    end = run('ov-coco', '--root', tmp_path).end
    assert 'instances_{train2017,val2017}.json' in end
    folder = tmp_path / 'lvis_v1/annotations'
    folder.mkdir(parents=True)
    write(folder / NORARE.official, official_json())
    end = run('ov-lvis', '--root', tmp_path).end
    assert 'lvis_v1_train.json: category' in end and 'is not in' in end
