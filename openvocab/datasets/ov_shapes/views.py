"""Image-caption pairs for the contrastive pre-training of the tiny VLMs.

Three kinds of pictures, as on the web: a thing that fills the frame, a whole scene, and
a piece of ground that somebody found worth a picture.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from .captions import caption_phrase, fill_template
from .scene import Scene, Segment, draw_scene
from .world import World

_LEAST_STUFF = 0.65  # of a picture of the ground


@dataclass(frozen=True)
class ViewStatistics:
    """Mixture of pictures; the rest are whole scenes.

    The default is web-like: hardly anybody takes a picture of the ground alone, and a
    caption seldom names it. More ``stuff_share`` makes a broader collection.

    Attributes:
        size: Side of a view in pixels.
        thing_share: Share of pictures framed around one thing.
        stuff_share: Share of pictures framed around a piece of ground.
        stuff_in_caption: Share of thing and scene captions that also name the ground.
    """

    size: int = 64
    thing_share: float = 0.65
    stuff_share: float = 0.05
    stuff_in_caption: float = 0.15


def draw_view(
    rng: np.random.Generator, world: World, views: ViewStatistics
) -> tuple[np.ndarray, str, str]:
    """Draws one picture and its caption.

    Returns:
        ``(S, S, 3)`` uint8 BGR, the caption, and the phrase inside its template (two
        captions with the same phrase say the same thing).
    """
    while True:
        scene = draw_scene(rng, world)
        kind = rng.random()
        if kind < views.thing_share:
            framed = _frame_thing(rng, scene, views.stuff_in_caption)
        elif kind < views.thing_share + views.stuff_share:
            framed = _frame_stuff(rng, scene)
        else:
            phrase = caption_phrase(rng, scene, stuff_share=views.stuff_in_caption)
            framed = scene.image, phrase
        if framed is None:
            continue
        crop, phrase = framed
        method = cv2.INTER_AREA if len(crop) > views.size else cv2.INTER_CUBIC
        image = cv2.resize(crop, (views.size, views.size), interpolation=method)
        return image, fill_template(rng, phrase), phrase


def _frame_thing(
    rng: np.random.Generator, scene: Scene, stuff_in_caption: float
) -> tuple[np.ndarray, str] | None:
    """A square around one thing, the thing filling 50-95 % of its side."""
    things = [s for s in scene.segments if s.is_thing and s.mask.sum() >= 60]
    if not things:
        return None
    thing = things[rng.integers(len(things))]
    x1, y1, x2, y2 = thing.amodal_box
    extent = max(x2 - x1, y2 - y1)
    side = round(min(extent / rng.uniform(0.5, 0.95), scene.image.shape[0]))
    wander = (side - extent) * 0.25
    centre = np.array([(x1 + x2) / 2, (y1 + y2) / 2]) + rng.uniform(-wander, wander, 2)
    window = _square(scene, centre, side)
    if rng.random() < stuff_in_caption:
        ground = _largest_stuff(scene, window)
        if ground is not None:
            return scene.image[window], f'{thing.name} on {ground.name}'
    return scene.image[window], thing.name


def _frame_stuff(
    rng: np.random.Generator, scene: Scene
) -> tuple[np.ndarray, str] | None:
    """A square mostly covered by one texture; a thing may stand at its edge."""
    stuff = [s for s in scene.segments if not s.is_thing and s.mask.sum() >= 200]
    if not stuff:
        return None
    chosen = stuff[rng.integers(len(stuff))]
    rows, columns = np.nonzero(chosen.mask)
    for _ in range(8):
        index = rng.integers(len(rows))
        side = int(rng.integers(16, 80))
        window = _square(scene, np.array([columns[index], rows[index]]), side)
        if chosen.mask[window].mean() >= _LEAST_STUFF:
            return scene.image[window], chosen.name
    return None


def _square(scene: Scene, centre: np.ndarray, side: int) -> tuple[slice, slice]:
    """The square window of a side nearest to a centre, moved inside the canvas."""
    limit = scene.image.shape[0] - side
    left, top = (int(v) for v in np.clip(np.round(centre - side / 2), 0, limit))
    return slice(top, top + side), slice(left, left + side)


def _largest_stuff(scene: Scene, window: tuple[slice, slice]) -> Segment | None:
    stuff = [s for s in scene.segments if not s.is_thing]
    if not stuff:
        return None
    best = max(stuff, key=lambda segment: segment.mask[window].sum())
    return best if best.mask[window].mean() > 0.2 else None
