"""Dense heads of detectors."""

from .fvit_rpn_head import FViTRPNHead

__all__ = ['FViTRPNHead']
