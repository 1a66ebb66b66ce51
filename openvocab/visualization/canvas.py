"""Drawing primitives on BGR uint8 images (H, W, 3), on OpenCV alone."""

from collections.abc import Sequence

import cv2
import numpy as np

Color = tuple[int, int, int]
WHITE: Color = (255, 255, 255)
BLACK: Color = (0, 0, 0)
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def put_label(
    image: np.ndarray,
    text: str,
    corner: tuple[int, int],
    color: Color,
    font_scale: float = 0.45,
) -> None:
    """Writes text on a filled bar, in place, moved so that it stays in the image.

    Args:
        image: (H, W, 3) uint8 BGR.
        text: What to write; OpenCV has no letters beyond ASCII and shows ``?``.
        corner: Wanted left and top of the bar in pixels.
        color: BGR of the bar; the letters are black or white, whichever contrasts.
        font_scale: Size of the letters, 1 is about 22 pixels high.
    """
    (width, height), base = cv2.getTextSize(text, _FONT, font_scale, 1)
    left = max(0, min(corner[0], image.shape[1] - width - 4))
    top = max(0, min(corner[1], image.shape[0] - height - base - 4))
    right, bottom = left + width + 4, top + height + base + 4
    cv2.rectangle(image, (left, top), (right, bottom), color, cv2.FILLED)
    blue, green, red = color
    is_bright = 0.114 * blue + 0.587 * green + 0.299 * red > 128
    origin = (left + 2, top + height + 2)
    letters = BLACK if is_bright else WHITE
    cv2.putText(image, text, origin, _FONT, font_scale, letters, 1, cv2.LINE_AA)


def title_bar(text: str, width: int, height: int = 28) -> np.ndarray:
    """Returns a white (height, width, 3) bar with centred text, shrunk to fit."""
    bar = np.full((height, width, 3), 255, dtype=np.uint8)
    scale = 0.55
    (text_width, text_height), _ = cv2.getTextSize(text, _FONT, scale, 1)
    if text_width > width - 8:
        scale *= (width - 8) / text_width
        (text_width, text_height), _ = cv2.getTextSize(text, _FONT, scale, 1)
    origin = ((width - text_width) // 2, (height + text_height) // 2)
    cv2.putText(bar, text, origin, _FONT, scale, BLACK, 1, cv2.LINE_AA)
    return bar


def fit_to_width(image: np.ndarray, width: int) -> np.ndarray:
    """Resizes an image to a width, keeping its aspect ratio."""
    height = max(1, round(image.shape[0] * width / image.shape[1]))
    shrinks = width < image.shape[1]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST
    return cv2.resize(image, (width, height), interpolation=interpolation)


def tile(
    cells: Sequence[Sequence[np.ndarray]],
    titles: Sequence[str] | None = None,
    gap: int = 4,
) -> np.ndarray:
    """Puts images of one size into rows and columns on white.

    Args:
        cells: Rows of (H, W, 3) uint8 images; a short last row is filled with white.
        titles: One heading per column.
        gap: Pixels between the cells.

    Returns:
        One (H', W', 3) uint8 image.

    Raises:
        ValueError: The cells differ in size.
    """
    shapes = {cell.shape for row in cells for cell in row}
    if len(shapes) != 1:
        raise ValueError(f'tile: all images must have one size, got {sorted(shapes)}')
    width = shapes.pop()[1]
    columns = max(len(row) for row in cells)
    strips = []
    if titles is not None:
        bars = [title_bar(title, width) for title in titles]
        strips.append(_strip(bars, columns, width, gap))
    strips += [_strip(row, columns, width, gap) for row in cells]
    between = np.full((gap, strips[0].shape[1], 3), 255, dtype=np.uint8)
    parts = [part for strip in strips for part in (between, strip)][1:]
    return np.concatenate(parts)


def _strip(
    images: Sequence[np.ndarray], columns: int, width: int, gap: int
) -> np.ndarray:
    height = images[0].shape[0]
    strip = np.full((height, columns * (width + gap) - gap, 3), 255, dtype=np.uint8)
    for column, image in enumerate(images):
        left = column * (width + gap)
        strip[:, left : left + width] = image
    return strip
