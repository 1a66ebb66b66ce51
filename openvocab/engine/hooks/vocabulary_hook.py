"""The model's classes follow the data set of the running loop."""

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from openvocab.engine.unwrapping import unwrapped
from openvocab.registry import HOOKS


@HOOKS.register_module()
class VocabularyHook(Hook):
    """Gives the model the vocabulary of the data set that it is about to see.

    So one model trains on one vocabulary, is validated on another, and is tested on
    any: a config names a vocabulary once, in its data set. Data sets have it as
    attribute ``vocabulary``; others leave the model alone.

    Raises:
        TypeError: The model cannot exchange its classes.
    """

    # Before hooks that look at the model's classes.
    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._training = False

    def before_train(self, runner: Runner) -> None:
        """Sets the vocabulary of the training data."""
        self._training = True
        self._follow(runner, runner.train_dataloader)

    def before_val_epoch(self, runner: Runner) -> None:
        """Sets the vocabulary of the validation data."""
        self._follow(runner, runner.val_dataloader)

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Returns to the vocabulary of the training data, if there is any."""
        if self._training:
            self._follow(runner, runner.train_dataloader)

    def after_train(self, runner: Runner) -> None:
        """Leaves the vocabulary to validation and testing."""
        self._training = False

    def before_test_epoch(self, runner: Runner) -> None:
        """Sets the vocabulary of the test data."""
        self._follow(runner, runner.test_dataloader)

    def _follow(self, runner: Runner, loader: DataLoader) -> None:
        dataset = loader.dataset
        while not hasattr(dataset, 'vocabulary') and hasattr(dataset, 'dataset'):
            dataset = dataset.dataset  # a wrapper, such as RepeatDataset
        vocabulary = getattr(dataset, 'vocabulary', None)
        if vocabulary is None:
            return
        model = unwrapped(runner.model)
        if not hasattr(model, 'set_vocabulary') or not hasattr(model, 'text_bank'):
            raise TypeError(
                f'VocabularyHook: {type(model).__name__} has no set_vocabulary; take '
                'the hook out of default_hooks'
            )
        current = model.text_bank.vocabulary
        if (current.hash, current.name) != (vocabulary.hash, vocabulary.name):
            runner.logger.info(f'Vocabulary of the data set: {vocabulary!r}')
            model.set_vocabulary(vocabulary)
