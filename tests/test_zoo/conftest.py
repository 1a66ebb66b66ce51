import pytest

from helpers.tiny_zoo import Zoo


@pytest.fixture
def zoo(tmp_path):
    return Zoo(tmp_path)
