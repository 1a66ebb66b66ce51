"""Transforms of regions and label maps; mmcv's load, resize and pad the images."""

from .crop_regions import CropRegions, KeepOriginalImage
from .grid_regions import BoundedGridRegions, GridRegions
from .load_ov_annotations import LoadOVAnnotations
from .load_panoptic_regions import LoadPanopticRegions
from .pack_regions import PackRegions
from .proposal_regions import ProposalRegions
from .resize import ResizeLongest
from .seed_augmentation import SeedAugmentation

__all__ = [
    'BoundedGridRegions',
    'CropRegions',
    'GridRegions',
    'KeepOriginalImage',
    'LoadOVAnnotations',
    'LoadPanopticRegions',
    'PackRegions',
    'ProposalRegions',
    'ResizeLongest',
    'SeedAugmentation',
]
