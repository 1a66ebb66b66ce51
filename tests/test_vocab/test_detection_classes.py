"""The class files of the detection benchmarks and their protocols."""

import ast
import json
from collections import Counter
from pathlib import Path

import pytest

import openvocab.vocab
from openvocab.vocab import Vocabulary, VocabularyError, get_prompts

CLASSES = Path(openvocab.vocab.__file__).parent / 'classes'
SIZES = dict(ov_coco=65, coco_80=80, lvis_v1=1203, objects365_v1=365, voc_20=20)
NOVEL_COCO_IDS = [5, 6, 17, 18, 21, 22, 28, 32, 36, 41, 47, 49, 61, 63, 76, 81, 87]


@pytest.fixture(scope='module')
def mmdet():
    return pytest.importorskip('mmdet.datasets')


@pytest.mark.parametrize('name, size', SIZES.items())
def test_size_and_one_class_per_line(name, size):
    vocab = Vocabulary.load(name)
    assert len(vocab) == size and all(vocab.is_thing)
    text = (CLASSES / f'{name}.json').read_text()
    assert json.loads(text)['name'] == name and json.loads(text)['source']
    assert text.count('\n') == size + 6
    palette = vocab.metainfo()['palette']
    assert len(palette) == len(set(palette)) == size


def test_coco_80(mmdet):
    vocab = Vocabulary.load('coco_80')
    meta = mmdet.CocoDataset.METAINFO
    assert vocab.names == vocab.prompt_names == meta['classes']
    assert vocab.metainfo()['palette'] == meta['palette']
    assert vocab.classes == tuple(
        entry.__class__(id=entry.id, name=entry.name, color=entry.color)
        for entry in Vocabulary.load('coco_panoptic_133').classes[:80]
    )


def test_ov_coco_is_coco_without_15_classes():
    vocab, coco = Vocabulary.load('ov_coco'), Vocabulary.load('coco_80')
    kept = set(vocab.names)
    official = [entry for entry in coco.classes if entry.name in kept]
    assert [(e.id, e.name, e.color) for e in vocab.classes] == [
        (e.id, e.name, e.color) for e in official
    ]
    assert Counter(vocab.splits) == dict(base=48, novel=17)
    assert [e.id for e in vocab.classes if e.split == 'novel'] == NOVEL_COCO_IDS
    # interleaved, not at the end
    assert vocab.is_novel[4] and not vocab.is_novel[-1]
    assert len(vocab.metainfo()['base_classes']) == 48
    assert vocab.metainfo()['novel_classes'][:2] == ('airplane', 'bus')
    assert 'traffic light' not in kept and 'dining table' not in kept


def test_ov_coco_is_the_split_of_mmdets_configs(mmdet):
    folder = Path(mmdet.__file__).parents[1] / '.mim' / 'configs'
    found = sorted(folder.rglob('*_48_17.py'))
    if not found:
        pytest.skip('this mmdet ships no 48/17 config')
    lists = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(found[0].read_text()).body
        if isinstance(node, ast.Assign)
        and 'classes' in node.targets[0].id
        and isinstance(node.value, ast.Tuple)
    }
    meta = Vocabulary.load('ov_coco').metainfo()
    assert set(meta['base_classes']) == set(lists['base_classes'])
    assert set(meta['novel_classes']) == set(lists['novel_classes'])


def test_lvis_v1(mmdet):
    vocab = Vocabulary.load('lvis_v1')
    assert [entry.id for entry in vocab.classes] == list(range(1, 1204))
    assert Counter(vocab.splits) == dict(r=337, c=461, f=405)
    assert sum(vocab.is_base) == 866 and sum(vocab.is_novel) == 337
    assert len(vocab.metainfo()['novel_classes']) == 337
    # one name is misspelt in the annotation files and put right in mmdet
    different = [
        (entry.id, entry.name, other)
        for entry, other in zip(
            vocab.classes, mmdet.LVISV1Dataset.METAINFO['classes'], strict=True
        )
        if entry.name != other
    ]
    right = 'speaker_(stereo_equipment)'
    assert different == [(655, 'speaker_(stero_equipment)', right)]
    assert vocab.index(right) == vocab.index('speaker (stereo equipment)') == 654


def test_lvis_v1_known_frequencies_and_phrases():
    vocab = Vocabulary.load('lvis_v1')
    known = dict(aerosol_can='c', apricot='r', backpack='f', zucchini='c', person='f')
    assert {name: vocab.splits[vocab.index(name)] for name in known} == known
    phrases = {name: vocab.prompt_names[vocab.index(name)] for name in vocab.names}
    assert phrases['arctic_(type_of_shoe)'] == 'arctic (type of shoe)'
    assert phrases['Band_Aid'] == 'band aid'
    assert phrases['flip-flop_(sandal)'] == 'flip-flop (sandal)'
    last = 'monitor_(computer_equipment) computer_monitor'
    assert phrases[last] == 'monitor (computer equipment) computer monitor'


def test_objects365_v1(mmdet):
    vocab = Vocabulary.load('objects365_v1')
    official = mmdet.Objects365V1Dataset.METAINFO['classes']
    # the official 'tissue ' ends in a blank, which look-ups ignore
    assert [vocab.index(name) for name in official] == list(range(365))
    assert [entry.id for entry in vocab.classes] == list(range(1, 366))
    position = vocab.index('cabinet/shelf')
    assert vocab.prompt_names[position] == 'cabinet or shelf'
    assert vocab.index('cabinet / shelf') == position


def test_voc_20(mmdet):
    vocab = Vocabulary.load('voc_20')
    assert vocab.names == mmdet.VOCDataset.METAINFO['classes']
    assert vocab.metainfo()['palette'] == mmdet.VOCDataset.METAINFO['palette']
    pairs = zip(vocab.names, vocab.prompt_names, strict=True)
    spaced = {name: phrase for name, phrase in pairs if name != phrase}
    assert spaced == dict(
        diningtable='dining table', pottedplant='potted plant', tvmonitor='tv monitor'
    )
    assert vocab.index('TV monitor') == vocab.index('tvmonitor')


@pytest.mark.parametrize('name', SIZES)
def test_sentences_equal_those_of_the_raw_name(name):
    """A slow reference: the raw name cleaned and put into the 63 prompts of ViLD."""
    vocab, prompts = Vocabulary.load(name), get_prompts('vild63')
    spaced = dict(
        diningtable='dining table', pottedplant='potted plant', tvmonitor='tv monitor'
    )
    for raw, phrase in zip(vocab.names, vocab.prompt_names, strict=True):
        text = spaced.get(raw, raw).replace('_', ' ').replace('/', ' or ')
        text = text.lower().strip()
        while text.endswith('.'):
            text = text[:-1]
        # the published tool looks at the raw name's first letter, small vowels only
        article = 'an' if raw[0] in 'aeiou' else 'a'
        sentences = prompts.format(phrase)
        assert len(set(sentences)) == 63
        assert sentences[0] == f'There is {article} {text} in the scene.'
        assert sentences[8] == f'This is a photo of {article} {text}.'
        assert f'This is an embroidered {text}.' in sentences
        assert sum(s.startswith('This is ') for s in sentences) == 58


def test_subset_as_a_dict():
    things = Vocabulary.load(dict(subset='ov_shapes', is_thing=True))
    assert things == Vocabulary.load('ov_shapes').subset(is_thing=True)
    assert len(things) == 36 and set(things.splits) == {'base', 'novel'}
    rare = Vocabulary.load(dict(subset='lvis_v1', split='r', name='rare'))
    assert len(rare) == 337 and rare.name == 'rare'
    two = Vocabulary.load(dict(subset=['a', 'b', 'c'], names=['c', 'a']))
    assert two.names == ('c', 'a')
    merged = Vocabulary.load(
        dict(merge=[dict(subset='ov_shapes', is_thing=False), ['red circle']])
    )
    assert len(merged) == 11


@pytest.mark.parametrize(
    'source, message',
    [
        (dict(subset='ov_shapes', things=True), 'got the keys subset, things'),
        (dict(subset='ov_shapes', merge=[]), 'got the keys subset, merge'),
        (dict(classes=['a'], is_thing=True), 'got the keys classes, is_thing'),
        (dict(subset='ov_shapes', split='rare'), r'split=rare\].* is empty'),
    ],
)
def test_wrong_subset_is_named(source, message):
    with pytest.raises(VocabularyError, match=message) as caught:
        Vocabulary.load(source)
    assert '\n' not in str(caught.value)
