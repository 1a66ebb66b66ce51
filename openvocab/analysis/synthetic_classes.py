"""Any number of classes without a text tower: names that are numbers, random rows."""

import zlib
from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from openvocab.config_parts import dicts_in
from openvocab.models.clip_factory import clip_embed_dim
from openvocab.models.text import TextBank
from openvocab.registry import MODELS
from openvocab.vocab.vocabulary import VocabularySource

from .synthetic_images import innermost


@MODELS.register_module()
class SyntheticTextBank(TextBank):
    """A text bank whose rows are random directions, the same for the same words.

    A step takes as long with them; encoding 1,203 classes with 63 prompts on a CPU
    would take longer than any benchmark.

    Args:
        vocabulary: See :class:`TextBank`.
        encoder: Config of a text encoder; its ``arch`` gives the width.
        **kwargs: Other arguments of :class:`TextBank`.
    """

    def __init__(
        self, vocabulary: VocabularySource, encoder: Mapping[str, Any], **kwargs: Any
    ) -> None:
        super().__init__(vocabulary, _RandomDirections(encoder['arch']), **kwargs)


class _RandomDirections(torch.nn.Module):
    """Has what a text bank asks of an encoder."""

    def __init__(self, arch: str) -> None:
        super().__init__()
        self.embed_dim = clip_embed_dim(arch)
        self.fingerprint = f'random directions:{self.embed_dim}'

    def encode(self, texts: Sequence[str], batch_size: int = 256) -> Tensor:
        """Returns (N, D) float32."""
        rows = [
            torch.randn(
                self.embed_dim,
                generator=torch.Generator().manual_seed(zlib.crc32(text.encode())),
            )
            for text in texts
        ]
        return torch.stack(rows)


def use_synthetic_text(model: Any, cache_dir: Path) -> None:
    """Replaces the text banks of a model config, in place, by synthetic ones.

    Args:
        model: The config, or any part of it.
        cache_dir: Folder for their rows.
    """
    for part in dicts_in(model):
        if str(part.get('type')).split('.')[-1] == 'TextBank':
            part['type'] = 'openvocab.SyntheticTextBank'
            part['cache_dir'] = str(cache_dir)


def use_synthetic_classes(
    model: MutableMapping[str, Any], dataloader: MutableMapping[str, Any], count: int
) -> None:
    """Gives a model config, and the data set of a loader config, other classes.

    Args:
        model: Config of a model with a ``text_bank``, changed in place.
        dataloader: Changed in place, too; the annotations must then be synthetic.
        count: Number of classes.

    Raises:
        ValueError: If the model has no text bank.
    """
    if not isinstance(model.get('text_bank'), MutableMapping):
        raise ValueError(f'--classes: {model.get("type")} has no text_bank')
    names = [f'class {number}' for number in range(count)]
    vocabulary = dict(name=f'{count} synthetic classes', classes=names)
    model['text_bank']['vocabulary'] = vocabulary
    dataset = innermost(dataloader['dataset'])
    if 'vocabulary' in dataset:
        dataset['vocabulary'] = dict(vocabulary)
        for key in ('splits', 'drop_unknown'):
            dataset.pop(key, None)
