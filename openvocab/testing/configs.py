"""Configs that need no files."""

import copy
from typing import Any

_WEIGHT_KEYS = ('checkpoint', 'init_cfg')


def without_weights(cfg: Any) -> Any:
    """A copy of a model config whose encoders start at random.

    Every ``checkpoint`` and ``init_cfg`` below becomes ``None``, so that a published
    config builds at real size on a machine without its weights.

    Args:
        cfg: A model config, or any part of one.
    """
    if isinstance(cfg, dict):
        plain = copy.copy(cfg)
        for key, value in cfg.items():
            plain[key] = None if key in _WEIGHT_KEYS else without_weights(value)
        return plain
    if isinstance(cfg, (list, tuple)):
        return type(cfg)(without_weights(value) for value in cfg)
    return cfg
