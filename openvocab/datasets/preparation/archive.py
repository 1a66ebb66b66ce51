"""Unpacking of official archives: safe, resumable, a file whole or not at all."""

import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from openvocab.fileio import atomic_path

from .part import Summary
from .run import Run


@dataclass(frozen=True)
class Archive:
    """An archive of a data set, or a single file that is downloaded as it is.

    Attributes:
        name: Its file name: ``*.zip``, ``*.tar``, ``*.tar.gz``, or any other file,
            which is copied.
        into: Where it is unpacked, below the data root.
        keep: What is taken from it: members whose path starts with one of these.
        inside: Folder below the data root where it lies if it comes out of another
            archive; None if it is downloaded.
    """

    name: str
    into: str
    keep: tuple[str, ...] = ('',)
    inside: str | None = None

    def path(self, downloads: Path, root: Path) -> Path:
        """Where the archive is."""
        folder = downloads if self.inside is None else root / self.inside
        return folder / self.name

    def unpack(self, downloads: Path, root: Path, run: Run) -> Summary:
        """Unpacks the members that are not there yet in their full size.

        Args:
            downloads: Folder of the archives.
            root: The data root.
            run: Settings; a dry run counts only.

        Raises:
            FileNotFoundError: The archive is missing.
            ValueError: It is damaged, or a member would be written elsewhere.
        """
        path = self.path(downloads, root)
        run.reading(path.name)
        target = root / self.into
        written = files = 0
        with _opened(path) as source:
            for member in source.members():
                run.progress(path.name, member.end, source.total)
                if not member.name.startswith(self.keep):
                    continue
                file = target / _inner_path(member.name, path)
                files += 1
                if file.is_file() and file.stat().st_size == member.size:
                    continue
                written += 1
                if not run.dry_run:
                    with atomic_path(file) as temporary, temporary.open('wb') as out:
                        shutil.copyfileobj(source.open(member), out)
        if not files:
            raise ValueError(f'{path}: holds none of {", ".join(self.keep)}')
        verb = 'to unpack' if run.dry_run else 'unpacked'
        state = f'{written:,} {verb}, {files - written:,} kept'
        return Summary(self.name, 0, None, f'{files:,} files', state)


@dataclass(frozen=True)
class _Member:
    """One file of an archive; at its end so many bytes of the total are done."""

    name: str
    size: int
    end: int
    handle: Any


@dataclass(frozen=True)
class _Zip:
    path: Path
    file: zipfile.ZipFile

    @property
    def total(self) -> int:
        return sum(info.file_size for info in self.file.infolist())

    def members(self) -> Iterator[_Member]:
        end = 0
        for info in self.file.infolist():
            end += info.file_size
            if not info.is_dir():
                yield _Member(info.filename, info.file_size, end, info)

    def open(self, member: _Member) -> IO[bytes]:
        return self.file.open(member.handle)


@dataclass(frozen=True)
class _Tar:
    path: Path
    file: tarfile.TarFile
    # what the tar is read from: compressed ones do not tell their length
    stream: IO[bytes]
    total: int

    def members(self) -> Iterator[_Member]:
        for info in self.file:
            if info.isfile():
                name = info.name.removeprefix('./')
                yield _Member(name, info.size, self.stream.tell(), info)
            elif not info.isdir():
                raise ValueError(f'{self.path}: {info.name} is no plain file')

    def open(self, member: _Member) -> IO[bytes]:
        return self.file.extractfile(member.handle)


@dataclass(frozen=True)
class _Single:
    path: Path
    total: int

    def members(self) -> Iterator[_Member]:
        yield _Member(self.path.name, self.total, self.total, None)

    def open(self, member: _Member) -> IO[bytes]:
        return self.path.open('rb')


@contextmanager
def _opened(path: Path) -> Iterator[_Zip | _Tar | _Single]:
    try:
        if path.name.endswith('.zip'):
            with zipfile.ZipFile(path) as file:
                yield _Zip(path, file)
        elif path.name.endswith(('.tar', '.tar.gz', '.tgz')):
            size = path.stat().st_size
            with path.open('rb') as stream, tarfile.open(fileobj=stream) as file:
                yield _Tar(path, file, stream, size)
        else:
            yield _Single(path, path.stat().st_size)
    except FileNotFoundError:
        raise FileNotFoundError(f'{path}: archive not found') from None
    except OSError as error:
        if error.errno is None:  # gzip's, not the disk's
            raise _damaged(path, error) from None
        raise
    except ValueError as error:
        message = str(error)
        if str(path) in message:
            raise
        raise _damaged(path, error) from None
    except Exception as error:  # zlib, zipfile and tarfile have many kinds
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> ValueError:
    return ValueError(f'{path}: damaged or incomplete archive ({error})')


def _inner_path(name: str, archive: Path) -> Path:
    """A member's path, which must stay below the folder of the archive."""
    path = PurePosixPath(name.replace('\\', '/'))
    if path.is_absolute() or '..' in path.parts or ':' in path.parts[0]:
        raise ValueError(f'{archive}: member {name!r} leads out of the folder')
    return Path(*path.parts)
