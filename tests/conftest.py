"""Settings of the whole suite: small, and nothing written outside temp folders."""

import gc
import os
import random
from pathlib import Path

import pytest

# For the processes that tests start, and before torch is imported anywhere.
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


@pytest.fixture(autouse=True, scope='session')
def _one_thread():
    """The models are tiny: threads only cost."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _same_start():
    """The same random numbers, whatever ran before."""
    import numpy as np
    import torch

    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _quiet():
    """Warnings and errors alone are logged: ``init_weights`` lists every parameter.

    Who looks for other messages sets the level; it does not outlive the test.
    """
    from mmengine.logging import MMLogger

    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel('WARNING')
    yield
    logger.setLevel(level)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips tests marked ``gpu`` where there is none."""
    marked = [item for item in items if item.get_closest_marker('gpu')]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason='needs a CUDA device'))


def pytest_collection_finish() -> None:
    """Lets collections of garbage pass over all that was imported so far.

    mmengine's data sets collect the garbage of the whole process whenever they are
    built, which took more than half of their tests' time.
    """
    gc.collect()
    gc.freeze()
