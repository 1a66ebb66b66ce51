"""Types of command-line arguments: what ``argparse`` calls for ``type=...``."""

from argparse import ArgumentTypeError
from pathlib import Path

import torch


def existing_file(text: str) -> str:
    """The path of a file that exists."""
    if not Path(text).is_file():
        raise ArgumentTypeError(f'file not found: {text}')
    return text


def checkpoint_file(text: str) -> str:
    """A checkpoint by path or name, as a local file."""
    from openvocab.checkpoints.source import find_checkpoint

    try:
        return str(find_checkpoint(text))
    except (FileNotFoundError, ValueError) as error:
        raise ArgumentTypeError(str(error)) from error


def picture_file(text: str) -> str:
    """A picture to write, of a format that OpenCV has."""
    from openvocab.visualization.picture_file import check_picture_suffix

    try:
        check_picture_suffix(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
    return text


def figure_file(text: str) -> str:
    """A figure to write, of a format that matplotlib has."""
    from matplotlib.figure import Figure

    known = Figure().canvas.get_supported_filetypes()
    if Path(text).suffix.lower().lstrip('.') not in known:
        formats = ', '.join(f'.{name}' for name in sorted(known))
        raise ArgumentTypeError(f'{text}: no figure is written to it, but to {formats}')
    return text


def positive_int(text: str) -> int:
    """A number of things."""
    value = int(text)
    if value < 1:
        raise ArgumentTypeError(f'must be at least 1, got {value}')
    return value


def non_negative_int(text: str) -> int:
    """A number of things, or none."""
    value = int(text)
    if value < 0:
        raise ArgumentTypeError(f'must be at least 0, got {value}')
    return value


def available_device(text: str) -> str:
    """A device that is there: ``cpu``, ``cuda``, ``cuda:1``."""
    try:
        device = torch.device(text)
    except RuntimeError as error:
        raise ArgumentTypeError(f'{text!r} is no device') from error
    if device.type == 'cuda' and (device.index or 0) >= torch.cuda.device_count():
        raise ArgumentTypeError(f'no device {text} here')
    return text
