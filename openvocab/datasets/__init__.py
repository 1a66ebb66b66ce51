"""Data sets and transforms."""

from .caption_views import CaptionViewDataset
from .ov_detection import OVDetDataset
from .panoptic_region import PanopticRegionDataset
from .seeded_sampler import SeededInfiniteSampler
from .segmentation import OVSegDataset
from .transforms import (
    BoundedGridRegions,
    CropRegions,
    GridRegions,
    KeepOriginalImage,
    LoadOVAnnotations,
    LoadPanopticRegions,
    PackRegions,
    ProposalRegions,
    ResizeLongest,
    SeedAugmentation,
)
from .unlabeled_image import UnlabeledImageDataset

__all__ = [
    'BoundedGridRegions',
    'CaptionViewDataset',
    'CropRegions',
    'GridRegions',
    'KeepOriginalImage',
    'LoadOVAnnotations',
    'LoadPanopticRegions',
    'OVDetDataset',
    'OVSegDataset',
    'PackRegions',
    'PanopticRegionDataset',
    'ProposalRegions',
    'ResizeLongest',
    'SeedAugmentation',
    'SeededInfiniteSampler',
    'UnlabeledImageDataset',
]
