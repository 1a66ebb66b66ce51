"""From words to text rows: frozen and kept in a bank, or by a tower that trains."""

from .row_cache import RowCache
from .template_bank import TemplateBank
from .template_mean import template_mean
from .text_bank import TextBank
from .text_encoder import TextEncoder
from .trainable_text import TrainableText

__all__ = [
    'RowCache',
    'TemplateBank',
    'TextBank',
    'TextEncoder',
    'TrainableText',
    'template_mean',
]
