"""Colours for classes that bring none."""

import colorsys
import hashlib
from collections.abc import Iterable

Color = tuple[int, int, int]


def fill_palette(names: Iterable[str], colors: Iterable[Color | None]) -> list[Color]:
    """Completes a palette.

    A generated colour depends on the class name alone (and, where two names fall on
    the same colour, on the order), so a class looks the same in every vocabulary.

    Args:
        names: Class names.
        colors: RGB colour of each class, 0-255, or None.

    Returns:
        list[tuple[int, int, int]]: One RGB colour per class.
    """
    colors = list(colors)
    taken = {color for color in colors if color is not None}
    palette = []
    for name, color in zip(names, colors, strict=True):
        attempt = 0
        while color is None:
            candidate = _color_of(f'{name}/{attempt}')
            attempt += 1
            if candidate not in taken:
                color = candidate
                taken.add(color)
        palette.append(color)
    return palette


def _color_of(text: str) -> Color:
    hue, saturation, value = hashlib.sha256(text.encode()).digest()[:3]
    rgb = colorsys.hsv_to_rgb(
        hue / 256, 0.5 + 0.5 * saturation / 255, 0.6 + 0.4 * value / 255
    )
    red, green, blue = (round(255 * channel) for channel in rgb)
    return red, green, blue
