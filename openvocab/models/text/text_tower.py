"""The text half of an open_clip model, run on no more tokens than needed.

Shape legend: N sentences, L tokens, D channels of the joint space.
"""

from collections.abc import Iterable

from open_clip import CLIP, CustomTextCLIP
from open_clip.transformer import (
    ResidualAttentionBlock,
    TextTransformer,
    text_global_pool,
)
from torch import Tensor, nn

from openvocab.models.backbones.towers.split_attention import projection_weights

# Where a sentence is read off; under a causal mask, tokens after it change nothing.
_TRUNCATABLE_POOLS = ('argmax', 'eos', 'first')


class TextTower:
    """Adapter of a CLIP's text transformer; it owns no parameters.

    Args:
        model: Open_clip's ``CLIP`` or ``CustomTextCLIP``.

    Raises:
        ValueError: Its text tower is of another kind.
    """

    def __init__(self, model: nn.Module) -> None:
        text = model.text if isinstance(model, CustomTextCLIP) else model
        if not isinstance(text, (CLIP, TextTransformer)):
            raise ValueError(
                f"text towers of class {type(text).__name__} cannot train, only CLIP's "
                'own transformer; use openvocab.TextBank'
            )
        blocks = text.transformer.resblocks
        plain = all(isinstance(block, ResidualAttentionBlock) for block in blocks)
        if not plain or getattr(text, 'cls_emb', None) is not None:
            raise ValueError(
                f'text towers with {type(blocks[-1]).__name__} or an extra class token '
                'cannot train; use openvocab.TextBank'
            )
        self.model = text
        own = isinstance(text, CLIP)
        self._pool = text.text_pool_type if own else text.pool_type
        self._eos = text.text_eos_id if own else text.eos_id

    @property
    def root(self) -> nn.Module:
        """The module that holds the whole tower."""
        return self.model

    @property
    def groups(self) -> list[nn.Module]:
        """The transformer blocks."""
        return list(self.model.transformer.resblocks)

    def separate_unused(self) -> None:
        """Nothing in a text tower mixes used and unused weights."""

    def unused_parameters(self) -> list[nn.Parameter]:
        """Parameters of the model that sentences never touch."""
        named = dict(self.model.named_parameters())
        others = ('logit_scale', 'logit_bias')
        return [p for n, p in named.items() if n in others or n.startswith('visual.')]

    def attention_weights(self, letters: Iterable[str]) -> list[nn.Parameter]:
        """Weights of the q, k or v projections of all blocks, made separate."""
        return projection_weights(self.groups, letters)

    def truncate(self, tokens: Tensor) -> Tensor:
        """Cut padding that no sentence of the batch needs.

        Exact where tokens see only earlier ones and a sentence is read off at its own
        end; elsewhere the tokens are returned as they are.

        Args:
            tokens: (N, L) as CLIP's tokenizer gives them, padded with 0.
        """
        if self.model.attn_mask is None or self._pool not in _TRUNCATABLE_POOLS:
            return tokens
        length = int((tokens != 0).any(dim=0).nonzero().max()) + 1
        return tokens[:, :length]

    def encode(self, tokens: Tensor) -> Tensor:
        """Embed sentences.

        Args:
            tokens: (N, L), L up to the context length.

        Returns:
            (N, D), not normalised.
        """
        model, length = self.model, tokens.shape[1]
        x = model.token_embedding(tokens) + model.positional_embedding[:length]
        mask = model.attn_mask
        mask = None if mask is None else mask[:length, :length]
        x = model.ln_final(model.transformer(x, attn_mask=mask))
        x = text_global_pool(x, tokens, self._pool, eos_token_id=self._eos)
        projection = model.text_projection
        if isinstance(projection, nn.Linear):
            return projection(x)
        return x if projection is None else x @ projection
