"""Attention with the kernel elu + 1, in two steps: sums over keys, then reading them.

Keys enter through two sums over all of them: any number of keys may be added, and any
number of queries may read, a few at a time with the same result. All in float32.

Shape legend: B images, n keys or queries, .. dimensions that do not meet (heads,
positions), D channels of queries and keys, E of values.

Source: Katharopoulos et al., "Transformers are RNNs", ICML 2020.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

_EPSILON = 1e-6


def kernel(vectors: Tensor) -> Tensor:
    """The positive feature map elu + 1, elementwise, in float32."""
    return F.elu(vectors.float()) + 1


def key_sums(k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Sum over keys.

    Args:
        k: (B, n, .., D) keys, through :func:`kernel`.
        v: (B, n, .., E) values.

    Returns:
        Sum of outer products (B, .., D, E) and of keys (B, .., D).
    """
    with torch.autocast(k.device.type, enabled=False):
        return torch.einsum('bn...d,bn...e->b...de', k, v.float()), k.sum(dim=1)


def read_sums(q: Tensor, kv: Tensor, norm: Tensor) -> Tensor:
    """Let queries read the sums.

    Args:
        q: (B, n, .., D) queries, through :func:`kernel`.
        kv: (B, .., D, E) and
        norm: (B, .., D), from :func:`key_sums`.

    Returns:
        (B, n, .., E).
    """
    with torch.autocast(q.device.type, enabled=False):
        weight = torch.einsum('bn...d,b...d->bn...', q, norm) + _EPSILON
        return torch.einsum('bn...d,b...de->bn...e', q, kv) / weight[..., None]
