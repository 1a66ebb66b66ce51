"""Metrics that every image enters once, however the images are spread over ranks."""

import sys
from typing import Any

from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log


class GatheredMetric(BaseMetric):
    """A metric whose ``results`` are pairs (identity of the image, what it adds).

    mmengine cuts the gathered results to the size of the data set, which drops images
    when shards are uneven. Here everything is gathered, and an image that several ranks
    saw, as happens when a sampler rounds up, counts once.
    """

    # Not None: the metric names stand without a prefix, and mmengine need not warn.
    default_prefix = ''
    _expected_images: int | None = None

    def evaluate(self, size: int) -> dict[str, float]:
        """Gathers all ranks and computes the metrics."""
        self._expected_images = size
        return super().evaluate(sys.maxsize)

    def unique_images(self, results: list[tuple[Any, Any]]) -> list[Any]:
        """What each different image adds; logs if the data set has more or fewer."""
        unique = dict(results)
        if self._expected_images not in (None, len(unique)):
            print_log(
                f'{type(self).__name__} saw {len(unique)} different images, the data '
                f'set has {self._expected_images}',
                logger='current',
            )
        return list(unique.values())
