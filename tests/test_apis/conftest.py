"""Lets the tests of this folder import ``tiny_configs``."""

import sys
from pathlib import Path

import pytest
from mmengine.logging import MMLogger

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def _quiet():
    """init_weights lists every parameter."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel('WARNING')
    yield
    logger.setLevel(level)
