"""The model inside what distributed training wraps around it."""

from mmengine.model import is_model_wrapper
from torch import nn


def unwrapped(model: nn.Module) -> nn.Module:
    """The model itself, of a wrapper such as ``MMDistributedDataParallel``."""
    while is_model_wrapper(model):
        model = model.module
    return model
