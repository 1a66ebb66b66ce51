import runpy
from types import SimpleNamespace

import fake_archives
import pytest


@pytest.fixture(scope='session')
def tool(repo_root):
    """The main function of the tool."""
    return runpy.run_path(str(repo_root / 'tools/dataset_converters/prepare.py'))[
        'main'
    ]


@pytest.fixture
def run(tool, capsys, monkeypatch):
    """Runs the tool; returns what it printed and, if it ended, with what."""
    monkeypatch.setenv('COLUMNS', '300')

    def run(*arguments, workers=0):
        capsys.readouterr()
        end = None
        try:
            tool([*map(str, arguments), '--workers', str(workers)])
        except SystemExit as error:
            end = error.code
        return SimpleNamespace(out=capsys.readouterr().out, end=end)

    return run


@pytest.fixture(scope='session')
def prepared(tool, tmp_path_factory):
    """Every data set, from the archives: where they are, and the data root."""
    base = tmp_path_factory.mktemp('data_sets')
    downloads, root = base / 'downloads', base / 'data'
    fake_archives.write_all(downloads, root)
    arguments = ['--root', str(root), '--archives', str(downloads), '--workers', '0']
    tool([*fake_archives.NAMES, *arguments])
    return SimpleNamespace(downloads=downloads, root=root)
