"""How the last transformer block is read out as a map in the joint embedding space.

CLIP trains only its class token against the text; what a patch token says depends on
how the last block mixes tokens. A readout replaces that mixing and keeps the rest:

    tokens --norm--> q, k, v --attend--> context --merge--> + residual --> + FFN

Shape legend: B images, N tokens (prefix tokens first), H heads, D channels per head,
C = H * D channels.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from openvocab.registry import MODELS


class LastBlock(Protocol):
    """What a tower shows of its last block to a readout; all lazily computed."""

    grid: tuple[int, int]
    """Rows and columns of the patch tokens."""
    num_prefix_tokens: int
    """Tokens before the patch tokens (class token, registers)."""

    def forward(self, tokens: Tensor) -> Tensor:
        """Run the block as it was trained, (B, N, C) to (B, N, C)."""

    def normed(self, tokens: Tensor) -> Tensor:
        """Tokens as the attention sees them, (B, N, C)."""

    def queries(self, tokens: Tensor, rope: bool = True) -> Tensor:
        """Queries (B, H, N, D) of normed tokens; rotated where the model rotates."""

    def keys(self, tokens: Tensor, rope: bool = True) -> Tensor:
        """Keys (B, H, N, D) of normed tokens; rotated where the model rotates."""

    def values(self, tokens: Tensor) -> Tensor:
        """Values (B, H, N, D) of normed tokens."""

    def merge(self, context: Tensor) -> Tensor:
        """Join heads and project, (B, H, N, D) to (B, N, C)."""

    def add_residual(self, tokens: Tensor, out: Tensor) -> Tensor:
        """Add the attention branch to the tokens."""

    def feed_forward(self, tokens: Tensor) -> Tensor:
        """Apply the FFN with its norm and residual."""


class DenseReadout(ABC):
    """Strategy: the last block with another attention.

    Args:
        residual: Keep the residual around the attention.
        ffn: Keep the FFN (with its own residual).
        attn_scale: Factor on attention logits; ``None`` is the model's 1 / sqrt(D).
        rope: Rotate queries and keys where the model does.
    """

    uses: ClassVar[frozenset[str]] = frozenset('qkv')
    """Which of the projections q, k, v it reads; the others get no gradient."""

    def __init__(
        self,
        residual: bool = True,
        ffn: bool = True,
        attn_scale: float | None = None,
        rope: bool = True,
    ) -> None:
        self.residual = residual
        self.ffn = ffn
        self.attn_scale = attn_scale
        self.rope = rope

    def __call__(self, block: LastBlock, tokens: Tensor) -> Tensor:
        """Compute the block's output, (B, N, C) to (B, N, C)."""
        out = block.merge(self.attend(block, tokens))
        if self.residual:
            out = block.add_residual(tokens, out)
        return block.feed_forward(out) if self.ffn else out

    @abstractmethod
    def attend(self, block: LastBlock, tokens: Tensor) -> Tensor:
        """Context of every token before heads are merged, (B, H, N, D)."""

    def weights(self, block: LastBlock, tokens: Tensor) -> Tensor:
        """What :meth:`attend` multiplies the values with, for pictures.

        Returns:
            (B, H, N, N), broadcastable; a row says which tokens one token looks at.

        Raises:
            NotImplementedError: The readout does not say.
        """
        raise NotImplementedError(f'{type(self).__name__} has no attention weights')

    def record(self) -> dict[str, Any]:
        """Describe the readout, JSON-serialisable; equal records mean equal maps."""
        return dict(
            type=type(self).__name__,
            residual=self.residual,
            ffn=self.ffn,
            attn_scale=self.attn_scale,
            rope=self.rope,
        )


def build_readout(config: dict[str, Any]) -> DenseReadout:
    """Builds a readout from its config.

    Raises:
        ValueError: There is no such readout; the message lists all.
    """
    kind = config.get('type')
    found = MODELS.get(kind) if isinstance(kind, str) else kind
    if not (isinstance(found, type) and issubclass(found, DenseReadout)):
        known = sorted(
            name
            for name, each in MODELS.module_dict.items()
            if isinstance(each, type) and issubclass(each, DenseReadout)
        )
        raise ValueError(
            f'readout {kind!r} does not exist; openvocab has {", ".join(known)}'
        )
    return MODELS.build(config)


class Comparison(NamedTuple):
    """Tokens compared with tokens: one softmax of a readout, E channels per head."""

    queries: Tensor
    """(B, H, N, E)."""
    keys: Tensor
    """(B, H, N, E)."""
    scale: float | None = None
    """Factor on their products; ``None`` is 1 / sqrt(E)."""
    bias: Tensor | None = None
    """(N, N), added to the logits."""

    def mix(self, values: Tensor) -> Tensor:
        """Context (B, H, N, D) of values (B, H, N, D)."""
        queries, keys, scale, bias = self
        bias = None if bias is None else bias.to(queries.dtype)
        return F.scaled_dot_product_attention(
            queries, keys, values, attn_mask=bias, scale=scale
        )

    def weights(self) -> Tensor:
        """The matrix of :meth:`mix`, (B, H, N, N) float32."""
        scale = self.queries.shape[-1] ** -0.5 if self.scale is None else self.scale
        logits = self.queries.float() @ self.keys.float().mT * scale
        return (logits if self.bias is None else logits + self.bias).softmax(dim=-1)


class AttentionReadout(DenseReadout):
    """A readout that is a sum of softmax attentions, given by what is compared."""

    @abstractmethod
    def comparisons(self, block: LastBlock, tokens: Tensor) -> list[Comparison]:
        """What is compared; the attentions of all are summed."""

    def attend(self, block: LastBlock, tokens: Tensor) -> Tensor:
        """Context of every token before heads are merged, (B, H, N, D)."""
        values = block.values(tokens)
        return sum(each.mix(values) for each in self.comparisons(block, tokens))

    def weights(self, block: LastBlock, tokens: Tensor) -> Tensor:
        """Attention (B, H, N, N); rows sum to the number of comparisons."""
        return sum(each.weights() for each in self.comparisons(block, tokens))


@MODELS.register_module()
class VanillaReadout(AttentionReadout):
    """The block as it was trained: softmax(q k) v."""

    def __call__(self, block: LastBlock, tokens: Tensor) -> Tensor:
        """Compute the block's output, (B, N, C) to (B, N, C)."""
        if self.residual and self.ffn and self.rope and self.attn_scale is None:
            return block.forward(tokens)
        return super().__call__(block, tokens)

    def comparisons(self, block: LastBlock, tokens: Tensor) -> list[Comparison]:
        """Queries with keys."""
        queries = block.queries(tokens, self.rope)
        return [Comparison(queries, block.keys(tokens, self.rope), self.attn_scale)]


@MODELS.register_module()
class ValueReadout(DenseReadout):
    """Every token attends to itself alone: its context is its own value.

    With residual and FFN kept this is MaskCLIP's readout in its public code, and that
    of CLIPSelf, DenseVLM and F-ViT; ClearCLIP's code measures MaskCLIP without both.

    Args:
        residual: Keep the residual around the attention.
        ffn: Keep the FFN.

    Source: Zhou et al., "MaskCLIP", ECCV 2022, section 3.2; Wu et al., "CLIPSelf",
    ICLR 2024, section 3.1.
    """

    uses = frozenset('v')

    def __init__(self, residual: bool = True, ffn: bool = True) -> None:
        super().__init__(residual=residual, ffn=ffn)

    def attend(self, block: LastBlock, tokens: Tensor) -> Tensor:
        """Context of every token before heads are merged, (B, H, N, D)."""
        return block.values(tokens)

    def weights(self, block: LastBlock, tokens: Tensor) -> Tensor:
        """The identity, (1, 1, N, N)."""
        return torch.eye(tokens.shape[1], device=tokens.device)[None, None]
