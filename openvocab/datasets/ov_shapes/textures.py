"""Procedural textures: ``texture(name, rng, height, width) -> (H, W, 3) uint8 BGR``.

Each texture has its own structure besides its colour (grain, waves, joints, planks),
and every call varies phase, scale and brightness, so that no two patches are equal.
"""

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np

Texture = Callable[[np.random.Generator, int], np.ndarray]
_TILE = 192
_VARIANTS = 24
_TEXTURES: dict[str, Texture] = {}


def _texture(name: str) -> Callable[[Texture], Texture]:
    def register(function: Texture) -> Texture:
        _TEXTURES[name] = function
        return function

    return register


def _noise(rng: np.random.Generator, size: int, scale: float) -> np.ndarray:
    """Smooth noise of about unit deviation, blob size ``scale`` px, ``(S, S)``."""
    cells = max(2, round(size / scale))
    coarse = rng.standard_normal((cells, cells)).astype(np.float32)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


def _paint(colour: tuple[int, int, int], shade: np.ndarray) -> np.ndarray:
    """Adds a grey ``shade (S, S)`` to a BGR ``colour``, ``(S, S, 3)`` float32."""
    return np.float32(colour) + shade[..., None]


@_texture('sky')
def _sky(rng: np.random.Generator, size: int) -> np.ndarray:
    gradient = np.linspace(-18, 22, size, dtype=np.float32)[:, None]
    clouds = np.clip(_noise(rng, size, 40) + 0.3 * _noise(rng, size, 12), 0, 2)
    sky = _paint((235, 180, 120), np.broadcast_to(gradient, (size, size)))
    return sky + clouds[..., None] * np.float32((15, 45, 75)) * 0.7


@_texture('grass')
def _grass(rng: np.random.Generator, size: int) -> np.ndarray:
    blades = cv2.blur(rng.standard_normal((size, size)).astype(np.float32), (1, 7))
    return _paint((50, 140, 75), 55 * blades + 8 * _noise(rng, size, 25))


@_texture('sand')
def _sand(rng: np.random.Generator, size: int) -> np.ndarray:
    rows = np.arange(size, dtype=np.float32)[:, None] + 5 * _noise(rng, size, 45)
    ripples = np.sin(rows * 2 * np.pi / rng.uniform(14, 20))
    grain = rng.standard_normal((size, size)).astype(np.float32)
    return _paint((140, 195, 220), 9 * ripples + 9 * grain)


@_texture('water')
def _water(rng: np.random.Generator, size: int) -> np.ndarray:
    rows = np.arange(size, dtype=np.float32)[:, None] + 6 * _noise(rng, size, 24)
    waves = np.sin(rows * 2 * np.pi / rng.uniform(7, 10))
    return _paint((165, 110, 45), 30 * np.maximum(waves, 0) + 6 * waves)


@_texture('brick wall')
def _brick_wall(rng: np.random.Generator, size: int) -> np.ndarray:
    height = int(rng.integers(8, 12))
    width = 2 * height + int(rng.integers(0, 5))
    rows, columns = np.indices((size, size))
    course = rows // height
    shifted = columns + (course % 2) * (width // 2)
    joint = (rows % height < 2) | (shifted % width < 2)
    tone = rng.uniform(-22, 22, (size // height + 1, 2 * size // width + 2))
    shade = tone[course, shifted // width].astype(np.float32)
    shade += 5 * rng.standard_normal((size, size)).astype(np.float32)
    wall = _paint((55, 75, 160), shade)
    wall[joint] = np.float32((165, 175, 180))
    return wall


@_texture('wooden floor')
def _wooden_floor(rng: np.random.Generator, size: int) -> np.ndarray:
    width = int(rng.integers(13, 19))
    columns = np.indices((size, size))[1]
    plank = columns // width
    tone = rng.uniform(-20, 20, size // width + 1)[plank].astype(np.float32)
    grain = cv2.blur(rng.standard_normal((size, size)).astype(np.float32), (1, 31))
    floor = _paint((75, 125, 175), tone + 60 * grain)
    floor[columns % width == 0] *= 0.45
    return floor


@_texture('snow')
def _snow(rng: np.random.Generator, size: int) -> np.ndarray:
    drift = _noise(rng, size, 35)
    sparkle = (rng.random((size, size)) > 0.985).astype(np.float32)
    snow = _paint((240, 236, 232), 12 * sparkle)
    return snow - np.clip(drift, 0, 2)[..., None] * np.float32((6, 16, 22))


@_texture('road')
def _road(rng: np.random.Generator, size: int) -> np.ndarray:
    grain = rng.standard_normal((size, size)).astype(np.float32)
    road = _paint((88, 84, 82), 12 * grain + 4 * _noise(rng, size, 30))
    period = int(rng.integers(54, 72))
    rows, columns = np.indices((size, size))
    line = ((columns + int(rng.integers(period))) % period < 5) & (rows % 30 < 18)
    road[line] = np.float32((225, 230, 230))
    return road


@_texture('gravel')
def _gravel(rng: np.random.Generator, size: int) -> np.ndarray:
    stones = np.full((size, size), 62, np.uint8)
    count = size * size // 22
    centres = rng.integers(0, size, (count, 2))
    radii = rng.integers(2, 5, count)
    tones = rng.integers(95, 205, count)
    for (x, y), radius, tone in zip(centres, radii, tones, strict=True):
        cv2.circle(stones, (int(x), int(y)), int(radius), int(tone), -1, cv2.LINE_AA)
    return _paint((-6, 0, 5), stones.astype(np.float32))


@_texture('tiled floor')
def _tiled_floor(rng: np.random.Generator, size: int) -> np.ndarray:
    side = int(rng.integers(13, 20))
    rows, columns = np.indices((size, size))
    light = ((rows // side + columns // side) % 2).astype(np.float32)
    floor = _paint((150, 140, 95), 85 * light - 15)
    floor[(rows % side == 0) | (columns % side == 0)] = np.float32((70, 70, 60))
    return floor + 4 * _noise(rng, size, 3)[..., None]


@cache
def _tiles(name: str) -> np.ndarray:
    """``(V, T, T, 3) uint8``: a fixed stock of tiles that patches are cut from."""
    rng = np.random.default_rng([sum(name.encode()), len(name)])
    draw = _TEXTURES[name]
    tiles = [np.clip(draw(rng, _TILE), 0, 255) for _ in range(_VARIANTS)]
    return np.stack(tiles).astype(np.uint8)


def texture(name: str, rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Draws a patch of a texture.

    Args:
        name: One of :data:`.world.TEXTURES`.
        rng: Source of all variation.
        height: Height in pixels, at most 192.
        width: Width in pixels, at most 192.

    Returns:
        ``(height, width, 3)`` uint8 BGR.
    """
    if name not in _TEXTURES:
        raise KeyError(f'no texture {name!r}; choose one of {sorted(_TEXTURES)}')
    if max(height, width) > _TILE:
        raise ValueError(
            f'texture patches are at most {_TILE} px, got {height}x{width}'
        )
    top = int(rng.integers(_TILE - height + 1))
    left = int(rng.integers(_TILE - width + 1))
    tile = _tiles(name)[rng.integers(_VARIANTS)]
    patch = tile[top : top + height, left : left + width]
    if rng.random() < 0.5:
        patch = patch[:, ::-1]
    gain = rng.uniform(0.85, 1.12)
    return cv2.convertScaleAbs(patch, alpha=gain)
