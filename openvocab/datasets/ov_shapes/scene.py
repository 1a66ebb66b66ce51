"""One scene: textures as ground, things on it, and what an annotator would write."""

from dataclasses import dataclass

import cv2
import numpy as np

from .shapes import clip_window, paint_thing, shape_mask
from .textures import texture
from .world import COLOURS, HABITAT, SHAPES, TEXTURES, World

_ATTEMPTS = 12  # to find a place for a thing


@dataclass(frozen=True)
class Segment:
    """One annotated segment of a scene.

    Attributes:
        name: Class name, e.g. ``'red circle'`` or ``'grass'``.
        is_thing: Whether it is a thing.
        mask: ``(H, W)`` bool, visible pixels.
        amodal_box: ``(x1, y1, x2, y2)`` of the whole thing clipped to the canvas, or
            of the visible mask for stuff.
    """

    name: str
    is_thing: bool
    mask: np.ndarray
    amodal_box: tuple[int, int, int, int]


@dataclass(frozen=True)
class Scene:
    """A drawn image ``(H, W, 3)`` uint8 BGR and its non-overlapping segments."""

    image: np.ndarray
    segments: tuple[Segment, ...]

    def names(self, is_thing: bool) -> tuple[str, ...]:
        """Distinct class names of one kind, the largest segment's first."""
        areas: dict[str, int] = {}
        for segment in self.segments:
            if segment.is_thing == is_thing:
                area = int(segment.mask.sum())
                areas[segment.name] = areas.get(segment.name, 0) + area
        return tuple(sorted(areas, key=lambda name: -areas[name]))


def draw_ground(
    rng: np.random.Generator, size: int, names: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Fills a canvas with textures split along wavy lines.

    Args:
        rng: Source of all variation.
        size: Side of the canvas in pixels.
        names: Textures, one per band, in order across the canvas.

    Returns:
        The image ``(S, S, 3)`` uint8 and the band index of each pixel ``(S, S)``.
    """
    rows, columns = np.indices((size, size), dtype=np.float32) / size
    # Bands run mostly downwards as in outdoor pictures, at times across.
    angle = rng.normal(0, 0.35) + (np.pi / 2 if rng.random() < 0.25 else 0)
    depth = rows * np.cos(angle) + columns * np.sin(angle)
    across = columns * np.cos(angle) - rows * np.sin(angle)
    depth = depth + 0.04 * np.sin(2 * np.pi * (across * rng.uniform(0.5, 2)))
    shares = rng.dirichlet(np.full(len(names), 6.0)).cumsum()[:-1]
    bands = np.searchsorted(np.quantile(depth, shares), depth.ravel())
    bands = bands.reshape(size, size)
    image = np.empty((size, size, 3), np.uint8)
    for index, name in enumerate(names):
        chosen = bands == index
        image[chosen] = texture(name, rng, size, size)[chosen]
    return image, bands


def draw_scene(rng: np.random.Generator, world: World) -> Scene:
    """Draws a scene with 2-4 textures and 1 to ``world.max_things`` things.

    Args:
        rng: Source of all variation; the same state gives the same scene.
        world: Statistics of the scenes.
    """
    size = world.size
    count = int(rng.integers(2, 5))
    grounds = tuple(str(t) for t in rng.choice(TEXTURES, count, replace=False))
    image, bands = draw_ground(rng, size, grounds)
    owner = np.full((size, size), -1, np.int32)
    things: list[tuple[str, tuple[int, int, int, int], int]] = []
    for _ in range(int(rng.integers(1, world.max_things + 1))):
        _place_thing(rng, world, image, owner, bands, grounds, things)
    image = _develop(rng, image)
    segments = [
        Segment(name, True, owner == index, box)
        for index, (name, box, _) in enumerate(things)
    ]
    for index, name in enumerate(grounds):
        mask = (bands == index) & (owner < 0)
        if mask.any():
            segments.append(Segment(name, False, mask, _box_of(mask)))
    return Scene(image, tuple(segments))


def _place_thing(
    rng: np.random.Generator,
    world: World,
    image: np.ndarray,
    owner: np.ndarray,
    bands: np.ndarray,
    grounds: tuple[str, ...],
    things: list[tuple[str, tuple[int, int, int, int], int]],
) -> None:
    """Draws one thing where it leaves earlier ones recognisable, or gives up."""
    size = world.size
    colour = str(rng.choice(list(COLOURS)))
    shape = str(rng.choice(SHAPES))
    diameter = max(8, round(rng.uniform(*world.thing_diameter) * size))
    mask = shape_mask(shape, diameter, rng)
    homes = [i for i, name in enumerate(grounds) if name in HABITAT[shape]]
    at_home = bool(homes) and rng.random() < world.habitat_share
    for _ in range(_ATTEMPTS):
        # Up to a quarter of a thing may hang over the border.
        y, x = rng.integers(diameter // 4, size - diameter // 4, 2)
        if at_home and bands[y, x] not in homes:
            continue
        top, left = int(y) - diameter // 2, int(x) - diameter // 2
        window, part = clip_window(mask, top, left, (size, size))
        solid = mask[part] >= 0.5
        hidden = owner[window][solid]
        if any(
            (hidden == index).sum() > (1 - world.min_visible) * area
            for index, (_, _, area) in enumerate(things)
        ):
            continue
        paint_thing(image, mask, colour, top, left, rng)
        owner[window][solid] = len(things)
        rows, columns = (np.flatnonzero(solid.any(axis=a)) for a in (1, 0))
        y0, x0 = window[0].start, window[1].start
        box = (
            x0 + int(columns[0]),
            y0 + int(rows[0]),
            x0 + int(columns[-1]) + 1,
            y0 + int(rows[-1]) + 1,
        )
        things.append((f'{colour} {shape}', box, int(solid.sum())))
        return


def _develop(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """What a camera adds: a little blur and grain."""
    image = cv2.GaussianBlur(image, (3, 3), float(rng.uniform(0.2, 0.7)))
    grain = rng.normal(0, 4, image.shape[:2]).astype(np.float32)[..., None]
    return np.clip(image + grain, 0, 255).astype(np.uint8)


def _box_of(mask: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
