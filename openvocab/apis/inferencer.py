"""What the inferencers of detection and segmentation share.

Call graph of a call::

    __call__   classes of this call -> using_classes -> model.using_vocabulary
                 per batch: preprocess -> forward -> visualize -> postprocess

mmdet's and mmseg's inferencers bring the pipeline; their ``__call__`` knows no
vocabulary and, in mmseg, holds every prediction of a folder before it draws the first.
"""

import json
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.infer import BaseInferencer
from mmengine.infer.infer import ConfigType
from mmengine.structures import BaseDataElement
from mmengine.visualization import Visualizer
from rich.progress import track
from torch import nn

from openvocab.fileio import write_atomically
from openvocab.visualization import write_picture
from openvocab.vocab import Vocabulary
from openvocab.vocab.class_entry import clean_phrase
from openvocab.vocab.vocabulary import VocabularySource

from .class_names import split_names
from .images import Images, find_images, read_image
from .model import build_model
from .model_zoo import find_config


@dataclass(frozen=True)
class Picture:
    """An image that is worked on."""

    image: np.ndarray
    """(H, W, 3) uint8 BGR."""
    name: str
    """Name of its output file, unique within a call."""
    file: str | None
    """Where it was read from; None for an array."""


class OpenVocabInferencer(BaseInferencer):
    """Base of the inferencers: any classes per call, results as plain values.

    Subclasses derive from this class first and then from mmdet's or mmseg's inferencer,
    whose constructors they keep. Models are built by :func:`build_model`, so encoders
    have the weights that the config names.

    Attributes:
        model_type: Base class of the models that are taken.
        default_score_thr: What ``pred_score_thr`` is by default.
    """

    model_type: type[nn.Module]
    default_score_thr: float

    def __init__(
        self, model: str | Path | ConfigType, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(
            str(model) if isinstance(model, Path) else model, *args, **kwargs
        )

    def __call__(
        self,
        inputs: Images,
        texts: str | Sequence[str] | None = None,
        vocab: VocabularySource | None = None,
        novel: str | Iterable[str] | None = None,
        batch_size: int = 1,
        pred_score_thr: float | None = None,
        return_vis: bool = False,
        return_datasamples: bool = False,
        show: bool = False,
        wait_time: float = 0,
        out_dir: str | Path = '',
    ) -> dict[str, list]:
        """Predicts.

        Args:
            inputs: One or several images: files, folders (the images directly in them),
                or (H, W, 3) uint8 BGR arrays, e.g. the frames of a video.
            texts: Classes to look for in this call: names, or one string with commas
                between them. Those that the model knows keep their colours.
            vocab: Or anything that :meth:`openvocab.vocab.Vocabulary.load` takes, such
                as ``'ade20k_150'``. By default the model's own classes.
            novel: Names among them for which the model saw no boxes in training, given
                like ``texts``; by default it compares them with the classes that it was
                trained on. Segmentors do not ask.
            batch_size: Images in one forward pass.
            pred_score_thr: Detections below are left out of everything returned,
                written and drawn; pixels below belong to no class.
            return_vis: Return the pictures, too.
            return_datasamples: Return data samples instead of plain values.
            show: Show every picture in a window.
            wait_time: Seconds that a window stays; 0 until a key is pressed.
            out_dir: Folder for ``vis/NAME`` (the pictures) and ``preds/NAME.json`` (the
                plain values); nothing is written by default.

        Returns:
            ``predictions``, one entry per image, see the subclasses, and
            ``visualization``, the pictures, (H, W, 3) uint8 RGB.

        Raises:
            FileNotFoundError: There is no such image, or a folder holds none.
            ValueError: A file is no image, the classes are empty, duplicate, or given
                twice, or a batch is to have no image.
        """
        if batch_size < 1:
            raise ValueError(f'batch_size={batch_size}: at least one image at a time')
        threshold = self.default_score_thr if pred_score_thr is None else pred_score_thr
        classes = self._requested(texts, vocab, novel)
        images = find_images(inputs)
        results: dict[str, list] = dict(predictions=[], visualization=[])
        with classes:
            for pictures, batch in track(
                self.preprocess(images, batch_size),
                description='Inference',
                total=-(-len(images) // batch_size),
                disable=not self.show_progress,
            ):
                preds = [
                    self.keep(sample.cpu(), threshold) for sample in self.forward(batch)
                ]
                drawn = None
                if return_vis or show or out_dir:
                    drawn = self.visualize(pictures, preds, show, wait_time, out_dir)
                found = self.postprocess(
                    preds, drawn, return_datasamples, pictures, out_dir
                )
                results['predictions'] += found['predictions']
                if return_vis:
                    results['visualization'] += found['visualization']
        return results

    @property
    def classes(self) -> tuple[str, ...]:
        """The model's own classes, looked for where a call names none."""
        return tuple(self.model.dataset_meta['classes'])

    @abstractmethod
    def keep(self, sample: BaseDataElement, score_thr: float) -> BaseDataElement:
        """Removes what scores below the threshold."""

    @abstractmethod
    def draw(self, image: np.ndarray, sample: BaseDataElement) -> np.ndarray:
        """Draws predictions; both pictures are (H, W, 3) uint8 BGR."""

    @abstractmethod
    def record(self, sample: BaseDataElement) -> dict[str, Any]:
        """Plain values of a prediction, for a json file."""

    def preprocess(
        self, inputs: Sequence[Path | np.ndarray], batch_size: int = 1
    ) -> Iterator[tuple[list[Picture], Any]]:
        """Reads images and packs them into batches."""
        taken: set[str] = set()
        for start in range(0, len(inputs), batch_size):
            pictures = []
            for number, item in enumerate(inputs[start : start + batch_size], start):
                array = isinstance(item, np.ndarray)
                name = _free_name(f'{number:08}.jpg' if array else item.name, taken)
                file = None if array else str(item)
                pictures.append(Picture(read_image(item), name, file))
            items = [self.pipeline(picture.image) for picture in pictures]
            yield pictures, self.collate_fn(items)

    def visualize(
        self,
        inputs: Sequence[Picture],
        preds: Sequence[BaseDataElement],
        show: bool = False,
        wait_time: float = 0,
        out_dir: str | Path = '',
    ) -> list[np.ndarray]:
        """Draws, shows and writes the pictures of a batch; returns them as RGB."""
        drawn = []
        for picture, sample in zip(inputs, preds, strict=True):
            canvas = self.draw(picture.image, sample)
            if out_dir:
                write_picture(Path(out_dir) / 'vis' / picture.name, canvas)
            drawn.append(np.ascontiguousarray(canvas[..., ::-1]))
            if show:
                self.visualizer.show(drawn[-1], picture.name, wait_time)
        return drawn

    def postprocess(
        self,
        preds: Sequence[BaseDataElement],
        visualization: Sequence[np.ndarray] | None = None,
        return_datasamples: bool = False,
        pictures: Sequence[Picture] = (),
        out_dir: str | Path = '',
    ) -> dict[str, list]:
        """Packs the results of a batch and writes the plain ones."""
        results: list[Any] = list(preds)
        if out_dir or not return_datasamples:
            records = []
            for picture, sample in zip(pictures, preds, strict=True):
                height, width = picture.image.shape[:2]
                about = dict(file=picture.file, height=height, width=width)
                records.append(about | self.record(sample))
                if out_dir:
                    write_atomically(
                        Path(out_dir) / 'preds' / f'{picture.name}.json',
                        json.dumps(records[-1]).encode(),
                    )
            results = list(preds) if return_datasamples else records
        return dict(predictions=results, visualization=list(visualization or ()))

    def using_classes(
        self, vocabulary: Vocabulary, novel: Sequence[str] | None
    ) -> AbstractContextManager[None]:
        """Exchanges the model's classes for the time of a ``with`` block.

        Args:
            vocabulary: The classes.
            novel: Names of those without boxes in training, if anybody said so; here
                nobody asks.
        """
        return self.model.using_vocabulary(vocabulary)

    def _requested(
        self,
        texts: str | Sequence[str] | None,
        vocab: VocabularySource | None,
        novel: str | Iterable[str] | None,
    ) -> AbstractContextManager[None]:
        """Within it, the model looks for the classes of a call."""
        if texts is not None and vocab is not None:
            raise ValueError('give texts or vocab, not both')
        if texts is None and vocab is None:
            if novel is not None:
                raise ValueError('novel names classes of texts or vocab: give one')
            return nullcontext()
        vocabulary = Vocabulary.load(_names(texts) if vocab is None else vocab)
        vocabulary = _with_colors_of(vocabulary, self.model.text_bank.vocabulary)
        if novel is not None:
            novel = _names(novel)
            for name in novel:
                vocabulary.index(name)  # or it says which one is no class
        return self.using_classes(vocabulary, novel)

    def _init_model(
        self, cfg: ConfigType, weights: str | None, device: str = 'cpu'
    ) -> nn.Module:
        """Builds the model; mmengine's way would drop the encoder's ``init_cfg``."""
        if not cfg:
            raise ValueError(
                'name a config: reading the one in a checkpoint would run its code'
            )
        model = build_model(cfg, weights, device)
        takes_any_classes = hasattr(model, 'using_vocabulary')
        if not (isinstance(model, self.model_type) and takes_any_classes):
            raise ValueError(
                f'{type(self).__name__} takes a {self.model_type.__name__} with a '
                f'vocabulary, the config builds a {type(model).__name__}'
            )
        return model

    def _init_pipeline(self, cfg: ConfigType) -> Compose:
        """The test pipeline without what loads annotations."""
        dataset = cfg.test_dataloader.dataset
        dataset.pipeline = [
            transform
            for transform in dataset.pipeline
            if not str(transform['type']).endswith(('Annotations', 'Annotation'))
        ]
        return super()._init_pipeline(cfg)

    def _init_collate(self, cfg: ConfigType) -> Callable:
        """What batches items; mmengine warns of scopes where a config states none."""
        if 'collate_fn' in cfg.test_dataloader:
            return super()._init_collate(cfg)
        return pseudo_collate

    def _init_visualizer(self, cfg: ConfigType) -> Visualizer | None:
        """The visualiser, for its windows alone: nothing is logged."""
        if 'visualizer' in cfg:
            cfg.visualizer.vis_backends = []
        return super()._init_visualizer(cfg)

    def _load_model_from_metafile(self, model: str) -> tuple[Config, str | None]:
        """Finds a model of ours by its name."""
        return find_config(model)


def _names(names: str | Iterable[str]) -> list[str]:
    """Names given as a list, or as one string with commas between them."""
    return split_names(names) if isinstance(names, str) else list(names)


def _with_colors_of(vocabulary: Vocabulary, other: Vocabulary) -> Vocabulary:
    """Gives classes without a colour the one that they have in another vocabulary."""
    colors = {clean_phrase(entry.name): entry.color for entry in other.classes}
    entries = [
        replace(entry, color=entry.color or colors.get(clean_phrase(entry.name)))
        for entry in vocabulary.classes
    ]
    return Vocabulary(vocabulary.name, tuple(entries))


def _free_name(name: str, taken: set[str]) -> str:
    """A file name that is not taken yet, and takes it."""
    path, number = Path(name), 1
    while name in taken:
        name = f'{path.stem}_{number}{path.suffix}'
        number += 1
    taken.add(name)
    return name
