"""Exporting, checking, writing and reading programs (``.pt2``)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from openvocab.fileio import atomic_path

_RECORD = 'openvocab.json'
# Relative to the largest value of an output; float32 programs give 1e-6.
TOLERANCE = 1e-4


class ProgramError(RuntimeError):
    """A model that cannot be exported, or a file that is no program of ours."""


def export_program(
    program: nn.Module,
    size: tuple[int, int],
    batch: int = 1,
    seed: int = 0,
    reference: Callable[[Tensor], dict[str, Tensor]] | None = None,
) -> torch.export.ExportedProgram:
    """Traces a program and checks what came of it on other images.

    Args:
        program: One of :mod:`openvocab.deployment.image_programs`, in eval mode.
        size: Height and width of the images in pixels; the exported program takes no
            others.
        batch: Images at a time.
        seed: Of the images.
        reference: What the outputs must be, by name, for (B, 3, H, W) whole numbers
            from 0 to 255: :func:`model_maps` of the model. By default what the program
            gave before it was traced.

    Returns:
        The exported program, without gradients.

    Raises:
        ProgramError: It cannot be traced, or does something else than the reference.
        ValueError: The model does not take images of that size.
    """
    program = program.eval()
    generator = torch.Generator().manual_seed(seed)
    device = program.mean.device
    first, second = (
        torch.randint(256, (batch, 3, *size), generator=generator).float().to(device)
        for _ in range(2)
    )
    with torch.no_grad():
        expected = (reference or program)(second)
        try:
            exported = torch.export.export(program, (first,), strict=False)
        except Exception as error:
            line = (str(error).strip().splitlines() or [repr(error)])[0]
            raise ProgramError(
                f'{type(program).__name__} cannot be exported: {line[:300]}'
            ) from error
        found = exported.module()(second)
    for name, difference in differences(expected, found).items():
        if not difference <= TOLERANCE:
            raise ProgramError(
                f'output {name} of the exported program is off by {difference:.1e} of '
                'its largest value'
            )
    return exported


def differences(
    expected: dict[str, Tensor], found: dict[str, Tensor]
) -> dict[str, float]:
    """Largest difference of each output, relative to its largest value."""
    return {
        name: float((found[name] - each).abs().max() / each.abs().max().clamp(min=1e-6))
        for name, each in expected.items()
    }


def save_program(
    exported: torch.export.ExportedProgram, path: str | Path, record: dict[str, Any]
) -> None:
    """Writes a program and a record of what it was made from, whole or not at all.

    Args:
        exported: The program.
        path: A ``.pt2`` file.
        record: Plain values: classes, image size, weights.

    Raises:
        ValueError: The suffix is another one.
    """
    if Path(path).suffix != '.pt2':
        raise ValueError(f'{path}: exported programs end with .pt2')
    with atomic_path(path) as temporary:
        torch.export.save(
            exported, temporary, extra_files={_RECORD: json.dumps(record)}
        )


def load_program(path: str | Path) -> tuple[nn.Module, dict[str, Any]]:
    """Reads a program; ``torch.export.load`` alone would do, without the record.

    Returns:
        A module that maps images to named tensors, and its record.

    Raises:
        FileNotFoundError: There is no such file.
        ProgramError: The file is damaged or was not written by :func:`save_program`.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'program {path} does not exist')
    extra = {_RECORD: ''}
    try:
        exported = torch.export.load(path, extra_files=extra)
    except Exception as error:
        raise ProgramError(
            f'program {path} cannot be read, it is truncated or no exported program'
        ) from error
    if not extra[_RECORD]:
        raise ProgramError(f'program {path} has no {_RECORD}; save_program writes it')
    return exported.module(), json.loads(extra[_RECORD])
