"""Pre-training of the small models of OV-Shapes: CLIPs and a VFM."""

from .contrastive import ContrastivePretrainer
from .segment_pretrainer import SegmentPretrainer

__all__ = ['ContrastivePretrainer', 'SegmentPretrainer']
