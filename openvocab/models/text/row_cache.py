"""Disk cache of text rows, keyed by content."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.logging import MMLogger
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from openvocab.fileio import atomic_path
from openvocab.vocab import PromptSet

_DEFAULT_DIR = '~/.cache/openvocab/text'
# Part of the key: raise it when the same inputs must give other rows.
_FORMAT = 1


class RowCache:
    """Rows on disk, one safetensors file per (weights, class names, prompts).

    A file is written beside its place and moved there in one step, so several
    processes may share a cache. A damaged file counts as absent, with a warning. A
    folder that cannot be written costs a warning, not the run.

    Args:
        folder: Folder of the cache; None for ``~/.cache/openvocab/text``.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder = Path(folder or _DEFAULT_DIR).expanduser()

    def path(self, fingerprint: str, names: Sequence[str], prompts: PromptSet) -> Path:
        """File of these rows; it need not exist."""
        content = [_FORMAT, fingerprint, list(names), list(prompts.templates)]
        digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()
        return self.folder / f'{digest[:32]}.safetensors'

    def load(self, path: Path, num_rows: int) -> Tensor | None:
        """Reads rows.

        Args:
            path: What :meth:`path` returned.
            num_rows: K, the number of rows that must be there.

        Returns:
            Tensor | None: (K, D) float32, or None if the file is absent or damaged.
        """
        if not path.is_file():
            return None
        try:
            with safe_open(path, 'pt') as file:
                rows = file.get_tensor('rows')
                stated = (file.metadata() or {}).get('sha256')
        except (SafetensorError, OSError, ValueError) as error:
            return self._damaged(path, str(error))
        if rows.dtype != torch.float32 or rows.ndim != 2 or len(rows) != num_rows:
            return self._damaged(path, f'{rows.dtype} {tuple(rows.shape)}')
        if _digest(rows) != stated:
            return self._damaged(path, 'its sha256 does not match')
        return rows

    def store(self, path: Path, rows: Tensor) -> None:
        """Writes (K, D) float32 rows to what :meth:`path` returned."""
        rows = rows.contiguous()
        try:
            with atomic_path(path) as temporary:
                save_file({'rows': rows}, temporary, {'sha256': _digest(rows)})
        except (OSError, SafetensorError) as error:
            MMLogger.get_current_instance().warning(
                f'text rows cannot be cached in {self.folder}: {error}'
            )

    @staticmethod
    def _damaged(path: Path, reason: str) -> None:
        MMLogger.get_current_instance().warning(
            f'damaged text cache file {path} is computed anew: {reason}'
        )


def _digest(rows: Tensor) -> str:
    return hashlib.sha256(rows.numpy().tobytes()).hexdigest()
