"""bfloat16 training without a loss scaler."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from torch import nn

from openvocab.device import default_device, has_bfloat16
from openvocab.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(OptimWrapper):
    """Runs the forward pass under bfloat16 autocast where the device has it.

    bfloat16 has the exponent range of float32, so no loss scaling is needed: unlike
    ``AmpOptimWrapper`` a step reads nothing back from the device. On a GPU without
    native bfloat16 training runs in float32 and a warning says so; ``AmpOptimWrapper``
    (float16) is the choice for older GPUs.

    Args:
        on_cpu: Also use bfloat16 on a CPU. Off by default: it is twice as fast on a
            CPU with bfloat16 instructions and slow on any other.
        **kwargs: Arguments of :class:`mmengine.optim.OptimWrapper`.
    """

    def __init__(self, on_cpu: bool = False, **kwargs) -> None:
        super().__init__(**kwargs)
        device = default_device()
        self.device_type = device.type
        self.enabled = has_bfloat16(device) or (on_cpu and device.type == 'cpu')
        if not self.enabled:
            print_log(
                'This device has no native bfloat16: training in float32',
                logger='current',
                level=logging.WARNING,
            )

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Autocast plus the parent's gradient accumulation context."""
        with (
            super().optim_context(model),
            torch.autocast(self.device_type, torch.bfloat16, enabled=self.enabled),
        ):
            yield
