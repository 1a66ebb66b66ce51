"""The readout of stock CAT-Seg: values, added to the class token everywhere."""

from torch import Tensor

from openvocab.registry import MODELS

from .dense_attention import DenseReadout, LastBlock


@MODELS.register_module()
class ClassResidualReadout(DenseReadout):
    """Every token's own value, with the class token's residual instead of its own.

    The projected values of a token are added to the class token as it enters the block,
    and the FFN follows.

    Source: public code of CAT-Seg (Cho et al., CVPR 2024), for the CLIPs of OpenAI.
    """

    uses = frozenset('v')

    def __init__(self) -> None:
        super().__init__()

    def __call__(self, block: LastBlock, tokens: Tensor) -> Tensor:
        """Compute the block's output, (B, N, C) to (B, N, C)."""
        out = block.merge(self.attend(block, tokens))
        return block.feed_forward(block.add_residual(tokens[:, :1], out))

    def attend(self, block: LastBlock, tokens: Tensor) -> Tensor:
        """Context of every token before heads are merged, (B, H, N, D)."""
        return block.values(tokens)
