"""Random image scale per training step."""

import random
from collections.abc import Sequence


class ScaleSampler:
    """Draws one scale per step, the same on every rank.

    The draw depends on the seed and the number of draws so far, not on any global
    generator, so ranks that take the same steps agree without communication. A
    resumed run starts the sequence again.

    Args:
        scales: Longer image sides in pixels.
        seed: Start of the sequence.

    Raises:
        ValueError: If there is no scale, or one is not positive.
    """

    def __init__(self, scales: Sequence[int], seed: int = 0) -> None:
        if not scales or min(scales) <= 0:
            raise ValueError(f'scales must be positive sizes in pixels, got {scales}')
        self.scales = tuple(scales)
        self._random = random.Random(seed)

    def __call__(self) -> int:
        """Returns the scale of the next step."""
        return self._random.choice(self.scales)
