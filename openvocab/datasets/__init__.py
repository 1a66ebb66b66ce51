"""Data sets and transforms."""

from .panoptic_region import PanopticRegionDataset
from .transforms import (
    BoundedGridRegions,
    CropRegions,
    GridRegions,
    KeepOriginalImage,
    LoadPanopticRegions,
    PackRegions,
    ProposalRegions,
)
from .unlabeled_image import UnlabeledImageDataset

__all__ = [
    'BoundedGridRegions',
    'CropRegions',
    'GridRegions',
    'KeepOriginalImage',
    'LoadPanopticRegions',
    'PackRegions',
    'PanopticRegionDataset',
    'ProposalRegions',
    'UnlabeledImageDataset',
]
