"""From words to text rows: the text tower of a CLIP, and the bank of its rows."""

from .row_cache import RowCache
from .template_mean import template_mean
from .text_bank import TextBank
from .text_encoder import TextEncoder

__all__ = ['RowCache', 'TextBank', 'TextEncoder', 'template_mean']
