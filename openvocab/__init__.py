"""Open-vocabulary dense prediction for the OpenMMLab stack."""

from .scope import check_single_owner, register_scope
from .version import __version__

check_single_owner()
register_scope()

__all__ = ['__version__']
