"""A detector trains on its own classes and is tested on any."""

from collections.abc import Iterator, Sequence
from typing import Any

from mmengine.runner import Runner

from openvocab.engine.unwrapping import unwrapped
from openvocab.registry import HOOKS
from openvocab.vocab import Vocabulary

from .vocabulary_hook import VocabularyHook


@HOOKS.register_module()
class DetVocabularyHook(VocabularyHook):
    """:class:`VocabularyHook` of detectors, whose training has classes of its own.

    What a detector holds for novel follows from the vocabulary that it was built with,
    so its training data must have the same classes in the same order; a label beyond
    them would train as background. That is checked before the first step, and so is
    that no training box is of a novel class. Validation and testing follow their data
    set, as in the parent; one without a ``vocabulary`` must have the model's classes.

    Raises:
        ValueError: The data has other classes than the model, or boxes of novel ones.
    """

    def before_train(self, runner: Runner) -> None:
        """Checks the data of training and validation."""
        model = unwrapped(runner.model)
        if not hasattr(model, 'text_bank'):  # one of mmdet's: the parent has its say
            super().before_train(runner)
            return
        vocabulary = model.text_bank.vocabulary
        for dataset in _parts(runner.train_dataloader.dataset):
            _check_classes(dataset, vocabulary, 'train_dataloader')
        if runner.val_loop is not None:
            for dataset in _parts(runner.val_dataloader.dataset):
                if not hasattr(dataset, 'vocabulary'):  # it cannot be followed
                    _check_classes(dataset, vocabulary, 'val_dataloader')
        super().before_train(runner)
        for dataset in _parts(runner.train_dataloader.dataset):
            _check_boxes(dataset, model.text_bank.vocabulary.names, model.novel_classes)


def _parts(dataset: Any) -> Iterator[Any]:
    """The data sets within wrappers (repeated, concatenated, mixed ones)."""
    if hasattr(dataset, 'datasets'):
        for each in dataset.datasets:
            yield from _parts(each)
    elif hasattr(dataset, 'dataset'):
        yield from _parts(dataset.dataset)
    else:
        yield dataset


def _check_classes(dataset: Any, vocabulary: Vocabulary, loader: str) -> None:
    if hasattr(dataset, 'vocabulary'):
        key, names = 'vocabulary', dataset.vocabulary.names
    else:
        key, names = 'metainfo', getattr(dataset, 'metainfo', {}).get('classes')
    if names is None:
        return
    labels = range(min(len(names), len(vocabulary)))
    other = next((i for i in labels if vocabulary.find(names[i]) != i), None)
    if other is None and len(names) == len(vocabulary):
        return
    difference = f'{len(names)} and {len(vocabulary)} classes'
    if other is not None:
        difference += (
            f'; label {other} is {names[other]!r} in the data and '
            f'{vocabulary.names[other]!r} in the model'
        )
    raise ValueError(
        f'{loader}.dataset.{key} and model.text_bank.vocabulary differ: {difference}. '
        'Give both the same vocabulary'
    )


def _check_boxes(dataset: Any, names: Sequence[str], novel: Sequence[str]) -> None:
    # what data sets of COCO's format know of the annotations that they keep
    images = getattr(dataset, 'cat_img_map', {})
    labels = getattr(dataset, 'cat2label', {})
    for category, found in images.items():
        name = names[labels[category]] if category in labels else None
        if found and name in novel:
            raise ValueError(
                f'train_dataloader.dataset has boxes of {name!r}, a novel class of '
                'model.text_bank.vocabulary; keep those of base classes only: '
                "train_dataloader.dataset.splits=('base',), or ('c', 'f') of LVIS"
            )
