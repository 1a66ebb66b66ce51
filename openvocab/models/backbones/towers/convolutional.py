"""What the convolutional families share: four stages and no last attention block."""

from torch import nn

from ..dense_attention import DenseReadout, ValueReadout, VanillaReadout
from .base import Tower


class ConvolutionalTower(Tower):
    """Base of the convolutional adapters; see :class:`Tower`.

    Their dense map applies the pooling head to every position by itself, which is what
    both the vanilla and the value readout come down to; other readouts do not exist.
    """

    normalize_before_pooling = True

    def __init__(self, visual: nn.Module, readout: DenseReadout) -> None:
        super().__init__(visual, readout)
        known = (VanillaReadout().record(), ValueReadout().record())
        if readout.record() not in known:
            raise ValueError(
                f'readout {readout.record()} does not exist for the {self.family} '
                'family: only the plain vanilla and value readouts do'
            )
