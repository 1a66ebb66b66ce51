"""The models of the zoo by name.

::

    list_models('*densevlm*', task='Object Detection')
    # ['fvit_eva02-b16-densevlm_8xb8-3e_ov-coco']
    get_model('fvit_eva02-b16-densevlm_8xb8-3e_ov-coco', pretrained='epoch_3.pth')
"""

from collections.abc import Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch import nn

from openvocab.checkpoints.source import find_checkpoint
from openvocab.config_parts import drop_weights
from openvocab.zoo.model_index import ModelEntry, ModelIndex

from .model import build_model


def list_models(pattern: str | None = None, task: str | None = None) -> list[str]:
    """Names of the models in the zoo, sorted.

    Args:
        pattern: Only names like this, with the wildcards ``*``, ``?`` and ``[...]``;
            without any, names that contain it.
        task: Only models of this task, such as ``'Semantic Segmentation'``.

    Raises:
        ValueError: No model has this task; the message lists those that some have.
    """
    index = ModelIndex.load()
    tasks = {model.task for model in index}
    if task is not None and task not in tasks:
        raise ValueError(f'task={task!r}: the zoo has {", ".join(sorted(tasks))}')
    if pattern is not None and not set(pattern) & set('*?['):
        pattern = f'*{pattern}*'
    return sorted(
        model.name
        for model in index
        if (pattern is None or fnmatchcase(model.name, pattern))
        and task in (None, model.task)
    )


def get_model(
    name: str,
    pretrained: bool | str | Path = False,
    device: str | torch.device = 'cpu',
    cfg_options: Mapping[str, Any] | None = None,
) -> nn.Module:
    """Builds a model of the zoo.

    Args:
        name: One of :func:`list_models`.
        pretrained: False draws all weights, encoders' too, and reads no file. A path
            or address is the checkpoint of ``tools/train.py``; encoders then load what
            the config names. True takes the weights that the zoo lists, which for a
            model that trains nothing are those of its encoders.
        device: Where the model goes.
        cfg_options: Entries of the config to change, ``{'a.b': value}``.

    Returns:
        The model in eval mode; ``model.cfg`` is its config.

    Raises:
        ValueError: There is no such model; or ``pretrained=True`` and the zoo lists no
            weights of it.
        FileNotFoundError: A file of weights does not exist.
    """
    entry, root = _find(name)
    cfg = Config.fromfile(root / entry.config)
    cfg.merge_from_dict(dict(cfg_options or {}))
    if pretrained is False:
        drop_weights(cfg.model)
        return build_model(cfg, device=device)
    checkpoint = _listed_weights(entry) if pretrained is True else pretrained
    if checkpoint is not None:
        checkpoint = find_checkpoint(checkpoint)
    return build_model(cfg, checkpoint, device)


def find_config(name: str | Path) -> tuple[Config, str | None]:
    """Reads a config by its file or by its name.

    Args:
        name: A config file, or one of :func:`list_models`.

    Returns:
        The config, and the address of the weights that the zoo lists for the name.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: There is no such model.
    """
    if Path(name).is_file():
        return Config.fromfile(name), None
    if Path(name).suffix == '.py':
        raise FileNotFoundError(f'config not found: {name}')
    entry, root = _find(str(name))
    return Config.fromfile(root / entry.config), entry.weights


def _find(name: str) -> tuple[ModelEntry, Path]:
    index = ModelIndex.load()
    for model in index:
        if model.name == name:
            return model, index.root
    near = get_close_matches(name, [model.name for model in index], n=3, cutoff=0.5)
    hint = f'; near: {", ".join(near)}' if near else ''
    raise ValueError(f'no model {name!r} in the zoo (list_models() names them){hint}')


def _listed_weights(entry: ModelEntry) -> str | None:
    if entry.weights is None and not entry.trains_nothing:
        raise ValueError(
            f'{entry.name}: {entry.metafile} lists no weights; train it with '
            f'tools/train.py {entry.config} and pass the checkpoint, '
            "get_model(..., pretrained='PATH')"
        )
    return entry.weights
