"""Makes ``_base_ = 'openvocab::...'`` and our registry scope known to mmengine."""

from importlib.metadata import PackageNotFoundError, distribution

# Scope -> distribution of the maintained family. mmengine resolves ``scope::config``
# through the *distribution* name, which differs from upstream for these two.
_ONEDL_DISTRIBUTIONS = {
    'mmseg': 'onedl-mmsegmentation',
    'mmpretrain': 'onedl-mmpretrain',
}


def register_scope() -> None:
    """Adds ``openvocab`` to mmengine's table of scopes.

    mmengine only accepts scopes of a fixed table, and reads ``_base_`` before
    ``custom_imports``; importing this package is therefore what enables
    ``openvocab::`` inheritance. ``mmseg::`` and ``mmpretrain::`` are pointed to the
    installed OneDL distributions, whose names differ from upstream's.
    """
    from mmengine.config import utils as config_utils

    table = config_utils.MODULE2PACKAGE
    table.setdefault('openvocab', 'openvocab')
    for scope, name in _ONEDL_DISTRIBUTIONS.items():
        try:
            distribution(name)
        except PackageNotFoundError:
            continue
        table[scope] = name
