"""Contrastive image-text pre-training of small CLIPs."""

from .contrastive import ContrastivePretrainer

__all__ = ['ContrastivePretrainer']
