"""Freezing a whole module: no gradients, always in eval mode, in no checkpoint.

A frozen encoder is identified by its architecture and the sha256 of its weights, so a
task checkpoint has no need to carry hundreds of megabytes that never change; it carries
a record of a few hundred bytes (see :class:`Recorded`).
"""

from types import MethodType
from typing import Any, Protocol, TypeVar, runtime_checkable

from torch import Tensor, nn

ModuleT = TypeVar('ModuleT', bound=nn.Module)

RECORD_KEY = 'encoder_record'
"""Name of a record in a state dict, after the prefix of the module it speaks of."""
_MARK = '_openvocab_frozen'


@runtime_checkable
class Recorded(Protocol):
    """A module that, frozen, leaves a record in place of its tensors."""

    def record_tensor(self) -> Tensor:
        """What identifies the weights; uint8, on the CPU."""


def freeze(module: ModuleT) -> ModuleT:
    """Freeze a module in place.

    - its parameters have ``requires_grad=False``;
    - it is in eval mode, and ``train()`` on it or on a parent leaves it there;
    - a parent's ``state_dict()`` (mmengine's ``get_state_dict`` too) leaves its tensors
      out, and loading such a state dict, strictly too, does not miss them. Its own
      ``state_dict()`` is complete, and a parent's state dict that does hold its tensors
      (one saved before it was frozen) loads them. What it contains of
      :class:`Recorded` modules, itself among them, leaves its records there.

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
        module._register_state_dict_hook(_leave_records)
        module._register_load_state_dict_pre_hook(_keep_own, with_module=True)
    return module


def is_frozen(module: nn.Module) -> bool:
    """Whether :func:`freeze` was applied to this very module."""
    return getattr(module, _MARK, False)


def has_tensors(state_dict: dict[str, Any], prefix: str) -> bool:
    """Whether a state dict holds anything but records of the module at a prefix."""
    return any(key.startswith(prefix) and not is_record(key) for key in state_dict)


def keep_tensors(module: nn.Module, state_dict: dict[str, Any], prefix: str) -> None:
    """Put a module's own tensors into a state dict that is about to be loaded."""
    own = module.state_dict()
    state_dict.update({prefix + k: v for k, v in own.items() if not is_record(k)})


def _train_nothing(module: nn.Module, mode: bool = True) -> nn.Module:
    return module


def _leave_records(
    module: nn.Module, state_dict: dict[str, Any], prefix: str, metadata: dict
) -> None:
    # The outermost frozen module has the last word, so it speaks for all within it:
    # the outcome does not depend on which of them is frozen itself, nor since when.
    if not prefix:
        return
    for key in [key for key in state_dict if key.startswith(prefix)]:
        del state_dict[key]
    for name, part in module.named_modules(prefix=prefix[:-1]):
        if isinstance(part, Recorded):
            state_dict[f'{name}.{RECORD_KEY}'] = part.record_tensor()


def _keep_own(
    module: nn.Module, state_dict: dict[str, Any], prefix: str, *args: Any
) -> None:
    if prefix and not has_tensors(state_dict, prefix):
        keep_tensors(module, state_dict, prefix)


def is_record(key: str) -> bool:
    """Whether an entry of a state dict is a record."""
    return key.rpartition('.')[2] == RECORD_KEY
