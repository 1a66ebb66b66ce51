"""Data sets and transforms."""

from .caption_views import CaptionViewDataset
from .panoptic_region import PanopticRegionDataset
from .transforms import (
    BoundedGridRegions,
    CropRegions,
    GridRegions,
    KeepOriginalImage,
    LoadPanopticRegions,
    PackRegions,
    ProposalRegions,
    ResizeLongest,
)
from .unlabeled_image import UnlabeledImageDataset

__all__ = [
    'BoundedGridRegions',
    'CaptionViewDataset',
    'CropRegions',
    'GridRegions',
    'KeepOriginalImage',
    'LoadPanopticRegions',
    'PackRegions',
    'PanopticRegionDataset',
    'ProposalRegions',
    'ResizeLongest',
    'UnlabeledImageDataset',
]
