"""Lets the tests of this folder import ``tiny_zoo``."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def zoo(tmp_path):
    from tiny_zoo import Zoo

    return Zoo(tmp_path)
