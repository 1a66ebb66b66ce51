"""The inferencer that a config asks for."""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from mmengine.config import Config

from .det_inferencer import OpenVocabDetInferencer
from .inferencer import OpenVocabInferencer
from .model_zoo import find_config
from .seg_inferencer import OpenVocabSegInferencer

_BY_SCOPE: Mapping[str, type[OpenVocabInferencer]] = {
    'mmdet': OpenVocabDetInferencer,
    'mmseg': OpenVocabSegInferencer,
}


def open_inferencer(
    config: str | Path | Config,
    weights: str | Path | None = None,
    device: str | None = None,
    cfg_options: Mapping[str, Any] | None = None,
    show_progress: bool = True,
) -> OpenVocabInferencer:
    """Builds the inferencer of a config, for detection or for segmentation.

    Args:
        config: A config file, a config, or the name of one of our models.
        weights: What ``tools/train.py`` wrote; None leaves all but the encoder
            untrained.
        device: Of the model; by default a GPU if there is one.
        cfg_options: Entries of the config to change, ``{'a.b': value}``.
        show_progress: Show a progress bar in every call.

    Raises:
        FileNotFoundError: The config or a file of weights does not exist.
        ValueError: No model has this name; the config builds neither a detector nor a
            segmentor that takes any classes; or the checkpoint does not fit.
    """
    if isinstance(config, Config):
        cfg = deepcopy(config)
    else:
        cfg, published = find_config(config)
        weights = weights or published
    cfg.merge_from_dict(dict(cfg_options or {}))
    scope = cfg.get('default_scope')
    if scope not in _BY_SCOPE:
        raise ValueError(
            f'default_scope={scope!r} of the config: a detector has '
            f'{" and a segmentor ".join(map(repr, _BY_SCOPE))}'
        )
    return _BY_SCOPE[scope](
        cfg, weights and str(weights), device=device, show_progress=show_progress
    )
