"""Text rows of a vocabulary by a text tower that trains along.

Shapes: K classes, T templates, N sentences, L tokens, D width of the joint space.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from openvocab.models.building import build_module
from openvocab.models.trainable import Trainable, train_only, trains
from openvocab.registry import MODELS
from openvocab.vocab import PromptSet, Vocabulary, get_prompts
from openvocab.vocab.vocabulary import VocabularySource

from .text_encoder import warn_if_cut
from .text_tower import TextTower


@MODELS.register_module()
class TrainableText(nn.Module):
    """Unit rows of a vocabulary, with gradient.

    What :class:`TextBank` is for frozen text: it has ``forward()``, ``vocabulary``,
    ``set_vocabulary``, ``embed_dim`` and ``record``. While gradients are enabled, rows
    are computed anew, on as many tokens as the longest sentence has (exact under
    CLIP's causal mask; 12 instead of 77 for COCO-Stuff). Otherwise they are kept until
    the classes, the weights or the mode change.

    The tower is part of task checkpoints.

    Args:
        vocabulary: Anything that :meth:`openvocab.vocab.Vocabulary.load` takes.
        encoder: Config of an ``openvocab.TextEncoder``: ``arch`` and ``checkpoint``.
        prompts: Name of a prompt set, a list of templates or a PromptSet.
        trainable: Config of a :class:`Trainable`.
        average_templates: False keeps the templates apart: rows are (K, T, D).
        batch_size: Sentences per forward pass.

    Attributes:
        vocabulary: The current :class:`~openvocab.vocab.Vocabulary`.
        prompts: The :class:`~openvocab.vocab.PromptSet`.
        embed_dim: D.
        fingerprint: Identifies the weights that training begins with.
    """

    def __init__(
        self,
        vocabulary: VocabularySource,
        encoder: Mapping[str, Any],
        prompts: str | Sequence[str] | PromptSet = 'single',
        trainable: dict[str, Any] | Trainable = dict(  # noqa: B006
            type='openvocab.AttentionProjections'
        ),
        average_templates: bool = True,
        batch_size: int = 1024,
    ) -> None:
        super().__init__()
        encoder = MODELS.build({'type': 'openvocab.TextEncoder', **encoder})
        self.fingerprint = encoder.fingerprint
        self.embed_dim = encoder.embed_dim
        self.tokenizer = encoder.tokenizer
        self.tower = TextTower(encoder.model)
        self.text = self.tower.root
        self.text.requires_grad_(False)
        self.num_unread = train_only(self.tower, build_module(trainable))
        self.prompts = get_prompts(prompts)
        self.average_templates = average_templates
        self.batch_size = batch_size
        self._kept: tuple[tuple, Tensor] | None = None
        self.register_buffer('_tokens', torch.empty(0), persistent=False)
        self.register_buffer('_order', torch.empty(0), persistent=False)
        self.set_vocabulary(vocabulary)

    def forward(self) -> Tensor:
        """Returns the rows, (K, D) or (K, T, D)."""
        if torch.is_grad_enabled():
            return self._encode()
        state = self._state()
        if self._kept is None or self._kept[0] != state:
            # Rows must not depend on whether the caller happens to run under autocast,
            # and rows made in inference mode could be used nowhere else.
            device = self._tokens.device.type
            with (
                torch.inference_mode(False),
                torch.no_grad(),
                torch.autocast(device, enabled=False),
            ):
                self._kept = (state, self._encode())
        return self._kept[1]

    def __len__(self) -> int:
        return len(self.vocabulary)

    def extra_repr(self) -> str:
        """Vocabulary and prompts, for printed models."""
        return f'{self.vocabulary!r}, prompts={self.prompts.name!r}'

    def set_vocabulary(self, vocabulary: VocabularySource) -> None:
        """Replaces the classes.

        Args:
            vocabulary: Anything that :meth:`openvocab.vocab.Vocabulary.load` takes.
        """
        self.vocabulary = Vocabulary.load(vocabulary)
        names = self.vocabulary.prompt_names
        # Sorted, so that permuting a vocabulary permutes the rows exactly; equal names
        # are encoded once.
        ordered = sorted(set(names))
        place = {name: index for index, name in enumerate(ordered)}
        sentences = [line for name in ordered for line in self.prompts.format(name)]
        tokens = self.tokenizer(sentences)
        warn_if_cut(self.tokenizer, sentences, tokens)
        tokens = self.tower.truncate(tokens)
        device = self.text.positional_embedding.device
        self._tokens = tokens.to(device)
        self._order = torch.tensor([place[name] for name in names], device=device)
        self._kept = None

    def train(self, mode: bool = True) -> 'TrainableText':
        """Sets the mode; rows are then computed anew, frozen parts do not drop out."""
        self._kept = None
        super().train(mode)
        self.text.eval()
        return self

    def record(self) -> dict[str, Any]:
        """What a report must state about the rows.

        Returns:
            dict: ``vocabulary`` and ``prompts`` (each ``name`` and ``hash``),
            ``encoder`` (fingerprint of the initial weights, and whether they train).
        """
        return dict(
            vocabulary=dict(name=self.vocabulary.name, hash=self.vocabulary.hash),
            prompts=dict(name=self.prompts.name, hash=self.prompts.hash),
            encoder=self.fingerprint + (' (fine-tuned)' if trains(self.text) else ''),
        )

    def _encode(self) -> Tensor:
        chunks = self._tokens.split(self.batch_size)
        vectors = torch.cat([self.tower.encode(chunk) for chunk in chunks])
        rows = F.normalize(vectors.float(), dim=-1)
        rows = rearrange(rows, '(k t) d -> k t d', t=len(self.prompts))
        if self.average_templates:
            rows = F.normalize(rows.mean(dim=1), dim=-1)
        return rows[self._order]

    def _state(self) -> tuple:
        """Changes when a weight is changed in place, replaced or moved."""
        return tuple((p.data_ptr(), p._version) for p in self.text.parameters())
