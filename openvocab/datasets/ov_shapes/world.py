"""What exists in OV-Shapes: colours, shapes, textures, and who is seen where.

Things are all pairs of a colour and a shape; stuff are procedural textures. The splits
of the vocabulary file follow two rules stated here: ten *combinations* are novel
although every colour and every shape occurs among the base things, and three textures
are unseen.
"""

from dataclasses import dataclass

# BGR is what OpenCV draws; the values are far apart in hue or lightness.
COLOURS: dict[str, tuple[int, int, int]] = {
    'red': (40, 40, 215),
    'green': (60, 170, 40),
    'blue': (215, 70, 30),
    'yellow': (30, 215, 240),
    'purple': (170, 40, 140),
    'black': (25, 25, 25),
}
SHAPES: tuple[str, ...] = ('circle', 'square', 'triangle', 'star', 'cross', 'ring')
TEXTURES: tuple[str, ...] = (
    'sky',
    'grass',
    'sand',
    'water',
    'brick wall',
    'wooden floor',
    'snow',
    'road',
    'gravel',
    'tiled floor',
)
UNSEEN_TEXTURES: frozenset[str] = frozenset({'sand', 'gravel', 'tiled floor'})
NOVEL_THINGS: frozenset[str] = frozenset(
    {
        'red star',
        'red ring',
        'green circle',
        'green cross',
        'blue square',
        'blue triangle',
        'yellow ring',
        'yellow cross',
        'purple circle',
        'black star',
    }
)

# A thing stands on a texture of its shape's habitat more often than chance.
HABITAT: dict[str, tuple[str, ...]] = {
    'circle': ('grass', 'snow'),
    'square': ('road', 'brick wall'),
    'triangle': ('sand', 'water'),
    'star': ('sky', 'tiled floor'),
    'cross': ('wooden floor', 'gravel'),
    'ring': ('water', 'sky'),
}


def thing_names() -> tuple[str, ...]:
    """Names of all things, colour first, e.g. ``'red circle'``."""
    return tuple(f'{colour} {shape}' for colour in COLOURS for shape in SHAPES)


def class_names() -> tuple[str, ...]:
    """Names of all classes, things before stuff."""
    return thing_names() + TEXTURES


@dataclass(frozen=True)
class World:
    """Statistics of the scenes.

    Attributes:
        size: Side of the square canvas in pixels.
        max_things: Scenes hold 1 to ``max_things`` things.
        thing_diameter: Smallest and largest diameter of a thing as a share of ``size``,
            drawn uniformly: as in COCO, a good part of the area belongs to things.
        habitat_share: Share of things that are placed on a texture of their habitat
            when the scene has one; the rest stand anywhere.
        min_visible: A thing is not placed where it would hide more than
            ``1 - min_visible`` of an earlier one.
    """

    size: int = 128
    max_things: int = 6
    thing_diameter: tuple[float, float] = (0.0625, 0.55)
    habitat_share: float = 0.6
    min_visible: float = 0.55

    def __post_init__(self) -> None:
        low, high = self.thing_diameter
        if not 0 < low <= high < 1:
            raise ValueError(
                f'World.thing_diameter must satisfy 0 < low <= high < 1, got '
                f'{self.thing_diameter}'
            )
        if self.size < 32:
            raise ValueError(f'World.size must be at least 32 px, got {self.size}')
