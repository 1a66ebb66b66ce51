"""What people write under a picture: mostly the things, seldom the ground.

This is the origin of foreground bias in OV-Shapes, as in web captions: the text of a
scene names its things, so a contrastive model learns to look past the ground.
"""

import numpy as np

from .scene import Scene

TEMPLATES: tuple[str, ...] = (
    'a photo of a {}.',
    'a photo of the {}.',
    'This is a photo of the {} in the scene.',
    'There is a {} in the scene.',
    'a {}.',
    'a picture of a {}.',
)


def join_names(names: tuple[str, ...]) -> str:
    """``('red star', 'blue ring') -> 'red star and blue ring'``."""
    return ' and '.join(names)


def fill_template(rng: np.random.Generator, phrase: str) -> str:
    """Puts a phrase into a randomly chosen caption template."""
    return TEMPLATES[rng.integers(len(TEMPLATES))].format(phrase)


def caption_phrase(
    rng: np.random.Generator,
    scene: Scene,
    max_things: int = 3,
    stuff_share: float = 0.15,
) -> str:
    """The phrase that a caption of a whole scene contains.

    Args:
        rng: Source of the choices.
        scene: The scene.
        max_things: At most so many things are named, the largest first.
        stuff_share: Share of captions that also name the largest texture.
    """
    things = scene.names(is_thing=True)[:max_things]
    stuff = scene.names(is_thing=False)[:1]
    if not things:
        return join_names(stuff)
    if rng.random() < stuff_share:
        return f'{join_names(things)} on {stuff[0]}'
    return join_names(things)
