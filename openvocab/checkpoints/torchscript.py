"""The tensors of a TorchScript archive, read without running or compiling its program.

OpenAI released CLIP as such archives. One is a zip file: ``data.pkl`` names the tree
of modules and their tensors, ``data/N`` holds the values, ``code/`` holds the program,
which is never opened here. ``data.pkl`` is a pickle; it is first checked opcode by
opcode, then read by an unpickler that knows tensors, plain containers and, in place of
every class of the program, an inert record of attributes.
"""

import io
import pickle
import pickletools
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

_DTYPES = {
    'DoubleStorage': torch.float64,
    'FloatStorage': torch.float32,
    'HalfStorage': torch.float16,
    'BFloat16Storage': torch.bfloat16,
    'LongStorage': torch.int64,
    'IntStorage': torch.int32,
    'ShortStorage': torch.int16,
    'CharStorage': torch.int8,
    'ByteStorage': torch.uint8,
    'BoolStorage': torch.bool,
}
_LIST_MAKERS = (
    'build_intlist',
    'build_doublelist',
    'build_boollist',
    'build_tensorlist',
    'restore_type_tag',
)
_OPCODES = frozenset(
    'PROTO STOP MARK POP GLOBAL EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 NEWOBJ REDUCE '
    'BUILD EMPTY_DICT SETITEM SETITEMS EMPTY_LIST LIST APPEND APPENDS NONE NEWTRUE '
    'NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE SHORT_BINUNICODE BINPUT '
    'LONG_BINPUT BINGET LONG_BINGET BINPERSID'.split()
)


class ForeignObjectError(Exception):
    """The archive names something that is neither a tensor nor a plain value."""


class TornArchiveError(Exception):
    """The archive is damaged."""


def is_torchscript(path: str | Path) -> bool:
    """Whether a file is a zip archive with a TorchScript program.

    Args:
        path: Any file.
    """
    try:
        if not zipfile.is_zipfile(path):
            return False
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith('/constants.pkl') for name in archive.namelist())
    except Exception:  # a damaged table of contents raises whatever it likes
        return False


def read_torchscript(path: str | Path) -> dict[str, Tensor]:
    """Reads the tensors of an archive, on the CPU.

    Args:
        path: What ``torch.jit.save`` wrote.

    Returns:
        Key to tensor; like the program's ``state_dict()``, with further tensor
        attributes where it has some.

    Raises:
        ForeignObjectError: It asks for something else than tensors and plain values.
        TornArchiveError: It is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            root = next(
                name for name in archive.namelist() if name.endswith('/constants.pkl')
            ).removesuffix('constants.pkl')
            _check_order(archive, root)
            pickled = _read(archive, f'{root}data.pkl')
            _check_opcodes(pickled)
            content = _Unpickler(io.BytesIO(pickled), archive, root).load()
    except ForeignObjectError:
        raise
    except Exception as error:
        raise TornArchiveError(f'{type(error).__name__}: {error}') from error
    tensors: dict[str, Tensor] = {}
    _collect(content, '', tensors, set())
    return tensors


class _Record:
    """Stands for an object of the program: its attributes, no behaviour."""

    attributes: dict[str, Any]

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, dict):
            raise ForeignObjectError('an object whose state is no table')
        vars(self)['attributes'] = state


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: Any, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(file)
        self._archive, self._root = archive, root
        self._storages: dict[str, Tensor] = {}

    def find_class(self, module: str, name: str) -> Any:
        if module == '__torch__' or module.startswith('__torch__.'):
            return _Record
        if module == 'torch' and name in _DTYPES:
            return _DTYPES[name]
        if module == 'torch._utils' and name == '_rebuild_tensor_v2':
            return _rebuild
        if module == 'torch.jit._pickle' and name in _LIST_MAKERS:
            return _first
        if (module, name) == ('collections', 'OrderedDict'):
            return dict
        raise ForeignObjectError(f'{module}.{name}')

    def persistent_load(self, pid: Any) -> Tensor:
        kind, dtype, name, _, count = pid
        if kind != 'storage' or not isinstance(dtype, torch.dtype):
            raise ForeignObjectError(f'a stored {kind}')
        if name not in self._storages:
            raw = bytearray(_read(self._archive, f'{self._root}data/{name}'))
            if len(raw) < count * dtype.itemsize:
                raise ValueError(f'data/{name} is too short')
            self._storages[name] = (
                torch.frombuffer(raw, dtype=dtype)
                if raw
                else torch.empty(0, dtype=dtype)
            )
        return self._storages[name]


def _rebuild(
    values: Tensor, offset: int, size: tuple, stride: tuple, *_: Any
) -> Tensor:
    # as_strided refuses what lies outside of the values; a copy owns its memory
    return values.as_strided(size, stride, offset).clone()


def _first(values: Any, *_: Any) -> Any:
    return values


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    info = archive.getinfo(name)
    # torch never compresses; a small file must not unfold into a huge one
    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f'{name} is compressed')
    return archive.read(info)


def _check_order(archive: zipfile.ZipFile, root: str) -> None:
    if f'{root}byteorder' in archive.namelist():
        order = _read(archive, f'{root}byteorder')
        if order != b'little':
            raise ValueError(f'byte order {order[:8]!r} is not little')


def _check_opcodes(pickled: bytes) -> None:
    """Refuses opcodes that torch never writes here, and claims of much memory."""
    for opcode, argument, _ in pickletools.genops(pickled):
        if opcode.name not in _OPCODES:
            raise ForeignObjectError(f'the pickle opcode {opcode.name}')
        if opcode.name in ('BINPUT', 'LONG_BINPUT') and argument > len(pickled):
            raise ValueError('it names more objects than it has')


def _collect(node: Any, prefix: str, out: dict[str, Tensor], seen: set[int]) -> None:
    if not isinstance(node, _Record) or id(node) in seen:
        return
    seen.add(id(node))
    for name, value in getattr(node, 'attributes', {}).items():
        if isinstance(value, Tensor):
            out[f'{prefix}{name}'] = value
        else:
            _collect(value, f'{prefix}{name}.', out, seen)
