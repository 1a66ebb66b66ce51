"""The model zoo: what the metafiles say, whether it holds, and the tables of it."""

from .checks import check_index
from .model_index import ModelEntry, ModelIndex, Result
from .readme_blocks import fill_blocks

__all__ = ['ModelEntry', 'ModelIndex', 'Result', 'check_index', 'fill_blocks']
