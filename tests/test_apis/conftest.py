import pytest
from mmengine.logging import MMLogger


@pytest.fixture(autouse=True)
def _quiet():
    """init_weights lists every parameter."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel('WARNING')
    yield
    logger.setLevel(level)
