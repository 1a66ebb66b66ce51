import runpy
from functools import cache
from types import SimpleNamespace

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope

from helpers import fake_archives
from openvocab.registry import DATASETS


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


@pytest.fixture(scope='session')
def read_config(repo_root):
    folder = repo_root / 'configs/_base_/datasets'
    return cache(lambda name: Config.fromfile(folder / f'{name}.py'))


@pytest.fixture
def load_config(read_config):
    """Builds the data set of a config below another data root."""

    def load(root, name, loader='test', scope='mmseg'):
        cfg = read_config(name)[f'{loader}_dataloader'].dataset.copy()
        assert cfg.data_root.startswith('data/')
        cfg.data_root = str(root / cfg.data_root.removeprefix('data/'))
        init_default_scope(scope)
        # serializing collects all garbage of the process each time
        return DATASETS.build(dict(cfg, serialize_data=False))

    return load
