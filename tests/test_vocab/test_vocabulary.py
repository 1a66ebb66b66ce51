import json
import pickle

import pytest

from openvocab.vocab import (
    UnknownClassError,
    Vocabulary,
    VocabularyError,
    list_vocabularies,
)


def toy(name='toy'):
    return Vocabulary.load(
        dict(
            name=name,
            classes=[
                dict(name='cat', synonyms=['cat', 'kitty'], split='base'),
                dict(name='tree-merged', synonyms=['tree'], is_thing=False),
                dict(name='dog', split='novel', color=[1, 2, 3]),
                dict(name='sky-other', synonyms=['sky'], is_thing=False, split='seen'),
            ],
        )
    )


def test_attributes_and_order():
    vocab = toy()
    assert vocab.names == ('cat', 'tree-merged', 'dog', 'sky-other')
    assert vocab.prompt_names == ('cat', 'tree', 'dog', 'sky')
    assert vocab.synonyms == (('cat', 'kitty'), ('tree',), ('dog',), ('sky',))
    assert vocab.is_thing == (True, False, True, False)
    assert vocab.splits == ('base', None, 'novel', 'seen')
    assert len(vocab) == 4


def test_index_takes_names_and_synonyms_in_any_case():
    vocab = toy()
    assert vocab.index('tree-merged') == vocab.index(' Tree ') == 1
    assert vocab.index('KITTY') == 0


def test_find_says_whether_a_name_is_there():
    vocab = toy()
    assert vocab.find(' KITTY') == vocab.index('kitty')
    assert vocab.find('kity') is None


def test_classes_of_splits():
    vocab = toy()
    assert vocab.in_splits(['base']) == tuple(s == 'base' for s in vocab.splits)
    assert all(Vocabulary.load('ov_coco').in_splits(('base', 'novel')))
    for splits in (['base', 'rare'], []):
        with pytest.raises(VocabularyError, match=r"'toy' has the splits \['base'"):
            vocab.in_splits(splits)


def test_index_of_unknown_name_suggests_and_is_one_line():
    with pytest.raises(
        UnknownClassError, match=r"'kity' .*'toy'; did you mean 'kitty'"
    ):
        toy().index('kity')
    with pytest.raises(KeyError):
        toy().index('zzz')
    try:
        toy().index('zzz')
    except KeyError as error:
        assert str(error) == "class 'zzz' is not in vocabulary 'toy'"


def test_list_of_names_are_things_without_split():
    vocab = Vocabulary.load(['red circle', 'grass'])
    assert vocab.is_thing == (True, True)
    assert vocab.splits == (None, None)
    assert vocab.prompt_names == vocab.names
    assert Vocabulary.load(vocab) is vocab


def test_subset_by_names_split_and_flag():
    vocab = toy()
    assert vocab.subset(['dog', 'kitty']).names == ('dog', 'cat')
    assert vocab.subset(split='base').names == ('cat',)
    assert vocab.subset(is_thing=False).names == ('tree-merged', 'sky-other')
    assert vocab.subset(['sky', 'cat'], is_thing=True).names == ('cat',)
    with pytest.raises(UnknownClassError, match="'cow'"):
        vocab.subset(['cow'])
    with pytest.raises(VocabularyError, match=r'toy\[split=rare\].* is empty'):
        vocab.subset(split='rare')
    with pytest.raises(VocabularyError, match=r"duplicate.*'cat'"):
        vocab.subset(['cat', 'kitty'])


def test_hash_follows_content_and_order_only():
    vocab = toy()
    assert len(vocab.hash) >= 12 and int(vocab.hash, 16) >= 0
    assert vocab.hash == toy('another name').hash
    assert vocab.hash != vocab.subset(['dog', 'cat', 'tree', 'sky']).hash
    assert vocab.hash != vocab.subset(['cat', 'tree', 'dog']).hash
    # A colour is drawing, not meaning; a flag is meaning.
    plain, coloured, stuff = (
        Vocabulary.load([dict(name='a', **extra)])
        for extra in ({}, dict(color=[1, 2, 3]), dict(is_thing=False))
    )
    assert plain.hash == coloured.hash != stuff.hash
    # Stable between processes and versions: a literal, since reports print it.
    assert Vocabulary.load(['cat']).hash == HASH_OF_CAT


HASH_OF_CAT = 'ed83fde3d1834038'


def test_immutable_and_picklable():
    vocab = toy()
    with pytest.raises(AttributeError):
        vocab.name = 'x'
    with pytest.raises(AttributeError):
        vocab.classes[0].name = 'x'
    again = pickle.loads(pickle.dumps(vocab))
    assert again == vocab and again.hash == vocab.hash


def test_metainfo():
    meta = toy().metainfo()
    assert meta['classes'] == ('cat', 'tree-merged', 'dog', 'sky-other')
    assert meta['synonyms'][0] == ('cat', 'kitty')
    assert meta['is_thing'] == (True, False, True, False)
    assert meta['base_classes'] == ('cat', 'sky-other')
    assert meta['novel_classes'] == ('dog',)
    assert meta['vocab'] == dict(name='toy', hash=toy().hash)
    assert meta['palette'][2] == (1, 2, 3)
    assert len(set(meta['palette'])) == 4
    # A generated colour belongs to the class, not to its position.
    assert toy().subset(['sky', 'cat']).metainfo()['palette'][1] == meta['palette'][0]


def test_palette_of_many_classes_is_distinct():
    vocab = Vocabulary.load([f'class {i}' for i in range(1203)])
    palette = vocab.metainfo()['palette']
    assert len(set(palette)) == 1203
    assert all(0 <= v <= 255 for color in palette for v in color)


def test_one_class_and_unicode():
    assert len(Vocabulary.load(['crème brûlée'])) == 1


@pytest.mark.parametrize(
    'source, message',
    [
        ([], "vocabulary 'custom' is empty"),
        (['cat', 'dog', 'Cat '], r"duplicate: class 'Cat' \(position 2\).*position 0"),
        (['wall', 'wall-other'], "duplicate: class 'wall-other'.*means 'wall'"),
        (
            [dict(name='taxi', synonyms=['taxi', 'cab']), 'cab'],
            "synonym clash: 'cab' stands for 'cab'.*and for 'taxi'",
        ),
        ([dict(name='a', id=3), dict(name='b', id=3)], "'b'.*id 3 of 'a'"),
        (['cat', 7], 'position 1: expected a name'),
        (['cat', ' '], 'non-empty string'),
        ([dict(id=1)], 'position 0: `name` is missing'),
        ([dict(name='cat', isthing=1)], "class 'cat': unknown key 'isthing'"),
        ([dict(name='cat', is_thing=1)], "'cat': `is_thing` must be true or false"),
        ([dict(name='cat', synonyms='kitty')], "'cat': `synonyms` must be a list"),
        ([dict(name='cat', split=1)], "'cat': `split` must be"),
        ([dict(name='cat', color=[1, 2, 300])], "'cat': `color` must be"),
        ([dict(name='cat', id='1')], "'cat': `id` must be"),
        ('no_such_set', "unknown vocabulary 'no_such_set'.*coco_panoptic_133"),
        (dict(merge=[]), 'empty list'),
        (dict(merge='coco_stuff_171'), '`merge` of a vocabulary is a list'),
        (dict(merge=[['a']], classes=['b']), 'one of `merge`, `subset`'),
        (dict(names=['a']), 'one of `merge`, `subset`.*names'),
        (3, 'got 3'),
        (None, 'got None'),
    ],
)
def test_errors_name_the_culprit_in_one_line(source, message):
    with pytest.raises(VocabularyError, match=message) as caught:
        Vocabulary.load(source)
    assert '\n' not in str(caught.value)


def write(path, text):
    path.write_text(text, encoding='utf-8')
    return str(path)


def test_load_from_path(tmp_path):
    content = dict(name='mine', source='me', classes=[dict(name='cat'), 'dog'])
    file = write(tmp_path / 'f.json', json.dumps(content))
    vocab = Vocabulary.load(file)
    assert (vocab.name, vocab.names) == ('mine', ('cat', 'dog'))
    assert Vocabulary.load(tmp_path / 'f.json') == vocab


def test_a_file_with_other_prompts(tmp_path):
    prompts = dict(sofa='couch', tvmonitor='television')
    content = dict(name='mine', of='pascal_voc_20', prompts=prompts)
    vocab = Vocabulary.load(write(tmp_path / 'f.json', json.dumps(content)))
    usual = Vocabulary.load('pascal_voc_20')
    changed = {e.name: e.synonyms for e in set(vocab.classes) - set(usual.classes)}
    assert changed == {
        'sofa': ('couch', 'sofa'),
        'tvmonitor': ('television', 'tvmonitor', 'tv monitor', 'tv'),
    }
    assert vocab.names == usual.names and vocab.name == 'mine'
    for wrong, message in (
        (dict(content, prompts={'settee': 'sofa'}), "'settee' is no class of 'pascal_"),
        (dict(content, prompts=None), 'beside `of` stands an object `prompts`'),
        (dict(content, classes=['a']), 'and no `classes`'),
        (dict(content, of='nothing'), "unknown vocabulary 'nothing'"),
        (dict(content, prompts=dict(sofa='cat')), "means 'cat'"),
    ):
        with pytest.raises(VocabularyError, match=message):
            Vocabulary.load(write(tmp_path / 'f.json', json.dumps(wrong)))


def test_file_errors_name_file_and_line(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'nowhere\.json'):
        Vocabulary.load(str(tmp_path / 'nowhere.json'))
    broken = write(tmp_path / 'broken.json', '{\n "classes": [\n  "a",,\n ]}')
    with pytest.raises(VocabularyError, match=r'broken\.json, line 3: not valid json'):
        Vocabulary.load(broken)
    shape = write(tmp_path / 'shape.json', '["a"]')
    with pytest.raises(VocabularyError, match=r'shape\.json: expected an object'):
        Vocabulary.load(shape)
    key = write(tmp_path / 'key.json', '{"classes": ["a"], "clases": []}')
    with pytest.raises(VocabularyError, match=r"key\.json: unknown key 'clases'"):
        Vocabulary.load(key)
    twice = write(tmp_path / 'twice.json', '{"classes": ["a", "a"]}')
    with pytest.raises(VocabularyError, match=r"twice\.json: .*duplicate.*'a'"):
        Vocabulary.load(twice)
    (tmp_path / 'bytes.json').write_bytes(b'\xff\xfe\x00')
    with pytest.raises(VocabularyError, match=r'bytes\.json: not a text file'):
        Vocabulary.load(tmp_path / 'bytes.json')


def test_every_packaged_file_loads():
    assert {'ade20k_150', 'coco_panoptic_133', 'coco_stuff_171'} <= set(
        list_vocabularies()
    )
    for name in list_vocabularies():
        vocab = Vocabulary.load(name)
        assert vocab.name == name
        if name.endswith('_labels'):
            continue
        # No prompt name carries an annotation suffix, list or stray blank.
        for entry in vocab.classes:
            assert entry.prompt_name == entry.prompt_name.strip()
            assert not any(mark in entry.prompt_name for mark in ',;_')
            assert not entry.prompt_name.endswith(('-merged', '-other', '-stuff'))
