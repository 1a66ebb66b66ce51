"""Text rows of a vocabulary: what region features are compared with.

Shapes: K classes, Q rows (K, or one per synonym), D width of the joint space.

Call graph::

    set_vocabulary -> rows_of -> _compute -> RowCache.load
                                          or template_mean(encoder), RowCache.store
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.logging import MMLogger
from torch import Tensor, nn

from openvocab.device import default_device
from openvocab.registry import MODELS
from openvocab.vocab import PromptSet, Vocabulary, get_prompts
from openvocab.vocab.vocabulary import VocabularySource

from .row_cache import RowCache
from .template_mean import template_mean


@MODELS.register_module()
class TextBank(nn.Module):
    """(K, D) float32 unit rows of a vocabulary, without gradient.

    A row is the mean over the templates of unit sentence vectors, normalised again
    (CLIP, section 3.1.4; ViLD). Only the first phrase of a class is used, unless
    ``all_synonyms`` asks for one row per phrase: (Q, D), a class's rows together, for
    models whose classes are as good as the best of their queries. Rows come from a disk
    cache keyed by the weights, the phrases and the templates; the encoder
    is built only if they are not there, on a GPU if there is one, and dropped at once.
    Rows and thing flags are non-persistent buffers: a checkpoint never holds a
    vocabulary.

    Names are encoded in sorted order, whatever their order in the vocabulary, so that
    permuting a vocabulary permutes the rows exactly, and costs nothing.

    Args:
        vocabulary: Anything that :meth:`openvocab.vocab.Vocabulary.load` takes.
        encoder: Config of a text encoder (its ``type`` defaults to
            ``openvocab.TextEncoder``), or a built one, which is neither registered as
            a submodule nor dropped.
        prompts: Name of a prompt set, a list of templates or a PromptSet.
        cache_dir: Folder of the cache; None for ``~/.cache/openvocab/text``.
        normalize_templates_mean: False leaves the means over templates as they are,
            with norms below 1, as DenseVLM's public code does; this softens the
            temperature.
        all_synonyms: One row per phrase of a class instead of one per class.

    Attributes:
        vocabulary: The current :class:`~openvocab.vocab.Vocabulary`.
        prompts: The :class:`~openvocab.vocab.PromptSet`.
        rows: (K, D) float32; (Q, D) with ``all_synonyms``.
        class_of: (K,) int64, the class of each row; (Q,) with ``all_synonyms``.
        is_thing: (K,) bool.
        fingerprint: Fingerprint of the encoder that made the rows.
    """

    rows: Tensor
    class_of: Tensor
    is_thing: Tensor

    def __init__(
        self,
        vocabulary: VocabularySource,
        encoder: Mapping[str, Any] | nn.Module,
        prompts: str | Sequence[str] | PromptSet = 'densevlm',
        cache_dir: str | Path | None = None,
        normalize_templates_mean: bool = True,
        all_synonyms: bool = False,
    ) -> None:
        super().__init__()
        if isinstance(encoder, Mapping):
            encoder = {'type': 'openvocab.TextEncoder', **deepcopy(dict(encoder))}
        elif not hasattr(encoder, 'encode') or not hasattr(encoder, 'fingerprint'):
            raise TypeError(
                'the encoder of a TextBank is a config or a module with `encode` and '
                f'`fingerprint`, got {type(encoder).__name__}'
            )
        # Not as a submodule: its weights belong into no checkpoint and no optimizer.
        object.__setattr__(self, '_encoder', encoder)
        self.prompts = get_prompts(prompts)
        self.normalize_templates_mean = normalize_templates_mean
        self.all_synonyms = all_synonyms
        self.cache = RowCache(cache_dir)
        self.register_buffer('rows', torch.empty(0), persistent=False)
        self.register_buffer('class_of', torch.empty(0), persistent=False)
        self.register_buffer('is_thing', torch.empty(0), persistent=False)
        self.set_vocabulary(vocabulary)

    def forward(self) -> Tensor:
        """Returns the rows, (K, D) or (Q, D)."""
        return self.rows

    def __len__(self) -> int:
        return len(self.vocabulary)

    def extra_repr(self) -> str:
        """Vocabulary and prompts, for printed models."""
        return f'{self.vocabulary!r}, prompts={self.prompts.name!r}'

    @property
    def embed_dim(self) -> int:
        """D, the width of the joint space."""
        return self.rows.shape[-1]

    def set_vocabulary(self, vocabulary: VocabularySource) -> None:
        """Replaces the classes; the rows stay on the device where they are.

        Args:
            vocabulary: Anything that :meth:`openvocab.vocab.Vocabulary.load` takes.
        """
        vocabulary = Vocabulary.load(vocabulary)
        phrases = vocabulary.synonyms
        if not self.all_synonyms:
            phrases = [(phrase,) for phrase in vocabulary.prompt_names]
        self.rows = self.rows_of([phrase for group in phrases for phrase in group])
        device = self.rows.device
        with torch.inference_mode(False):
            class_of = [i for i, group in enumerate(phrases) for _ in group]
            self.class_of = torch.tensor(class_of, device=device)
            self.is_thing = torch.tensor(vocabulary.is_thing, device=device)
        self.vocabulary = vocabulary

    def rows_of(self, phrases: Sequence[str]) -> Tensor:
        """Rows of any phrases, through the same prompts, encoder and cache.

        Args:
            phrases: N class names, e.g. ``['background']``.

        Returns:
            (N, D) float32 on the device of ``rows``.
        """
        # Rows made in inference mode could never be used in a loss.
        with torch.inference_mode(False), torch.no_grad():
            rows = self._compute(phrases)
            if self.normalize_templates_mean:
                rows = F.normalize(rows, dim=-1)
            return rows.to(self.rows.device)

    def record(self) -> dict[str, Any]:
        """What a report must state about the rows.

        Returns:
            dict: ``vocabulary`` and ``prompts`` (each ``name`` and ``hash``),
            ``encoder`` (fingerprint), ``normalize_templates_mean`` and
            ``all_synonyms``.
        """
        return dict(
            vocabulary=dict(name=self.vocabulary.name, hash=self.vocabulary.hash),
            prompts=dict(name=self.prompts.name, hash=self.prompts.hash),
            encoder=self.fingerprint,
            normalize_templates_mean=self.normalize_templates_mean,
            all_synonyms=self.all_synonyms,
        )

    def _compute(self, names: Sequence[str]) -> Tensor:
        """Means over templates, (K, D) float32 on the CPU, in the order of names."""
        ordered = sorted(set(names))
        means = self._cached_means(ordered)
        position = {name: i for i, name in enumerate(ordered)}
        return means[[position[name] for name in names]]

    def _cached_means(self, names: Sequence[str]) -> Tensor:
        encoder = self._encoder
        fingerprint = _find_fingerprint(encoder)
        if fingerprint is None:
            encoder = _build(encoder)
            fingerprint = encoder.fingerprint
        self.fingerprint = fingerprint
        path = self.cache.path(self._cache_key(fingerprint), names, self.prompts)
        means = self.cache.load(path, len(names))
        if means is None:
            MMLogger.get_current_instance().info(
                f'encoding {len(names)} class names with {len(self.prompts)} prompts '
                f'({self.prompts.name}) by {fingerprint[:40]}'
            )
            if isinstance(encoder, Mapping):
                encoder = _build(encoder)
            means = self._encode(encoder, names)
            self.cache.store(path, means)
        return means

    def _cache_key(self, fingerprint: str) -> str:
        """What, with names and templates, identifies the rows in the cache."""
        return fingerprint

    def _encode(self, encoder: nn.Module, names: Sequence[str]) -> Tensor:
        """What the cache keeps, (K, ..) float32 on the CPU."""
        return template_mean(encoder, names, self.prompts)


def _find_fingerprint(encoder: Mapping[str, Any] | nn.Module) -> str | None:
    """Fingerprint of a built or configured encoder; None if it must be built first."""
    if not isinstance(encoder, Mapping):
        return encoder.fingerprint
    options = dict(encoder)
    kind = options.pop('type')
    kind = MODELS.get(kind) if isinstance(kind, str) else kind
    find = getattr(kind, 'find_fingerprint', None)
    return None if find is None else find(**options)


def _build(config: Mapping[str, Any]) -> nn.Module:
    encoder = MODELS.build(dict(config))
    return encoder.to(default_device())
