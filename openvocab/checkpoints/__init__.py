"""Checkpoint files: found, fetched, read without running code, written whole."""

from .reading import CheckpointError

__all__ = ['CheckpointError']
