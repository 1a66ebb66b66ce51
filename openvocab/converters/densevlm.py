"""Released DenseVLM checkpoints: written by CLIPSelf's trainer, so the same layout.

Source: Li et al., "DenseVLM"; see :mod:`openvocab.converters.clipself` for the layout.
"""

from .adapter import register_adapter
from .clipself import CLIPSelf


@register_adapter
class DenseVLM(CLIPSelf):
    """Towers that DenseVLM aligned, read with the ``value`` readout."""

    family = 'densevlm'
    licence = 'none stated by the authors (DenseVLM); ask them before any use of yours'
