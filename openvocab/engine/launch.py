"""From the command line to a ready configuration, shared by ``tools/*.py``."""

import argparse
import logging
import os
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import torch
from mmengine.config import Config, DictAction
from mmengine.logging import print_log

from openvocab.device import default_device, has_bfloat16

from .safe_loading import refuse_code_in_checkpoints

_TENSORBOARD = 'TensorboardVisBackend'
Reader = Callable[..., Config]
"""What :func:`read_config` and :func:`load_config` are."""


class ConfigOptions(DictAction):
    """mmengine's ``DictAction`` that also keeps the words as they were written.

    They stand in ``raw_cfg_options``, for the command line of another process.
    """

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Sequence[str],
        option_string: str | None = None,
    ) -> None:
        """Parses the options and keeps them."""
        namespace.raw_cfg_options = list(values)
        super().__call__(parser, namespace, values, option_string)


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments that every tool running a config has."""
    parser.add_argument(
        '--work-dir',
        metavar='DIR',
        help='logs and results go here (default: work_dirs/<name of the config>)',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=ConfigOptions,
        metavar='KEY=VALUE',
        help='change entries of the config, e.g. train_dataloader.batch_size=8 or '
        'a.b="[1,2]" (no white space inside a value)',
    )
    parser.set_defaults(raw_cfg_options=[])
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='how the processes of a distributed job were started',
    )
    # torch.distributed.launch passes --local-rank since torch 2.0, --local_rank before.
    parser.add_argument(
        '--local-rank', '--local_rank', type=int, default=0, help=argparse.SUPPRESS
    )


def existing_file(text: str) -> str:
    """An ``argparse`` type: the path of a file that exists."""
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f'file not found: {text}')
    return text


def checkpoint_file(text: str) -> str:
    """An ``argparse`` type: a checkpoint by path or name, as a local file."""
    from openvocab.converters.checkpoint_source import find_checkpoint

    try:
        return str(find_checkpoint(text))
    except (FileNotFoundError, ValueError) as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def read_config(
    args: argparse.Namespace, prepare: Callable[[Config], None] | None = None
) -> Config:
    """Reads ``args.config`` and applies what :func:`add_common_arguments` added.

    Args:
        args: The command line.
        prepare: Changes the config before ``--cfg-options`` does.

    Raises:
        ValueError: If a key of ``--cfg-options`` goes through something that is not a
            dict or list.
    """
    cfg = Config.fromfile(args.config)
    if prepare is not None:
        prepare(cfg)
    cfg.launcher = args.launcher
    if args.cfg_options is not None:
        try:
            cfg.merge_from_dict(args.cfg_options)
        except (TypeError, KeyError) as error:
            raise ValueError(f'--cfg-options: {error}') from error
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs') / Path(args.config).stem)
    return cfg


def load_config(
    args: argparse.Namespace, prepare: Callable[[Config], None] | None = None
) -> Config:
    """:func:`read_config`, and prepares the process.

    Checkpoints that carry code are refused from here on, and without a GPU a
    distributed job talks over gloo.

    Raises:
        ValueError: As :func:`read_config`.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    refuse_code_in_checkpoints()
    cfg = read_config(args, prepare)
    if args.launcher == 'pytorch' and not torch.cuda.is_available():
        _use_cpu_processes(cfg)
    return cfg


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
