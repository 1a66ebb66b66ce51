"""What the web page of ``tools/demo/web_demo.py`` answers; it knows no web library."""

import time
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from openvocab.vocab import Vocabulary
from openvocab.vocab.class_entry import VocabularyError

from .class_names import split_names
from .images import read_image
from .inferencer import OpenVocabInferencer

COLUMNS = ('class', 'score', 'where')
_SHOWN_CLASSES = 12


class Answer(NamedTuple):
    """What the page shows after a question."""

    message: str
    """A sentence: what was found, or what to change."""
    picture: np.ndarray | None = None
    """(H, W, 3) uint8 RGB with boxes or masks; None where the question was wrong."""
    rows: tuple[tuple[str, str, str], ...] = ()
    """Of the table, see :data:`COLUMNS`."""


class WebPage:
    """Answers questions to several models, one at a time.

    Args:
        models: Name on the page -> inferencer.

    Raises:
        ValueError: There are none.
    """

    def __init__(self, models: Mapping[str, OpenVocabInferencer]) -> None:
        if not models:
            raise ValueError('the page needs at least one model')
        self.models = dict(models)
        # a model has one vocabulary at a time
        self._lock = Lock()

    def answer(
        self, model: str, image: str | Path | None, names: str, score_thr: float | None
    ) -> Answer:
        """Looks for classes in an image.

        Args:
            model: One of the models' names.
            image: The file that was uploaded; None if there is none.
            names: Class names as they were typed.
            score_thr: Least score of a box or of a pixel; at 0 everything is kept. None
                where the field was left empty.

        Returns:
            The answer; a question that cannot be answered gets a message that says
            what to change, never an exception.
        """
        if model not in self.models:
            return Answer(f'Choose a model: {", ".join(self.models)}.')
        if image is None:
            return Answer('Upload an image first.')
        classes = split_names(names or '')
        if not classes:
            return Answer('Type at least one class name, for example: cat, dog, sky.')
        if score_thr is None:
            return Answer('Choose a least score, from 0 (everything) to 1.')
        try:
            pixels = read_image(Path(image))
        except (OSError, ValueError):
            return Answer(
                'This file is not an image, or it is broken: try another one.'
            )
        try:
            vocabulary = Vocabulary.load(dict(classes=classes, name='your list'))
            return self._predict(self.models[model], pixels, vocabulary, score_thr)
        except VocabularyError as error:
            return Answer(f'These class names do not work: {error}.')

    def threshold(self, model: str) -> float:
        """The threshold that a model begins with."""
        return max(0.0, self.models[model].default_score_thr)

    def hint(self, model: str) -> str:
        """Names some of the classes that a model was made with."""
        classes = self.models[model].classes
        listed = ', '.join(classes[:_SHOWN_CLASSES])
        more = len(classes) - _SHOWN_CLASSES
        more = f' and {more} more' if more > 0 else ''
        return f'Any words; the model was made with {listed}{more}.'

    def _predict(
        self,
        inferencer: OpenVocabInferencer,
        pixels: np.ndarray,
        vocabulary: Vocabulary,
        score_thr: float,
    ) -> Answer:
        threshold = score_thr if score_thr > 0 else float('-inf')
        with self._lock:
            began = time.perf_counter()
            result = inferencer(
                pixels, vocab=vocabulary, pred_score_thr=threshold, return_vis=True
            )
            seconds = time.perf_counter() - began
        (record,), (picture,) = result['predictions'], result['visualization']
        rows = tuple(_rows(record))
        if not rows:
            message = f'Nothing scores {score_thr:.2f} or more: lower the threshold.'
        else:
            found = len(set(record['label_names']))
            what = 'box' if 'bboxes' in record else 'mask'
            plural = '' if len(rows) == 1 else 'es' if what == 'box' else 's'
            message = (
                f'{len(rows)} {what}{plural}, {found} of {len(vocabulary)} classes, '
                f'{seconds:.1f} s.'
            )
        return Answer(message, picture, rows)


def _rows(record: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    if 'bboxes' in record:
        places = [
            '{:.0f}, {:.0f} to {:.0f}, {:.0f}'.format(*box) for box in record['bboxes']
        ]
    else:
        size = record['height'] * record['width']
        places = [f'{area / size:.1%} of the image' for area in record['areas']]
    scores = [f'{score:.2f}' for score in record['scores']]
    return list(zip(record['label_names'], scores, places, strict=True))
