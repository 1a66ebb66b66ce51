import pytest

from openvocab.vocab import Vocabulary, VocabularyError
from openvocab.vocab.class_entry import normalized_key


@pytest.mark.parametrize(
    'phrase, key',
    [
        ('Tree-merged', 'tree'),
        ('sky-other-merged', 'sky'),
        ('door_stuff', 'door'),
        ('wall-brick', 'wall brick'),
        ('kitchen stuff', 'kitchen stuff'),
        ('  hot   dog ', 'hot dog'),
        ('other', 'other'),
        ('-other', 'other'),
        ('t-shirt', 't shirt'),
    ],
)
def test_normalized_key(phrase, key):
    assert normalized_key(phrase) == key


A = dict(
    name='a',
    classes=[
        dict(name='wall-other', synonyms=['wall'], is_thing=False, split='seen'),
        dict(name='tv', synonyms=['tv', 'television', 'telly'], color=[9, 9, 9]),
        'person',
    ],
)
B = dict(
    name='b',
    classes=[
        dict(name='wall', is_thing=True, split='unseen', synonyms=['wall', 'barrier']),
        'television',
        dict(name='fence', synonyms=['fence', 'barrier', 'person']),
    ],
)


def load_b():
    # 'barrier' is ambiguous within B; take it from the fence.
    classes = [dict(B['classes'][0]), *B['classes'][1:]]
    classes[2] = dict(name='fence', synonyms=['fence', 'railing', 'person'])
    return Vocabulary.load(dict(name='b', classes=classes))


def test_overlap_is_by_key_or_name():
    a, b = Vocabulary.load(A), load_b()
    assert a.overlap(b) == (True, False, False)
    assert b.overlap(a) == (True, False, False)
    assert a.overlap(a) == (True, True, True)


def test_merge_hand_computed():
    merged = Vocabulary.load(A).merge(load_b())
    assert merged.name == 'a+b'
    assert merged.names == ('wall-other', 'tv', 'person', 'television', 'fence')
    # The first vocabulary decides flags, split and colour.
    assert merged.is_thing == (False, True, True, True, True)
    assert merged.splits[0] == 'seen'
    assert merged.classes[1].color == (9, 9, 9)
    # Added: synonyms of the equal class. Gone: synonyms that are now class names.
    assert merged.synonyms[0] == ('wall', 'barrier')
    assert merged.synonyms[1] == ('tv', 'telly')
    assert merged.synonyms[4] == ('fence', 'railing')
    assert [entry.id for entry in merged.classes] == [0, 1, 2, 3, 4]


def test_labels_of_every_merged_list_are_found():
    a, b = Vocabulary.load(A), load_b()
    merged = a.merge(b)
    assert [merged.index(name) for name in a.names] == [0, 1, 2]
    assert [merged.index(name) for name in b.names] == [0, 3, 4]


def test_equal_names_with_other_prompts_merge():
    first = Vocabulary.load([dict(name='pool', synonyms=['swimming pool'])])
    merged = first.merge(['pool', 'sea'])
    assert merged.prompt_names == ('swimming pool', 'sea')
    assert first.overlap(['pool']) == (True,)


def test_merge_is_idempotent_and_takes_any_source():
    a = Vocabulary.load(A)
    assert a.merge(a, name='a').names == a.names
    assert a.merge(['cow'], dict(classes=['sheep'])).names[-2:] == ('cow', 'sheep')
    again = Vocabulary.load(dict(merge=[A, ['cow']], name='farm'))
    assert again.name == 'farm' and again.names[-1] == 'cow'
    assert a.merge() == Vocabulary('a', a.merge().classes)


def test_errors_in_a_part_surface():
    with pytest.raises(VocabularyError, match="'nope'"):
        Vocabulary.load(dict(merge=[['cat'], 'nope']))
    with pytest.raises(VocabularyError, match="'barrier'"):
        Vocabulary.load(B)


def test_counts_of_coco_stuff_with_ade20k():
    stuff, ade = Vocabulary.load('coco_stuff_171'), Vocabulary.load('ade20k_150')
    merged = Vocabulary.load(dict(merge=['coco_stuff_171', 'ade20k_150']))
    assert len(merged) == 260 == 171 + 150 - sum(ade.overlap(stuff))
    assert sum(merged.is_thing) == 141
    assert sum(stuff.overlap(ade)) == sum(ade.overlap(stuff)) == 61
    other_way = ade.merge(stuff)
    assert (len(other_way), sum(other_way.is_thing)) == (260, 159)
    # Flags of COCO-Stuff first: ADE20K calls a window a thing.
    assert not merged.is_thing[merged.index('window')]
    for part in (stuff, ade):
        for entry in part.classes:
            found = merged.classes[merged.index(entry.name)]
            assert found.key == entry.key


def test_coco_panoptic_overlaps_coco_stuff():
    panoptic = Vocabulary.load('coco_panoptic_133')
    stuff = Vocabulary.load('coco_stuff_171')
    assert all(panoptic.overlap(stuff))
