"""Atomic writes: all or nothing."""

import stat

import pytest

from openvocab.fileio import atomic_path, write_atomically


def test_a_failing_writer_leaves_the_old_file_and_no_litter(tmp_path):
    path = tmp_path / 'new' / 'a.json'
    write_atomically(path, b'old')
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_bytes(b'half')
        assert temporary.suffix == '.json' and temporary.parent == path.parent
        raise RuntimeError
    assert path.read_bytes() == b'old'
    assert list(path.parent.iterdir()) == [path]


def test_written_files_are_readable_by_others(tmp_path):
    path = tmp_path / 'a.txt'
    write_atomically(path, b'1')
    write_atomically(path, b'2')
    assert path.read_bytes() == b'2'
    assert path.stat().st_mode & stat.S_IRUSR and path.stat().st_mode & stat.S_IRGRP
