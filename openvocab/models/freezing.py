"""Freezing a whole module: no gradients, always in eval mode, in no checkpoint.

A frozen encoder is identified by its name and the sha256 of its weights, so a task
checkpoint has no need to carry hundreds of megabytes that never change.
"""

from types import MethodType
from typing import Any, TypeVar

from torch import nn

ModuleT = TypeVar('ModuleT', bound=nn.Module)

_MARK = '_openvocab_frozen'


def freeze(module: ModuleT) -> ModuleT:
    """Freeze a module in place.

    - its parameters have ``requires_grad=False``;
    - it is in eval mode, and ``train()`` on it or on a parent leaves it there;
    - a parent's ``state_dict()`` (mmengine's ``get_state_dict`` too) leaves its tensors
      out, and loading such a state dict, strictly too, does not miss them. Its own
      ``state_dict()`` is complete, and a parent's state dict that does hold its tensors
      (one saved before it was frozen) loads them.

    Args:
        module: The module; freezing it twice changes nothing.

    Returns:
        The same module.
    """
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    module.eval()
    if not is_frozen(module):
        setattr(module, _MARK, True)
        # A bound method, and not a closure, so that deepcopy rebinds it to the copy.
        module.train = MethodType(_train_nothing, module)
        module._register_state_dict_hook(_drop_from_parent)
        module._register_load_state_dict_pre_hook(_keep_own, with_module=True)
    return module


def is_frozen(module: nn.Module) -> bool:
    """Whether :func:`freeze` was applied to this very module."""
    return getattr(module, _MARK, False)


def _train_nothing(module: nn.Module, mode: bool = True) -> nn.Module:
    return module


def _drop_from_parent(
    module: nn.Module, state_dict: dict[str, Any], prefix: str, metadata: dict
) -> None:
    if not prefix:
        return
    for key in [key for key in state_dict if key.startswith(prefix)]:
        del state_dict[key]


def _keep_own(
    module: nn.Module, state_dict: dict[str, Any], prefix: str, *args: Any
) -> None:
    if not prefix or any(key.startswith(prefix) for key in state_dict):
        return
    own = module.state_dict()
    state_dict.update({prefix + key: value for key, value in own.items()})
