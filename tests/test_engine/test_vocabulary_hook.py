from types import SimpleNamespace

import pytest
from mmengine.logging import MMLogger
from torch import nn

from openvocab.engine.hooks import VocabularyHook
from openvocab.registry import HOOKS
from openvocab.vocab import Vocabulary


class Model(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.text_bank = nn.Module()
        self.calls = []
        self.set_vocabulary(vocabulary)

    def set_vocabulary(self, source):
        self.text_bank.vocabulary = Vocabulary.load(source)
        self.calls.append(self.text_bank.vocabulary.names)


def loader(*names):
    dataset = SimpleNamespace(vocabulary=Vocabulary.load(list(names)))
    return SimpleNamespace(dataset=SimpleNamespace(dataset=dataset))  # a wrapper


@pytest.fixture
def runner():
    return SimpleNamespace(
        model=Model(['a', 'b']),
        train_dataloader=loader('a', 'b'),
        val_dataloader=loader('c'),
        test_dataloader=loader('d'),
        logger=MMLogger.get_current_instance(),
    )


def test_the_model_follows_the_running_loop(runner):
    hook = HOOKS.build(dict(type='openvocab.VocabularyHook'))
    assert isinstance(hook, VocabularyHook)
    hook.before_train(runner)
    assert len(runner.model.calls) == 1  # nothing changed
    hook.before_val_epoch(runner)
    assert runner.model.calls[-1] == ('c',)
    hook.after_val_epoch(runner)
    assert runner.model.calls[-1] == ('a', 'b')
    hook.after_train(runner)
    hook.before_test_epoch(runner)
    hook.before_test_epoch(runner)
    assert runner.model.calls[1:] == [('c',), ('a', 'b'), ('d',)]


def test_validation_alone_needs_no_training_data(runner):
    del runner.train_dataloader
    hook = VocabularyHook()
    hook.before_val_epoch(runner)
    hook.after_val_epoch(runner)
    assert runner.model.calls[-1] == ('c',)


def test_other_data_and_models(runner):
    hook = VocabularyHook()
    runner.test_dataloader = SimpleNamespace(dataset=object())
    hook.before_test_epoch(runner)
    assert len(runner.model.calls) == 1
    runner.model = nn.Linear(1, 1)
    with pytest.raises(TypeError, match='Linear has no set_vocabulary'):
        hook.before_val_epoch(runner)
