"""From the command line to a ready configuration, shared by ``tools/*.py``."""

import argparse
import logging
import os
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import print_log

from openvocab.checkpoints.source import is_location, parse_source
from openvocab.config_parts import checkpoints_in
from openvocab.device import default_device, has_bfloat16

from .safe_loading import refuse_code_in_checkpoints

_TENSORBOARD = 'TensorboardVisBackend'
Reader = Callable[..., Config]
"""What :func:`read_run` and :func:`load_run` are."""


def read_config(
    path: str | Path,
    options: Mapping[str, Any] | None = None,
    prepare: Callable[[Config], None] | None = None,
) -> Config:
    """Reads a config and changes entries of it.

    Args:
        path: The config file.
        options: What ``--cfg-options`` says: ``{'a.b': value}``.
        prepare: Changes the config before the options do.

    Raises:
        ValueError: If the file, or one that it inherits, is not Python, or a key of the
            options goes through something that is not a dict or list.
    """
    try:
        cfg = Config.fromfile(path)
    except SyntaxError as error:
        raise ValueError(f'{path}, or what it inherits: {error}') from error
    if prepare is not None:
        prepare(cfg)
    if options:
        try:
            cfg.merge_from_dict(dict(options))
        except (TypeError, KeyError) as error:
            raise ValueError(f'--cfg-options: {error}') from error
    return cfg


def read_run(
    args: argparse.Namespace, prepare: Callable[[Config], None] | None = None
) -> Config:
    """Reads ``args.config`` and applies what ``add_run_arguments`` added.

    Args:
        args: The command line.
        prepare: As for :func:`read_config`.

    Raises:
        ValueError: As :func:`read_config`.
    """
    cfg = read_config(args.config, args.cfg_options, prepare)
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs') / Path(args.config).stem)
    return cfg


def load_run(
    args: argparse.Namespace, prepare: Callable[[Config], None] | None = None
) -> Config:
    """:func:`read_run`, and prepares the process.

    Checkpoints that carry code are refused from here on, and without a GPU a
    distributed job talks over gloo.

    Raises:
        ValueError: As :func:`read_config`.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    refuse_code_in_checkpoints()
    cfg = read_run(args, prepare)
    if args.launcher == 'pytorch' and not torch.cuda.is_available():
        _use_cpu_processes(cfg)
    return cfg


def check_weight_files(cfg: Config) -> None:
    """Looks for the files of weights that a model names, before it is built.

    Raises:
        FileNotFoundError: One is missing; names its key.
        ValueError: The config has no model.
    """
    if cfg.get('model') is None:
        raise ValueError(f'{cfg.filename} has no model')
    for key, checkpoint in checkpoints_in(cfg.model, 'model'):
        file = parse_source(checkpoint).location
        if ':' in file or not is_location(file):
            continue  # packaged, downloaded, or known to open_clip by a tag
        if not Path(file).expanduser().is_file():
            raise FileNotFoundError(
                f'{key}: {file} does not exist; put the released file there, or set '
                f'{key} to yours or to a name that is downloaded '
                '(configs/clip/README.md, "Weights by path or by name")'
            )


def _use_cpu_processes(cfg: Config) -> None:
    # mmengine would call torch.cuda.set_device and give DDP a device id.
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group('gloo')
    if cfg.get('sync_bn') is not None:
        print_log(
            'sync_bn needs GPUs: on CPUs every process normalises by its own batch',
            logger='current',
            level=logging.WARNING,
        )
        cfg.sync_bn = None
    if cfg.get('model_wrapper_cfg') is None:
        cfg.model_wrapper_cfg = dict(
            type='MMDistributedDataParallel',
            device_ids=None,
            broadcast_buffers=False,
            find_unused_parameters=cfg.get('find_unused_parameters', False),
        )


def enable_amp(cfg: Config) -> None:
    """Turns on mixed precision: bfloat16 where the GPU has it, else scaled float16.

    A config that already chooses a mixed precision wrapper is left alone.
    """
    kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
    if str(kind).endswith('OptimWrapper') and kind != 'OptimWrapper':
        return
    device = default_device()
    if device.type == 'cuda' and not has_bfloat16(device):
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.loss_scale = 'dynamic'
    else:
        cfg.optim_wrapper.type = 'openvocab.AutocastOptimWrapper'


def enable_auto_scale_lr(cfg: Config) -> None:
    """Scales the learning rate with the total batch size.

    Raises:
        ValueError: If the config does not state its base batch size.
    """
    if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
        raise ValueError(
            '--auto-scale-lr: the config has no auto_scale_lr.base_batch_size'
        )
    cfg.auto_scale_lr.enable = True


def enable_tensorboard(cfg: Config) -> None:
    """Writes scalars for TensorBoard beside what the visualizer writes already.

    Raises:
        ValueError: If TensorBoard is not installed.
    """
    if find_spec('tensorboard') is None:
        raise ValueError(
            '--tensorboard: tensorboard is not installed; run pip install tensorboard'
        )
    visualizer = cfg.get('visualizer') or dict(type='Visualizer')
    backends = list(visualizer.get('vis_backends') or [dict(type='LocalVisBackend')])
    if all(backend['type'] != _TENSORBOARD for backend in backends):
        backends.append(dict(type=_TENSORBOARD))
    cfg.visualizer = dict(visualizer, vis_backends=backends)


def disable_validation(cfg: Config) -> None:
    """Trains without evaluating in between."""
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None


def set_resume(cfg: Config, resume: str | None) -> None:
    """Continues a run.

    Args:
        cfg: The config, changed in place.
        resume: None (start anew), ``'auto'`` (the newest checkpoint of the work
            directory, if there is one), or a checkpoint.

    Raises:
        FileNotFoundError: If the checkpoint does not exist.
    """
    if resume is None:
        return
    if resume != 'auto' and not Path(resume).is_file():
        raise FileNotFoundError(f'--resume: file not found: {resume}')
    cfg.resume = True
    cfg.load_from = None if resume == 'auto' else resume


def ensure_report(
    cfg: Config,
    out_dir: str | None = None,
    method: str | None = None,
    **settings: str | None,
) -> None:
    """Makes testing end with ``report.json`` and ``report.md``.

    Args:
        cfg: The config, changed in place; gets a ``ReportHook`` if it has none.
        out_dir: Where the report goes; None leaves what the config says.
        method: Name of the row; None leaves what the config says.
        **settings: Other arguments of the hook, likewise.
    """
    settings = dict(out_dir=out_dir, method=method, **settings)
    hooks = [h for h in cfg.get('default_hooks', {}).values() if h is not None]
    hooks += cfg.get('custom_hooks') or []
    reports = [hook for hook in hooks if hook.get('type') == 'openvocab.ReportHook']
    if not reports:
        added = dict(type='openvocab.ReportHook')
        cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), added]
        reports = [cfg.custom_hooks[-1]]
    for hook in reports:
        hook.update({key: value for key, value in settings.items() if value})
