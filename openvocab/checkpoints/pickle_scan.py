"""What a pickle asks for, found without unpickling it.

A pickle is a program of a small stack machine: its opcodes are listed here, none is
run. Code can only come in by name, through the opcodes that look up a class or a
function.
"""

import pickletools
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

# What tensors and their containers are made of, as torch.save names it.
_PLAIN = re.compile(
    r'torch\._utils\._rebuild_\w+|torch\.(\w+\.)*\w*Storage|torch\.(Size|device)'
    r'|torch\.(b?float|int|uint|q?u?int|bool|complex|double|half|long)\w*'
    r'|torch\.nn\.parameter\.Parameter|collections\.OrderedDict'
)
_NAME = re.compile(r'[A-Za-z_][\w.]*')
_TEXTS = frozenset(
    'STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE '
    'BINUNICODE8'.split()
)
# The format of torch before 1.6: magic number, version, system, content, storages.
_PICKLES = 5


class PickleContent(NamedTuple):
    """What a file holds that is a pickle."""

    protocol: int
    """Of the pickle; 0 where it does not say."""
    foreign: tuple[str, ...]
    """Classes and functions that it names, other than those of tensors."""


def scan_pickle(path: str | Path) -> PickleContent | None:
    """Lists what the pickle in a file names; nothing of it is run or imported.

    Args:
        path: A bare pickle, or an archive of ``torch.save``.

    Returns:
        The findings; None where the file is no pickle.
    """
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                name = next(n for n in archive.namelist() if n.endswith('/data.pkl'))
                with archive.open(name) as file:
                    return _scan(file, pickles=1)
        with open(path, 'rb') as file:
            return _scan(file, _PICKLES)
    except Exception:  # a damaged archive raises whatever it likes
        return None


def _scan(file: IO[bytes], pickles: int) -> PickleContent | None:
    protocol, named, whole = 0, [], 0
    try:
        for _ in range(pickles):
            for opcode, argument in _opcodes(file):
                if opcode == 'PROTO':
                    protocol = max(protocol, argument)
                elif opcode == 'NAMES':
                    named.append(argument)
            whole += 1
    except Exception:  # not a pickle from here on
        # any text begins with some opcode
        if not (whole or protocol):
            return None
    foreign = (name for name in named if not _PLAIN.fullmatch(name))
    return PickleContent(protocol, tuple(dict.fromkeys(foreign)))


def _opcodes(file: IO[bytes]) -> Iterator[tuple[str, object]]:
    """Opcodes of one pickle; each look-up is ``NAMES`` with the dotted name."""
    texts: list[str] = []
    # what is put on the stack now, and what was kept to be put there again
    pushed: str | None = None
    memo: dict[int, str | None] = {}
    for opcode, argument, _ in pickletools.genops(file):
        if opcode.name == 'MEMOIZE' or opcode.name.endswith('PUT'):
            memo[len(memo) if argument is None else argument] = pushed
            continue
        pushed = None
        if opcode.name in _TEXTS:
            pushed = str(argument)
        elif opcode.name.endswith('GET'):
            pushed = memo.get(argument)
        if pushed is not None:
            texts.append(pushed)
        if opcode.name in ('GLOBAL', 'INST'):
            yield 'NAMES', _dotted(*str(argument).split(' ', 1))
        elif opcode.name == 'STACK_GLOBAL':  # the two texts that were put last
            yield 'NAMES', _dotted(*texts[-2:])
        elif opcode.name.startswith('EXT'):
            yield 'NAMES', f'extension {argument}'
        else:
            yield opcode.name, argument


def _dotted(*parts: str) -> str:
    name = '.'.join(parts)
    return name if _NAME.fullmatch(name) else 'a name that cannot be shown'
