"""Readouts by the names of the methods that they are: settings, no formulas."""

from collections.abc import Sequence
from typing import Any

from openvocab.registry import MODELS

from .gaussian_readout import GaussianReadout
from .self_self_readout import SelfSelfReadout


@MODELS.register_module()
class SCLIPReadout(SelfSelfReadout):
    """SCLIP: q-q plus k-k attention, residual and FFN kept.

    Source: Wang et al., "SCLIP: Rethinking Self-Attention for Dense Vision-Language
    Inference", ECCV 2024, eq. 4, for the CLIPs of OpenAI.
    """

    def __init__(
        self,
        projections: Sequence[str] = ('q', 'k'),
        residual: bool = True,
        ffn: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(projections, residual, ffn, **kwargs)


@MODELS.register_module()
class ClearCLIPReadout(SelfSelfReadout):
    """ClearCLIP: q-q attention, neither residual nor FFN.

    Source: Lan et al., "ClearCLIP: Decomposing CLIP Representations for Dense
    Vision-Language Inference", ECCV 2024, and public code.
    """

    def __init__(self, projections: Sequence[str] = ('q',), **kwargs: Any) -> None:
        super().__init__(projections, **kwargs)


@MODELS.register_module()
class NACLIPReadout(GaussianReadout):
    """NACLIP: k-k attention with a preference for near tokens, no residual, no FFN.

    Source: see :class:`GaussianReadout`.
    """
