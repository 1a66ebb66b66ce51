"""Semantic segmentation: label maps of 8 and 16 bits, and how they are prepared."""

from .label_table import LabelTable
from .ov_seg_dataset import OVSegDataset

__all__ = ['LabelTable', 'OVSegDataset']
