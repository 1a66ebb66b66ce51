"""Unpacking: what is taken, resumed, and refused."""

import io
import tarfile
import zipfile

import pytest

from helpers import fake_archives as fake
from openvocab.datasets.preparation.archive import Archive
from openvocab.datasets.preparation.run import Run

FILES = {'top/a.txt': b'a', 'top/b/c.txt': b'c' * 5000, 'other/d.txt': b'd'}
WRITERS = {
    'x.zip': fake.write_zip,
    'x.tar': fake.write_tar,
    'x.tar.gz': lambda path, files: fake.write_tar(path, files, 'w:gz'),
}


def unpack(folder, name, keep=('top/',), **run):
    return Archive(name, 'into', keep).unpack(folder, folder / 'root', Run(**run))


def unpacked(folder):
    root = folder / 'root/into'
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob('*')
        if path.is_file()
    }


@pytest.mark.parametrize('name', WRITERS)
def test_takes_what_is_needed_and_resumes(tmp_path, name):
    WRITERS[name](tmp_path / name, FILES)
    assert unpack(tmp_path, name, dry_run=True).state == '2 to unpack, 0 kept'
    assert not (tmp_path / 'root').exists()
    assert unpack(tmp_path, name).state == '2 unpacked, 0 kept'
    expected = {k: v for k, v in FILES.items() if k.startswith('top/')}
    assert unpacked(tmp_path) == expected
    (tmp_path / 'root/into/top/a.txt').unlink()
    (tmp_path / 'root/into/top/b/c.txt').write_bytes(b'c')
    assert unpack(tmp_path, name).state == '2 unpacked, 0 kept'
    assert unpacked(tmp_path) == expected
    assert unpack(tmp_path, name).state == '0 unpacked, 2 kept'


def test_progress_reaches_its_end(tmp_path):
    fake.write_zip(tmp_path / 'x.zip', FILES)
    steps = []
    unpack(tmp_path, 'x.zip', progress=lambda *step: steps.append(step))
    assert steps[0] == ('x.zip', 0, None) and steps[-1] == ('x.zip', 5002, 5002)


@pytest.mark.parametrize('name', ['x.tar', 'x.tar.gz'])
def test_progress_through_a_tar_is_that_of_its_bytes(tmp_path, name):
    WRITERS[name](tmp_path / name, FILES)
    steps = []
    unpack(tmp_path, name, progress=lambda *step: steps.append(step[1:]))
    done, totals = zip(*steps[1:], strict=True)
    assert {*totals} == {(tmp_path / name).stat().st_size}
    assert list(done) == sorted(done) and 0 < done[-1] <= totals[0]


def test_other_files_are_copied(tmp_path):
    (tmp_path / 'x.json').write_bytes(b'{}')
    assert unpack(tmp_path, 'x.json', keep=('',)).state == '1 unpacked, 0 kept'
    assert unpacked(tmp_path) == {'x.json': b'{}'}


@pytest.mark.parametrize('name', WRITERS)
@pytest.mark.parametrize('member', ['/etc/x', '../x', 'top/../../x', 'C:/x'])
def test_members_cannot_lead_out(tmp_path, name, member):
    WRITERS[name](tmp_path / name, {'top/a.txt': b'a', member: b'x'})
    with pytest.raises(ValueError, match=r'x\.(zip|tar|tar\.gz): member .* leads out'):
        unpack(tmp_path, name, keep=('',))
    assert unpacked(tmp_path) == {'top/a.txt': b'a'}
    assert not (tmp_path / 'x').exists() and not (tmp_path / 'root/x').exists()


@pytest.mark.parametrize('kind', [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(tmp_path, kind):
    with tarfile.open(tmp_path / 'x.tar', 'w') as archive:
        info = tarfile.TarInfo('top/link')
        info.type, info.linkname = kind, '/etc/passwd'
        archive.addfile(info)
    with pytest.raises(ValueError, match=r'x\.tar: top/link is no plain file'):
        unpack(tmp_path, 'x.tar')
    assert not unpacked(tmp_path)


@pytest.mark.parametrize('name', WRITERS)
@pytest.mark.parametrize('share', [0, 0.1, 0.5, 0.9])
def test_a_truncated_archive_is_named_and_leaves_whole_files(tmp_path, name, share):
    noise = {f'top/{i}.txt': fake.image(size=(150, 150)) for i in range(4)}
    WRITERS[name](tmp_path / name, noise)
    content = (tmp_path / name).read_bytes()
    end = len(content.rstrip(b'\0'))  # a tar is padded
    (tmp_path / name).write_bytes(content[: int(end * share)])
    with pytest.raises(ValueError, match=r'/x\.[a-z.]*: (damaged|holds none)'):
        unpack(tmp_path, name)
    assert all(noise[name] == content for name, content in unpacked(tmp_path).items())
    (tmp_path / name).write_bytes(content)
    unpack(tmp_path, name)
    assert unpacked(tmp_path) == noise


def test_a_wrong_checksum_is_found(tmp_path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, 'w') as archive:
        archive.writestr('top/a.txt', b'unmistakable')
    path = tmp_path / 'x.zip'
    path.write_bytes(stream.getvalue().replace(b'unmistakable', b'unmistakabel'))
    with pytest.raises(ValueError, match=r'x\.zip: damaged .*CRC'):
        unpack(tmp_path, 'x.zip')
    assert not unpacked(tmp_path)


def test_tool_says_which_archives_it_looks_for(run, tmp_path):
    end = run('pascal-voc', '--root', tmp_path, '--archives', tmp_path).end
    assert end.endswith(f'{tmp_path}: holds none of VOCtrainval_11-May-2012.tar')
    (tmp_path / 'VOCtrainval_11-May-2012.tar').write_bytes(b'')
    end = run('pascal-voc', '--root', tmp_path, '--archives', tmp_path).end
    assert 'VOCtrainval_11-May-2012.tar: damaged or incomplete' in end
