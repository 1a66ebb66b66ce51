"""Models as programs that run without this package: ``torch.export``."""

from .image_programs import DetectorProgram, EncoderProgram, SegmentorProgram
from .model_maps import model_maps
from .program_file import ProgramError, export_program, load_program, save_program

__all__ = [
    'DetectorProgram',
    'EncoderProgram',
    'ProgramError',
    'SegmentorProgram',
    'export_program',
    'load_program',
    'model_maps',
    'save_program',
]
