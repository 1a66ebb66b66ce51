"""How the last transformer block is read out as a map in the joint embedding space.

CLIP trains only its class token against the text; what a patch token says depends on
how the last block mixes tokens. A readout replaces that mixing and keeps the rest:

    tokens --norm--> q, k, v --attend--> context --merge--> + residual --> + FFN

Shape legend: B images, N tokens (prefix tokens first), H heads, D channels per head,
C = H * D channels.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Protocol

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

    def record(self) -> dict[str, Any]:
        """Describe the readout, JSON-serialisable; equal records mean equal maps."""
        return dict(
            type=type(self).__name__,
            residual=self.residual,
            ffn=self.ffn,
            attn_scale=self.attn_scale,
            rope=self.rope,
        )


@MODELS.register_module()
class VanillaReadout(DenseReadout):
    """The block as it was trained: softmax(q k) v."""

    def __call__(self, block: LastBlock, tokens: Tensor) -> Tensor:
        """Compute the block's output, (B, N, C) to (B, N, C)."""
        if self.residual and self.ffn and self.rope and self.attn_scale is None:
            return block.forward(tokens)
        return super().__call__(block, tokens)

    def attend(self, block: LastBlock, tokens: Tensor) -> Tensor:
        """Context of every token before heads are merged, (B, H, N, D)."""
        return F.scaled_dot_product_attention(
            block.queries(tokens, self.rope),
            block.keys(tokens, self.rope),
            block.values(tokens),
            scale=self.attn_scale,
        )


@MODELS.register_module()
class ValueReadout(DenseReadout):
    """Every token attends to itself alone: its context is its own value.

    With residual and FFN kept this is CLIPSelf's readout (also DenseVLM's and F-ViT's);
    without both it is MaskCLIP's.

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
