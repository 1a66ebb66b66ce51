"""Functions run by several processes, and ports for programs that need one."""

import json
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.multiprocessing as mp


def on_ranks(
    work: Callable[[list[int]], Any], shards: Sequence[list[int]], folder: Path
) -> list:
    """Runs a function in the processes of one gloo group.

    The processes meet at a file: of a free port nobody knows whether it still is free
    when they get there.

    Args:
        work: Called with the shard of the rank; returns what json can hold. The
            processes are forked, so it may be a closure.
        shards: One for each rank.
        folder: Where files are exchanged; each process works in it.

    Returns:
        What each rank returned.
    """
    mp.start_processes(
        _rank, (work, shards, folder), nprocs=len(shards), start_method='fork'
    )
    paths = [folder / f'{rank}.json' for rank in range(len(shards))]
    return [json.loads(path.read_text()) for path in paths]


def _rank(rank: int, work: Callable, shards: Sequence, folder: Path) -> None:
    os.chdir(folder)
    torch.distributed.init_process_group(
        'gloo', f'file://{folder}/store', rank=rank, world_size=len(shards)
    )
    (folder / f'{rank}.json').write_text(json.dumps(work(shards[rank])))
    torch.distributed.destroy_process_group()


def free_port() -> str:
    """A port of this machine that nobody listened to a moment ago."""
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return str(listener.getsockname()[1])
