"""Transforms of region data; images are loaded, resized and padded by mmcv's."""

from .crop_regions import CropRegions, KeepOriginalImage
from .grid_regions import BoundedGridRegions, GridRegions
from .load_panoptic_regions import LoadPanopticRegions
from .pack_regions import PackRegions
from .proposal_regions import ProposalRegions
from .resize import ResizeLongest

__all__ = [
    'BoundedGridRegions',
    'CropRegions',
    'GridRegions',
    'KeepOriginalImage',
    'LoadPanopticRegions',
    'PackRegions',
    'ProposalRegions',
    'ResizeLongest',
]
