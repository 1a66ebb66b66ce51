"""Vision foundation models that teach which tokens belong together."""

from .base import VFMTeacher, features_on_grid
from .timm_vfm import DINO, DINOv2, SAMEncoder, TimmViT

__all__ = ['DINO', 'DINOv2', 'SAMEncoder', 'TimmViT', 'VFMTeacher', 'features_on_grid']
