"""A detector and its data must speak of the same classes before it trains."""

from types import SimpleNamespace

import pytest
from mmengine.logging import MMLogger
from torch import nn

from openvocab.engine.hooks import DetVocabularyHook
from openvocab.vocab import Vocabulary

CLASSES = [
    dict(name='cat', synonyms=['cat', 'kitty'], split='base'),
    dict(name='dog', split='novel'),
    dict(name='cow', split='base'),
]


class Detector(nn.Module):
    novel_classes = ('dog',)

    def __init__(self):
        super().__init__()
        self.text_bank = nn.Module()
        self.set_vocabulary(CLASSES)

    def set_vocabulary(self, source):
        self.text_bank.vocabulary = Vocabulary.load(source)


def data(classes, boxes_of=(0, 2)):
    return SimpleNamespace(
        vocabulary=Vocabulary.load(classes),
        cat2label={10 * label: label for label in range(len(classes))},
        cat_img_map={10 * i: [1] * (i in boxes_of) for i in range(len(classes))},
    )


def plain(*names):
    """A data set of mmdet's."""
    return SimpleNamespace(metainfo=dict(classes=names))


def start(train, val=None, model=Detector):
    runner = SimpleNamespace(
        model=model(),
        train_dataloader=SimpleNamespace(dataset=train),
        val_loop=val and object(),
        val_dataloader=SimpleNamespace(dataset=val),
        logger=MMLogger.get_current_instance(),
    )
    hook = DetVocabularyHook()
    hook.before_train(runner)
    return runner, hook


@pytest.mark.parametrize(
    'train', [data(CLASSES), data(['kitty', 'Dog', 'cow']), plain('cat', 'dog', 'cow')]
)
def test_the_same_classes_in_the_same_order(train):
    start(train, val=data(CLASSES))
    start(SimpleNamespace(datasets=[SimpleNamespace(dataset=train)]))


@pytest.mark.parametrize(
    ('train', 'message'),
    [
        (data(['cat', 'dog', 'cow', 'bee']), r'dataset\.vocabulary and .* 4 and 3'),
        (data(['cat', 'dog']), '2 and 3 classes. Give'),
        (data(['cat', 'cow', 'dog']), "label 1 is 'cow' in the data and 'dog'"),
        (plain('cat', 'bee', 'cow'), r"dataset\.metainfo and .* label 1 is 'bee'"),
    ],
)
def test_training_on_other_classes_names_both_keys(train, message):
    with pytest.raises(ValueError, match=message) as error:
        start(train)
    assert 'train_dataloader.dataset' in str(error.value)
    assert 'model.text_bank.vocabulary' in str(error.value)
    with pytest.raises(ValueError, match=message):
        start(SimpleNamespace(datasets=[data(CLASSES), train]))


def test_boxes_of_novel_classes_are_found_before_the_training():
    with pytest.raises(ValueError, match=r"boxes of 'dog'.*splits=\('base',\)"):
        start(data(CLASSES, boxes_of=(0, 1)))


def test_validation_is_followed_where_that_is_possible():
    runner, hook = start(data(CLASSES), val=data(['bee']))
    hook.before_val_epoch(runner)
    assert runner.model.text_bank.vocabulary.names == ('bee',)
    hook.after_val_epoch(runner)
    assert runner.model.text_bank.vocabulary.names == ('cat', 'dog', 'cow')
    with pytest.raises(ValueError, match=r'val_dataloader\.dataset\.metainfo and'):
        start(data(CLASSES), val=plain('bee'))


def test_detectors_with_fixed_classes_train_on_data_of_mmdet():
    start(plain('bee'), model=nn.Identity)
    with pytest.raises(TypeError, match='Identity has no set_vocabulary'):
        start(data(CLASSES), model=nn.Identity)
