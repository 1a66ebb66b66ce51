"""Semantic segmentation: label maps of 8 and 16 bits, and how they are prepared."""

from .label_table import LabelTable, default_ignore_index
from .ov_seg_dataset import OVSegDataset

__all__ = ['LabelTable', 'OVSegDataset', 'default_ignore_index']
