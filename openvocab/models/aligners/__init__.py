"""Region-language alignment: models that refine the dense map of a CLIP."""

from .base_aligner import BaseAligner
from .clipself_aligner import CLIPSelfAligner
from .context_source import CoupledContext, DecoupledContext
from .declip_aligner import DeCLIPAligner
from .densevlm_aligner import DenseVLMAligner

__all__ = [
    'BaseAligner',
    'CLIPSelfAligner',
    'CoupledContext',
    'DeCLIPAligner',
    'DecoupledContext',
    'DenseVLMAligner',
]
