"""Settings of the whole suite: small, and nothing written outside temp folders."""

import os
from pathlib import Path

import pytest

# Before torch is imported anywhere: the models are tiny, threads only cost.
os.environ.setdefault('OMP_NUM_THREADS', '1')
os.environ.setdefault('MKL_NUM_THREADS', '1')


@pytest.fixture(scope='session')
def repo_root() -> Path:
    """The checkout."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True, scope='session')
def _scratch_cache(tmp_path_factory: pytest.TempPathFactory):
    """Caches of the tests (text rows, ...) go to a temporary folder."""
    patch = pytest.MonkeyPatch()
    patch.setenv('XDG_CACHE_HOME', str(tmp_path_factory.mktemp('cache')))
    yield
    patch.undo()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips tests marked ``gpu`` where there is none."""
    marked = [item for item in items if item.get_closest_marker('gpu')]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason='needs a CUDA device'))
