"""Frozen models that give an aligner its targets."""

from .frozen_teacher import CropTeacher, DenseTeacher
from .vfm import DINO, DINOv2, SAMEncoder, TimmViT, VFMTeacher, features_on_grid

__all__ = [
    'CropTeacher',
    'DINO',
    'DINOv2',
    'DenseTeacher',
    'SAMEncoder',
    'TimmViT',
    'VFMTeacher',
    'features_on_grid',
]
