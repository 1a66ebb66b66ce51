"""A released file to one of ours: safetensors, its origin written next to the weights.

:func:`inspect_file` says what would become of a file, :func:`write_conversion` writes
it if nothing is wrong.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from openvocab.checkpoints.reading import (
    CheckpointError,
    checkpoint_sha256,
    state_dict_of,
)
from openvocab.checkpoints.source import find_checkpoint
from openvocab.checkpoints.writing import write_safetensors

from .adapter import ADAPTERS, Adapter, Conversion, detect


class Inspection(NamedTuple):
    """What would become of a released file."""

    source: Path
    """The file."""
    family: str
    """Whose adapter was used."""
    conversion: Conversion
    """The account of every key."""
    problems: tuple[str, ...]
    """Why it must not be written, one line each."""


def build_adapter(family: str, options: Mapping[str, Any] | None = None) -> Adapter:
    """The adapter of a family.

    Args:
        family: Its name.
        options: What the family must be told besides, see its class.

    Raises:
        CheckpointError: No such family, or it takes no such options.
    """
    if family not in ADAPTERS:
        raise CheckpointError(
            f'no family {family!r} (there are: {", ".join(sorted(ADAPTERS))})'
        )
    try:
        return type(ADAPTERS[family])(**(options or {}))
    except TypeError as error:
        names = ', '.join(options or {})
        raise CheckpointError(f'{family} takes no such options: {names}') from error


def inspect_file(
    checkpoint: str | Path,
    family: str | None = None,
    arch: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Inspection:
    """Reads a released file and converts it, in memory.

    Args:
        checkpoint: Anything that :func:`find_checkpoint` takes.
        family: Whose it is; None finds it by the keys.
        arch: Architecture, where the tensors alone do not tell it.
        options: What the family must be told besides, see its class.

    Raises:
        FileNotFoundError: No such file.
        CheckpointError: It cannot be read, carries code, or is of no known family.
    """
    # what mmengine trained holds log buffers, which only the engine knows
    from openvocab.engine.safe_loading import load_from_source

    path = find_checkpoint(checkpoint)
    content = load_from_source(str(path))
    state_dict_of(content, f'checkpoint {path}')
    try:
        adapter = build_adapter(family or _detected(content), options)
        conversion = adapter.from_upstream(content)
        problems = conversion.problems
        if not problems:
            problems = adapter.verify(conversion, arch)
    except CheckpointError as error:
        raise CheckpointError(f'checkpoint {path}: {error}') from error
    if not conversion.state:
        problems = (*problems, 'nothing was mapped')
    conversion.metadata['source'] = dict(name=path.name, sha256=checkpoint_sha256(path))
    return Inspection(path, adapter.family, conversion, tuple(problems))


def write_conversion(inspection: Inspection, out: str | Path) -> str:
    """Writes what :func:`inspect_file` found, whole or not at all.

    Args:
        inspection: From :func:`inspect_file`.
        out: The file to write, ``.safetensors``; folders are made.

    Returns:
        Sha256 of the file.

    Raises:
        CheckpointError: There are problems, or the suffix is another one.
    """
    if inspection.problems:
        count = len(inspection.problems)
        more = f' and {count - 1} more' if count > 1 else ''
        raise CheckpointError(
            f'checkpoint {inspection.source}: {inspection.problems[0]}{more}'
        )
    conversion = inspection.conversion
    return write_safetensors(out, conversion.state, conversion.metadata)


def _detected(content: Mapping[str, Any]) -> str:
    """Family by the keys, unless families that must be named have the same ones."""
    found = detect(content)
    trained = 'state_dict' in content and 'epoch' in content
    alike = [
        name
        for name, other in ADAPTERS.items()
        if isinstance(other, type(found)) and other is not found and not other.marks
    ]
    if trained and alike:
        raise CheckpointError(
            f'a training checkpoint with the keys of {found.family} may be of '
            f'{", ".join(sorted((found.family, *alike)))}: name the one with --from'
        )
    return found.family
