"""Where a step makes the host wait for the device."""

import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch

_MESSAGE = 'called a synchronizing CUDA operation'


def find_synchronisations(
    step: Callable[[], object], device: torch.device
) -> dict[str, int] | None:
    """Runs a step once and counts its host-device synchronisations.

    torch reports reads of device values (``item``, ``nonzero``, masks as indices) and
    copies between pageable host memory and the device.

    Args:
        step: The step; its data must be at hand already.
        device: Where it runs.

    Returns:
        Line of Python code (``folder/file.py:line``) -> how often, most frequent
        first; None on a device for which torch cannot tell (all but CUDA).
    """
    if device.type != 'cuda':
        return None
    torch.cuda.synchronize()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        torch.cuda.set_sync_debug_mode('warn')
        try:
            step()
        finally:
            torch.cuda.set_sync_debug_mode('default')
    return count_lines(caught)


def count_lines(caught: list[warnings.WarningMessage]) -> dict[str, int]:
    """Counts the synchronisation warnings by the line that caused them."""
    lines = Counter(
        f'{"/".join(Path(warning.filename).parts[-2:])}:{warning.lineno}'
        for warning in caught
        if _MESSAGE in str(warning.message)
    )
    return dict(lines.most_common())
