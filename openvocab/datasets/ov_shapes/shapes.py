"""Anti-aliased masks of the shapes and the painting of one thing."""

import cv2
import numpy as np

from .world import COLOURS

_OVERSAMPLING = 4
_MAX_TILT = 20.0  # degrees


def _star(points: int = 5, inner: float = 0.42) -> np.ndarray:
    angles = np.pi * np.arange(2 * points) / points - np.pi / 2
    radii = np.where(np.arange(2 * points) % 2 == 0, 1.0, inner)
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)


def _cross() -> np.ndarray:
    a = 0.3  # half the width of an arm
    return np.array(
        [
            (-a, -1), (a, -1), (a, -a), (1, -a), (1, a), (a, a),
            (a, 1), (-a, 1), (-a, a), (-1, a), (-1, -a), (-a, -a),
        ]
    )  # fmt: skip


# Corners on the unit disc; circles and rings are drawn as such.
_POLYGONS: dict[str, np.ndarray] = {
    'square': np.array([(-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8)]),
    'triangle': np.array([(0.0, -1.0), (0.95, 0.75), (-0.95, 0.75)]),
    'star': _star(),
    'cross': _cross(),
}


def shape_mask(shape: str, diameter: int, rng: np.random.Generator) -> np.ndarray:
    """Coverage of a shape, slightly tilted and stretched.

    Args:
        shape: One of :data:`.world.SHAPES`.
        diameter: Side of the square that holds the shape, in pixels.
        rng: Source of the tilt and the stretch.

    Returns:
        ``(diameter, diameter)`` float32 in [0, 1].
    """
    side = diameter * _OVERSAMPLING
    canvas = np.zeros((side, side), np.uint8)
    centre, radius = side / 2, 0.5 * side - _OVERSAMPLING / 2
    stretch = rng.uniform(0.88, 1.0, 2)
    if shape in ('circle', 'ring'):
        axes = tuple(int(v) for v in radius * stretch)
        middle = (int(centre), int(centre))
        cv2.ellipse(canvas, middle, axes, 0, 0, 360, 255, -1)
        if shape == 'ring':
            hole = tuple(int(v * 0.55) for v in axes)
            cv2.ellipse(canvas, middle, hole, 0, 0, 360, 0, -1)
    else:
        tilt = np.deg2rad(rng.uniform(-_MAX_TILT, _MAX_TILT))
        turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
        corners = (_POLYGONS[shape] * stretch) @ turn.T
        corners = np.clip(corners, -1, 1) * radius + centre
        cv2.fillPoly(canvas, [np.round(corners).astype(np.int32)], 255)
    small = cv2.resize(canvas, (diameter, diameter), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / 255


def paint_thing(
    image: np.ndarray,
    mask: np.ndarray,
    colour: str,
    top: int,
    left: int,
    rng: np.random.Generator,
) -> None:
    """Blends a thing into ``image (H, W, 3) uint8`` in place.

    Args:
        image: The canvas.
        mask: ``(d, d)`` coverage from :func:`shape_mask`; may hang over the border.
        colour: One of :data:`.world.COLOURS`.
        top: Row of the mask's first line; may be negative.
        left: Column of the mask's first line; may be negative.
        rng: Source of the colour's jitter and the shading.
    """
    window, part = clip_window(mask, top, left, image.shape[:2])
    tint = np.float32(COLOURS[colour]) + rng.uniform(-16, 16, 3).astype(np.float32)
    height = mask.shape[0]
    light = np.linspace(rng.uniform(4, 22), rng.uniform(-22, -4), height)
    rows = np.broadcast_to(light.astype(np.float32)[:, None], mask.shape)[part]
    paint = tint + rows[..., None]
    alpha = mask[part][..., None]
    blended = image[window] * (1 - alpha) + paint * alpha
    image[window] = np.clip(blended, 0, 255).astype(np.uint8)


def clip_window(
    mask: np.ndarray, top: int, left: int, shape: tuple[int, int]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Slices of the canvas and of the mask where the two overlap."""
    height, width = shape
    y0, x0 = max(top, 0), max(left, 0)
    y1 = min(top + mask.shape[0], height)
    x1 = min(left + mask.shape[1], width)
    window = (slice(y0, y1), slice(x0, x1))
    return window, (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
