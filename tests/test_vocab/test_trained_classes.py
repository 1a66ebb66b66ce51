"""What a model takes for novel when its vocabulary changes."""

from openvocab.vocab import Vocabulary
from openvocab.vocab.trained_classes import TrainedClasses

TRAINED = [
    dict(name='tv', synonyms=['television', 'telly'], split='base'),
    dict(name='potted_plant', split='base'),
    dict(name='cat', synonyms=['cat', 'kitty'], split='novel'),
]


def novel(trained, *classes):
    return TrainedClasses(Vocabulary.load(trained)).novel(Vocabulary.load(classes))


def test_splits_of_another_vocabulary_do_not_count():
    names = ['zebra', 'aerosol_can', 'airplane', 'cat', 'applesauce', 'cow']
    foreign = Vocabulary.load('lvis_v1').subset(names)
    assert set(foreign.splits) == {'c', 'f', 'r'}
    trained = TrainedClasses(Vocabulary.load('ov_coco'))
    expected = (False, True, True, True, True, True)
    assert trained.novel(foreign) == expected
    assert trained.novel(Vocabulary.load(names)) == expected


def test_the_trained_vocabulary_keeps_its_flags():
    for name in ('ov_coco', 'lvis_v1', 'ov_shapes'):
        vocabulary = Vocabulary.load(name)
        assert TrainedClasses(vocabulary).novel(vocabulary) == vocabulary.is_novel
        part = vocabulary.subset(vocabulary.names[::-3])
        assert TrainedClasses(vocabulary).novel(part) == part.is_novel


def test_without_splits_all_that_was_trained_is_known():
    assert novel('coco_80', 'zebra', 'cat', 'sofa') == (False, False, True)


def test_any_synonym_of_a_trained_class_counts():
    assert novel(TRAINED, 'Television', 'telly', 'TV', 'potted plant') == (False,) * 4
    assert novel(TRAINED, 'kitty', 'lamp') == (True, True)
    screen = dict(name='screen', synonyms=['screen', 'telly'], split='novel')
    assert novel(TRAINED, screen) == (False,)


def test_a_name_wins_over_a_synonym():
    trained = [
        dict(name='cat', synonyms=['cat', 'big-cat'], split='novel'),
        dict(name='big cat', split='base'),
    ]
    assert novel(trained, 'big cat', 'cat') == (False, True)
