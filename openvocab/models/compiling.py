"""``torch.compile`` for encoders that do not train."""

from typing import Any

from torch import nn

from .freezing import is_frozen


def compile_frozen(module: nn.Module, settings: bool | dict[str, Any] = True) -> None:
    """Compiles the forward pass of a frozen module, in place.

    Calls of the module run compiled code, with the same outputs up to rounding; its
    other methods, its parameters and the names in its state dict are as before. The
    first call takes a minute or more; the second image size another one, after which
    the code serves all sizes. A deep copy runs uncompiled.

    mmengine's own switch (``compile`` at the top of a config) compiles the whole step,
    of which targets of varying number make little that lasts; the encoder, most of the
    arithmetic, sees images and nothing else.

    Args:
        module: Frozen by :func:`openvocab.models.freezing.freeze`.
        settings: Arguments of :func:`torch.compile`, or True for its defaults.

    Raises:
        ValueError: If the module trains, or this torch cannot compile in place.
    """
    name = type(module).__name__
    if not is_frozen(module):
        raise ValueError(
            f'compile={settings}: {name} trains, only a frozen encoder is compiled; '
            'set trainable_blocks=0 and no trainable, or compile=False'
        )
    if not hasattr(nn.Module, 'compile'):
        raise ValueError(f'compile={settings}: {name} needs torch >= 2.2 for it')
    module.compile(**(settings if isinstance(settings, dict) else {}))
