"""Configs that need no files."""

import copy
from typing import Any

from openvocab.config_parts import drop_weights


def without_weights(cfg: Any) -> Any:
    """A copy of a model config whose encoders start at random.

    So a published config builds at real size on a machine without its weights.

    Args:
        cfg: A model config, or any part of one.
    """
    cfg = copy.deepcopy(cfg)
    drop_weights(cfg)
    return cfg
