"""Class lists of the segmentation benchmarks against mmseg's and the data sets' ids."""

from collections import defaultdict

import pytest

from openvocab.vocab import Vocabulary, list_vocabularies
from openvocab.vocab.class_entry import normalized_key
from openvocab.vocab.trained_classes import TrainedClasses

SIZES = dict(
    ade20k_847=847,
    ade20k_847_labels=847,
    ade20k_150_labels=150,
    ade20k_150_mmseg=150,
    coco_stuff_171_labels=171,
    pascal_voc_20_tv=20,
    pascal_context_59=59,
    pascal_context_60=60,
    pascal_context_459=459,
    pascal_context_459_glued=459,
    pascal_voc_20=20,
    pascal_voc_20b=59,
    pascal_voc_21=21,
    cityscapes_19=19,
    coco_object_81=81,
)


@pytest.fixture(scope='module')
def mmseg_classes():
    datasets = pytest.importorskip('mmseg.datasets')
    return lambda name: tuple(getattr(datasets, name).METAINFO['classes'])


@pytest.mark.parametrize('name', SIZES)
def test_sizes_and_distinct_prompts(name):
    assert name in list_vocabularies()
    vocab = Vocabulary.load(name)
    assert len(vocab) == SIZES[name]
    assert len(set(vocab.prompt_names)) == len(vocab)


def test_pascal_context_follows_mmseg(mmseg_classes):
    expected = mmseg_classes('PascalContextDataset59')
    vocab = Vocabulary.load('pascal_context_59')
    # mmseg says table for what SAN and CAT-Seg call diningtable.
    assert [vocab.index(name) for name in expected] == list(range(59))
    assert vocab.names[49] == 'diningtable'
    assert Vocabulary.load('pascal_context_60').names == ('background', *vocab.names)


def test_pascal_context_59_has_the_ids_of_the_459():
    whole = Vocabulary.load('pascal_context_459')
    assert [entry.id for entry in whole.classes] == list(range(1, 460))
    for entry in Vocabulary.load('pascal_context_59').classes:
        name = 'table' if entry.name == 'diningtable' else entry.name
        assert whole.classes[entry.id - 1].name == name


def test_pascal_context_459_splits_compounds_only_in_prompts():
    split = Vocabulary.load('pascal_context_459')
    glued = Vocabulary.load('pascal_context_459_glued')
    assert split.names == glued.names == glued.prompt_names
    assert [p.replace(' ', '') for p in split.prompt_names] == list(glued.names)
    assert sum(' ' in prompt for prompt in split.prompt_names) == 94
    assert (split.names[255], split.names[430]) == ('monkey', 'unknown')
    assert split.prompt_names[split.index('airconditioner')] == 'air conditioner'


def test_ade20k_847():
    vocab = Vocabulary.load('ade20k_847')
    ids = {entry.name: entry.id for entry in vocab.classes}
    assert (ids['wall'], ids['towel rail'], ids['alga, algae']) == (2978, 2826, 3156)
    assert len(set(ids.values())) == 847 and min(ids.values()) == 6
    # ADE20K counts its names in alphabetical order up to 3100 and appended some later:
    # a wrong or shifted id would break the order.
    counted = [name for name in sorted(ids, key=ids.get) if ids[name] < 3100]
    assert len(counted) == 827
    assert counted == sorted(counted)
    assert vocab.names[:3] == ('wall', 'building, edifice', 'sky')
    assert vocab.names[255] == 'pier'
    assert sum(',' in name for name in vocab.names) == 217


def test_ade20k_847_prompts_are_first_synonyms_where_these_differ():
    vocab = Vocabulary.load('ade20k_847')
    first = [name.split(',')[0] for name in vocab.names]
    changed = {
        (name, prompt)
        for name, prompt, usual in zip(
            vocab.names, vocab.prompt_names, first, strict=True
        )
        if prompt != usual
    }
    assert len(changed) == 10
    assert ('bag, handbag, pocketbook, purse', 'handbag') in changed
    assert ('pier, wharf, wharfage, dock', 'wharf') in changed
    repeated = {usual for usual in first if first.count(usual) > 1}
    assert repeated == {
        'bag', 'pot', 'basket', 'screen', 'pier', 'control panel', 'pipe', 'grill',
        'patio',
    }  # fmt: skip
    assert {name.split(',')[0] for name, _ in changed} == repeated


def test_pascal_voc(mmseg_classes):
    with_background = mmseg_classes('PascalVOCDataset')
    assert Vocabulary.load('pascal_voc_21').names == with_background
    twenty = Vocabulary.load('pascal_voc_20')
    assert twenty.names == twenty.prompt_names == with_background[1:]
    assert [entry.id for entry in twenty.classes] == list(range(1, 21))


def test_pas20b_is_voc_first_then_the_rest_of_pascal_context():
    vocab = Vocabulary.load('pascal_voc_20b')
    context = set(Vocabulary.load('pascal_context_59').names)
    assert vocab.names[:20] == Vocabulary.load('pascal_voc_20').names
    assert set(vocab.names) == context
    assert vocab.names[20] == 'bag' and vocab.names[-1] == 'wood'


def test_cityscapes(mmseg_classes):
    vocab = Vocabulary.load('cityscapes_19')
    assert vocab.names == mmseg_classes('CityscapesDataset')
    assert vocab.is_thing == (False,) * 11 + (True,) * 8
    assert (vocab.classes[0].id, vocab.classes[-1].id) == (7, 33)


def test_coco_object():
    vocab = Vocabulary.load('coco_object_81')
    stuff = Vocabulary.load('coco_stuff_171')
    assert vocab.names == ('background', *stuff.names[:80])
    assert [e.id for e in vocab.classes[1:]] == [e.id for e in stuff.classes[:80]]


def test_prompts_of_the_public_code(mmseg_classes):
    """What the published figures of CAT-Seg and SAN were made with."""
    coco = Vocabulary.load('coco_stuff_171_labels')
    assert coco.prompt_names == coco.names == mmseg_classes('COCOStuffDataset')
    cat_seg = Vocabulary.load('ade20k_150_mmseg').prompt_names
    assert cat_seg == tuple(n.strip() for n in mmseg_classes('ADE20KDataset'))
    for name in ('ade20k_150', 'ade20k_847'):
        san = Vocabulary.load(f'{name}_labels')
        assert san.prompt_names == san.names == Vocabulary.load(name).names
        assert any(', ' in prompt for prompt in san.prompt_names)
    assert Vocabulary.load('pascal_voc_20_tv').prompt_names[-1] == 'tv'


@pytest.mark.parametrize(
    'name',
    ['coco_stuff_171_labels', 'ade20k_150_labels', 'ade20k_150_mmseg',
     'ade20k_847_labels', 'pascal_voc_20_tv', 'pascal_context_459_glued'],
)  # fmt: skip
def test_other_prompts_change_nothing_else(name):
    other, usual = Vocabulary.load(name), Vocabulary.load(name.rpartition('_')[0])
    assert other.prompt_names != usual.prompt_names
    assert other.metainfo()['palette'] == usual.metainfo()['palette']
    for ours, theirs in zip(other.classes, usual.classes, strict=True):
        same = (ours.id, ours.name, ours.is_thing, ours.color)
        assert same == (theirs.id, theirs.name, theirs.is_thing, theirs.color)
        assert set(ours.phrases) == set(theirs.phrases)


def test_a_name_is_seen_or_unseen_wherever_it_occurs():
    trained = TrainedClasses(Vocabulary.load('coco_stuff_171'))
    novel, where = defaultdict(set), defaultdict(list)
    for name in (*SIZES, 'ade20k_150', 'coco_stuff_171', 'coco_panoptic_133'):
        vocab = Vocabulary.load(name)
        for entry, flag in zip(vocab.classes, trained.novel(vocab), strict=True):
            for phrase in (entry.name, entry.prompt_name):
                novel[normalized_key(phrase)].add(flag)
                where[normalized_key(phrase)].append(name)
    assert {key: where[key] for key, flags in novel.items() if len(flags) > 1} == {}
    seen = {key for key, flags in novel.items() if not any(flags)}
    assert seen >= {
        'sofa', 'sidewalk', 'earth, ground', 'minibike, motorbike', 'ski', 'stair',
        'windowblinds', 'diningtable', 'shelves', 'television receiver',
    }  # fmt: skip
    assert not seen & {'pole', 'vegetation', 'van', 'lake', 'bag', 'computer', 'sign'}
