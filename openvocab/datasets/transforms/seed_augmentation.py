"""Random transforms that depend on the draw alone, not on the process."""

import random
from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform

from openvocab.registry import TRANSFORMS


@TRANSFORMS.register_module()
class SeedAugmentation(BaseTransform):
    """Seeds Python, numpy and torch for the random transforms that follow.

    The seed is that of the draw by :class:`SeededInfiniteSampler`.

    Raises:
        ValueError: The loader has another sampler.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Seeds the generators of this process."""
        seed = getattr(results.get('sample_idx'), 'seed', None)
        if seed is None:
            raise ValueError(
                'SeedAugmentation needs the sampler openvocab.SeededInfiniteSampler'
            )
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        return results
