"""The packaged class files against the metainfo that mmdet and mmseg ship."""

import pytest

from openvocab.vocab import Vocabulary


@pytest.fixture(scope='module')
def mm():
    mmdet = pytest.importorskip('mmdet.datasets')
    mmseg = pytest.importorskip('mmseg.datasets')
    return dict(
        coco=mmdet.CocoPanopticDataset.METAINFO,
        ade=mmdet.ade20k.ADE20KPanopticDataset.METAINFO,
        ade_instance=mmdet.ade20k.ADE20KInstanceDataset.METAINFO,
        stuff_semantic=mmseg.COCOStuffDataset.METAINFO,
        ade_semantic=mmseg.ADE20KDataset.METAINFO,
    )


def test_coco_panoptic(mm):
    vocab = Vocabulary.load('coco_panoptic_133')
    assert vocab.names == tuple(mm['coco']['classes'])
    assert vocab.is_thing == (True,) * 80 + (False,) * 53
    assert vocab.metainfo()['palette'] == [tuple(c) for c in mm['coco']['palette']]
    ids = [entry.id for entry in vocab.classes]
    assert ids == sorted(ids) and (ids[0], ids[79], ids[80], ids[-1]) == (
        1,
        90,
        92,
        200,
    )
    assert vocab.classes[vocab.index('tree-merged')].id == 184
    assert vocab.classes[vocab.index('tree-merged')].prompt_name == 'tree'
    assert vocab.classes[vocab.index('wall-brick')].prompt_name == 'brick wall'


def test_coco_stuff(mm):
    vocab = Vocabulary.load('coco_stuff_171')
    assert vocab.names == tuple(mm['stuff_semantic']['classes'])
    assert vocab.is_thing == (True,) * 80 + (False,) * 91
    assert [entry.id for entry in vocab.classes[80:]] == list(range(92, 183))
    palette = mm['stuff_semantic']['palette']
    assert vocab.metainfo()['palette'] == [tuple(color) for color in palette]


def test_ade20k_positions_are_the_semantic_labels(mm):
    vocab = Vocabulary.load('ade20k_150')
    semantic = mm['ade_semantic']['classes']
    assert [vocab.index(name) for name in semantic] == list(range(150))
    assert [entry.id for entry in vocab.classes] == list(range(1, 151))
    palette = mm['ade_semantic']['palette']
    assert vocab.metainfo()['palette'] == [tuple(color) for color in palette]


def test_ade20k_names_and_flags_are_those_of_the_panoptic_annotation(mm):
    vocab = Vocabulary.load('ade20k_150')
    assert set(vocab.names) == set(mm['ade']['classes'])
    things = {n for n, t in zip(vocab.names, vocab.is_thing, strict=True) if t}
    assert things == set(mm['ade']['thing_classes']) and len(things) == 100
    positions = {vocab.index(name) for name in mm['ade_instance']['classes']}
    assert positions == {i for i, thing in enumerate(vocab.is_thing) if thing}
    assert sum(not thing for thing in vocab.is_thing) == 50
    assert vocab.synonyms[vocab.index('road, route')] == ('road', 'route')
