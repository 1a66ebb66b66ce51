"""Records of frozen modules as they stand in checkpoints: json, as bytes."""

import json
from typing import Any

import torch
from torch import Tensor

from openvocab.checkpoints.reading import CheckpointError

from .freezing import RECORD_KEY

_DIGITS = 12  # of a sha256, in messages


def record_to_tensor(record: dict[str, Any]) -> Tensor:
    """Write a record as bytes of json.

    Args:
        record: ``arch``, ``checkpoint`` (hex digits) and what else identifies a module.

    Returns:
        (bytes,) uint8, on the CPU.
    """
    text = json.dumps(record, sort_keys=True)
    return torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8)


def record_from_tensor(tensor: Tensor) -> dict[str, Any]:
    """Read what :func:`record_to_tensor` wrote.

    Raises:
        ValueError: It is no such tensor.
    """
    record = json.loads(bytes(tensor.to(torch.uint8).cpu().tolist()).decode())
    if not isinstance(record, dict):
        raise ValueError(f'{record!r} is no record')
    return record


def pop_record(state_dict: dict[str, Any], prefix: str) -> dict[str, Any] | None:
    """Take the record of the module at a prefix out of a state dict.

    Returns:
        The record; None where there is none.

    Raises:
        CheckpointError: It cannot be read.
    """
    tensor = state_dict.pop(prefix + RECORD_KEY, None)
    if tensor is None:
        return None
    try:
        return record_from_tensor(tensor)
    except ValueError as error:
        name = prefix.removeprefix('module.')
        raise CheckpointError(
            f'checkpoint: {name}{RECORD_KEY} is damaged ({error})'
        ) from error


def same_weights(record: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two records name one architecture and the same weights."""
    return all(record.get(key) == other.get(key) for key in ('arch', 'checkpoint'))


def describe_record(record: dict[str, Any]) -> str:
    """Architecture and the first digits of the weights, for messages."""
    return f'{record.get("arch")} (sha256 {str(record.get("checkpoint"))[:_DIGITS]})'
