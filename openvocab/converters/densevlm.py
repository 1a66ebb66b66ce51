"""Released DenseVLM checkpoints: written by CLIPSelf's trainer, so the same layout.

Source: Li et al., "DenseVLM"; see :mod:`openvocab.converters.clipself` for the layout.
"""

from .clipself import from_upstream, to_upstream

__all__ = ['from_upstream', 'to_upstream']
