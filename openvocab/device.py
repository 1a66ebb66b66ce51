"""Facts about the device a program runs on: abilities, name, clock and memory."""

import platform
import re
import resource
import sys
from pathlib import Path

import torch


def default_device() -> torch.device:
    """The current GPU where there is one, else the CPU."""
    return torch.device('cuda' if torch.cuda.is_available() else 'cpu')


def has_bfloat16(device: torch.device) -> bool:
    """Whether a GPU computes in bfloat16 natively (CUDA 8.0 and newer).

    ``torch.cuda.is_bf16_supported`` is no answer: by default it counts emulation, which
    older GPUs have and which is slower than their float16.
    """
    return device.type == 'cuda' and torch.cuda.get_device_capability(device) >= (8, 0)


def device_name(device: torch.device) -> str:
    """The name that stands in reports."""
    if device.type == 'cuda':
        return torch.cuda.get_device_name(device)
    return f'CPU {platform.machine()}, {torch.get_num_threads()} thread(s)'


def synchronize(device: torch.device) -> None:
    """Returns when the device has done the work given to it so far."""
    if device.type == 'cuda':
        torch.cuda.synchronize(device)


def reset_peak_memory(device: torch.device) -> None:
    """Lets :func:`peak_memory` of a GPU start anew; a process's peak stays."""
    if device.type == 'cuda':
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory(device: torch.device) -> int:
    """Peak of the memory of a GPU's tensors, else of the process, in bytes."""
    if device.type == 'cuda':
        return torch.cuda.max_memory_allocated(device)
    return peak_resident_set()


def peak_resident_set() -> int:
    """Peak resident set of this process so far, in bytes."""
    # On Linux, getrusage keeps the peak of the process that this one was forked from.
    status = Path('/proc/self/status')
    if status.exists():
        found = re.search(r'VmHWM:\s*(\d+) kB', status.read_text())
        if found:
            return int(found[1]) * 1024
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == 'darwin' else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
