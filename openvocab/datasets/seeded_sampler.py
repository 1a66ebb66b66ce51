"""An endless sampler whose augmentations can be repeated, whoever computes them."""

from collections.abc import Iterator

import numpy as np
from mmengine.dataset import InfiniteSampler

from openvocab.registry import DATA_SAMPLERS


class SeededIndex(int):
    """Index of an image, with the seed of its augmentation.

    Attributes:
        seed: 32 bits.
    """

    seed: int

    def __new__(cls, index: int, seed: int) -> 'SeededIndex':
        """An index that is an int to everybody else."""
        self = super().__new__(cls, index)
        self.seed = seed
        return self

    def __getnewargs__(self) -> tuple[int, int]:
        """Arguments of a copy, for the trip to a data worker."""
        return int(self), self.seed


@DATA_SAMPLERS.register_module()
class SeededInfiniteSampler(InfiniteSampler):
    """mmengine's ``InfiniteSampler``, whose every draw carries a seed of its own.

    The seed follows from the sampler's seed, the position in the stream and the rank.
    With :class:`SeedAugmentation` in the pipeline, a run that is resumed after any
    iteration sees what the uninterrupted one would have seen, with any number of data
    workers. Same arguments and same images as the parent.
    """

    def _indices_of_rank(self) -> Iterator[SeededIndex]:
        for position, index in enumerate(super()._indices_of_rank()):
            words = np.random.SeedSequence([self.seed, self.rank, position])
            yield SeededIndex(index, int(words.generate_state(1)[0]))
