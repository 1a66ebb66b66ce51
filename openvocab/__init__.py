"""Open-vocabulary dense prediction for the OpenMMLab stack."""

from .scope import register_scope
from .version import __version__

register_scope()

__all__ = ['__version__']
