"""Registration of everything openvocab offers."""

from importlib import import_module

from mmengine.registry import DefaultScope

_PACKAGES = ('datasets', 'engine', 'evaluation', 'models')


def register_all_modules(init_default_scope: bool = True) -> None:
    """Imports all registered classes, so that registries can list them.

    Building from a config does not need this: the registries import their packages on
    first use. ``mmengine.hub.get_model('openvocab::...')`` calls it.

    Args:
        init_default_scope: Make ``mmengine`` the default scope where none is set. Types
            of openvocab are always written with their prefix (``openvocab.X``), types
            of other libraries likewise or by the scope of their config.
    """
    for package in _PACKAGES:
        import_module(f'openvocab.{package}')
    if init_default_scope and DefaultScope.get_current_instance() is None:
        DefaultScope.get_instance('openvocab-setup', scope_name='mmengine')
