"""Models by config, ready to predict."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config, ConfigDict
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import init_default_scope
from torch import nn

from openvocab.engine.safe_loading import refuse_code_in_checkpoints
from openvocab.engine.strict_loading import load_weights
from openvocab.registry import MODELS


def build_model(
    config: str | Path | Config | ConfigDict,
    checkpoint: str | Path | None = None,
    device: str | torch.device = 'cpu',
    cfg_options: Mapping[str, Any] | None = None,
) -> nn.Module:
    """Builds the model of a config: a detector, a segmentor, any other.

    Encoders load the weights that the config names, ``init_cfg`` too: checkpoints do
    not hold frozen encoders, and mmdet's and mmseg's ``init_model`` would leave them
    at other weights than those of the training. From here on this process refuses
    checkpoints that carry code.

    Args:
        config: A config file or a config.
        checkpoint: What ``tools/train.py`` wrote; None leaves all but the encoders at
            its initial weights.
        device: Where the model goes.
        cfg_options: Entries of the config to change, ``{'a.b': value}``.

    Returns:
        The model in eval mode; ``model.cfg`` is its config.

    Raises:
        FileNotFoundError: The config or a file of weights does not exist.
        ValueError: The checkpoint carries code, was trained with another encoder, or is
            of another model.
    """
    refuse_code_in_checkpoints()
    cfg = Config.fromfile(config) if isinstance(config, (str, Path)) else config
    if cfg_options:
        cfg = copy.deepcopy(cfg)
        cfg.merge_from_dict(dict(cfg_options))
    init_default_scope(cfg.get('default_scope') or 'mmdet')
    model = MODELS.build(cfg.model)
    model.init_weights()
    if checkpoint is not None:
        load_weights(model, checkpoint, cfg)
    model = revert_sync_batchnorm(model)
    model.cfg = cfg
    return model.to(device).eval()
