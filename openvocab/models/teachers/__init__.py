"""Frozen models that give an aligner its targets."""

from .frozen_teacher import CropTeacher, DenseTeacher

__all__ = ['CropTeacher', 'DenseTeacher']
