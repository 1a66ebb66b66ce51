"""Random image scale per training step."""

import random
from collections.abc import Sequence


class ScaleSampler:
    """Draws one scale per step, the same on every rank.

    The draw depends on the seed and the step alone, so that ranks agree without
    communication and a resumed run continues the sequence.

    Args:
        scales: Longer image sides in pixels.
        seed: Another one draws another sequence.

    Raises:
        ValueError: If there is no scale, or one is not positive.
    """

    def __init__(self, scales: Sequence[int], seed: int = 0) -> None:
        if not scales or min(scales) <= 0:
            raise ValueError(f'scales must be positive sizes in pixels, got {scales}')
        self.scales = tuple(scales)
        self.seed = seed

    def __call__(self, step: int) -> int:
        """Returns the scale of a step, counted from 0 over the whole training."""
        return random.Random(f'{self.seed} {step}').choice(self.scales)
