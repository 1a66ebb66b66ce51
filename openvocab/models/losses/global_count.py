"""Counts that make a mean independent of how a batch is split over ranks."""

from mmengine.dist import all_reduce, get_world_size
from torch import Tensor


def mean_count_per_rank(count: Tensor) -> Tensor:
    """Divisor of a local sum whose average over ranks is the global mean.

    Distributed training averages gradients over ranks, so a term that every rank
    divides by (global count / number of ranks) ends up divided by the global count.

    Args:
        count: Local counts, any shape.

    Returns:
        Same shape, float; a global count of 0 is taken as 1, so that an empty sum
        stays an exact zero.
    """
    total = count.detach().clone()
    all_reduce(total)
    return total.clamp(min=1) / get_world_size()
