"""Hooks: safe checkpoints, exact resume, encoder export, test report."""

from .checkpoint_hook import AtomicCheckpointHook
from .det_vocabulary_hook import DetVocabularyHook
from .epoch_seed_hook import EpochSeedHook
from .export_encoder_hook import ExportEncoderHook
from .report_hook import ReportHook
from .vocabulary_hook import VocabularyHook

__all__ = [
    'AtomicCheckpointHook',
    'DetVocabularyHook',
    'EpochSeedHook',
    'ExportEncoderHook',
    'ReportHook',
    'VocabularyHook',
]
