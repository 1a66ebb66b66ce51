"""Makes ``_base_ = 'openvocab::...'`` and our registry scope known to mmengine."""

from importlib.metadata import PackageNotFoundError, distribution

# Scope -> distribution of the maintained family. mmengine resolves ``scope::config``
# through the *distribution* name, which differs from upstream for these two.
_ONEDL_DISTRIBUTIONS = {
    'mmseg': 'onedl-mmsegmentation',
    'mmpretrain': 'onedl-mmpretrain',
}

# Importable package -> the distributions that install it.
_OWNERS = {
    'mmcv': ('onedl-mmcv', 'mmcv', 'mmcv-lite', 'mmcv-full'),
    'mmengine': ('onedl-mmengine', 'mmengine', 'mmengine-lite'),
    'mmdet': ('onedl-mmdetection', 'mmdet'),
    'mmseg': ('onedl-mmsegmentation', 'mmsegmentation'),
    'mmpretrain': ('onedl-mmpretrain', 'mmpretrain'),
}


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def check_single_owner() -> None:
    """Refuses an environment in which two distributions share one package folder.

    The maintained (OneDL) and the upstream distributions install the same packages and
    overwrite each other's files; what is imported then depends on the order of
    installation, and the errors name neither.

    Raises:
        ImportError: Naming both distributions.
    """
    for package, names in _OWNERS.items():
        found = [name for name in names if _is_installed(name)]
        if len(found) > 1:
            raise ImportError(
                f'{" and ".join(found)} both own the package {package!r}: uninstall '
                'them all, then install one family (requirements/onedl.txt or '
                'requirements/openmmlab.txt)'
            )


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
        if _is_installed(name):
            table[scope] = name
