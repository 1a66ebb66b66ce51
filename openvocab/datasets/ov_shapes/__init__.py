"""OV-Shapes: a procedural world of coloured shapes on textured ground.

Every image is a function of ``(seed, split, index)``; nothing is downloaded. See
:mod:`.world` for the classes and their co-occurrence, :mod:`.scene` for the drawing and
:mod:`.writer` for the COCO / ADE style files on disk.
"""

from .scene import Scene, Segment, draw_scene
from .world import COLOURS, SHAPES, TEXTURES, World

__all__ = [
    'COLOURS',
    'SHAPES',
    'TEXTURES',
    'Scene',
    'Segment',
    'World',
    'draw_scene',
]
