"""The configs of the repository."""

import copy
from functools import cache
from pathlib import Path

from mmengine.config import Config

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / 'configs'
# what can be trained or tested: not the parts below _base_
LEAVES = sorted(CONFIGS.glob('[!_]*/*.py'))


def read_config(path: Path) -> Config:
    """A config of one's own; each file is read once in a process.

    It is not formatted by yapf when it is written, which takes a runner, that writes it
    five times, longer than a short training.
    """
    return copy.deepcopy(_read(path))


@cache
def _read(path: Path) -> Config:
    return Config.fromfile(path, format_python_code=False)
