"""From a config as published to one whose steps can be timed."""

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from openvocab.config_parts import drop_weights
from openvocab.engine import launch
from openvocab.engine.safe_loading import refuse_code_in_checkpoints

from .synthetic_classes import use_synthetic_classes, use_synthetic_text
from .synthetic_images import use_synthetic_images
from .timed_step import TimedStep

# Nothing is logged, saved or evaluated between the steps.
_DEFAULT_HOOKS = (
    'runtime_info',
    'timer',
    'sampler_seed',
    'logger',
    'param_scheduler',
    'checkpoint',
)


def read_config(
    path: str,
    kind: type[TimedStep],
    work_dir: Path,
    options: Mapping[str, Any] | None = None,
    batch_size: int | None = None,
    random_weights: bool = False,
    synthetic_images: bool = False,
    classes: int | None = None,
) -> Config:
    """Reads a config and leaves in it what a timed step needs.

    Args:
        path: The config file.
        kind: What is going to be timed.
        work_dir: Empty folder for whatever is written.
        options: Entries to change, ``{'a.b': value}``.
        batch_size: Images per step; None for the config's.
        random_weights: Name no weight file, and draw text rows.
        synthetic_images: Replace the images by random ones.
        classes: Replace the vocabulary by this many synthetic names.

    Raises:
        FileNotFoundError: If there is no such config.
        ValueError: If the config lacks what the step needs, or asks for something
            that is not timed.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'config not found: {path}')
    refuse_code_in_checkpoints()
    cfg = launch.read_config(path, options)
    cfg.launcher, cfg.work_dir = 'none', str(work_dir)
    key = kind.dataloader
    for needed in ('model', *kind.needs):
        if cfg.get(needed) is None:
            raise ValueError(f'{path} has no {needed}; --mode {kind.name} needs it')
    if cfg.get('compile'):
        raise ValueError(f'{path}: compiled models have no parts; set compile=False')
    if batch_size is not None:
        cfg[key].batch_size = batch_size
    if classes is not None:
        if kind.reads_labels and not synthetic_images:
            raise ValueError(
                f'--classes {classes}: the annotations have other classes; '
                f'--mode {kind.name} needs --synthetic-images'
            )
        use_synthetic_classes(cfg.model, cfg[key], classes)
    if random_weights or classes is not None:
        use_synthetic_text(cfg.model, work_dir / 'text')
    if random_weights:
        drop_weights(cfg.model)
        cfg.load_from = None
    else:
        launch.check_weight_files(cfg)
    if synthetic_images:
        use_synthetic_images(cfg[key], work_dir / 'images')
    cfg.default_hooks = dict.fromkeys(_DEFAULT_HOOKS)
    cfg.custom_hooks = []
    # names the loggers and scopes of the Runner, of which there may be several
    cfg.experiment_name = f'benchmark-{uuid.uuid4().hex[:8]}'
    cfg.visualizer = None
    cfg.log_level = 'ERROR'
    cfg.resume = False
    return cfg
