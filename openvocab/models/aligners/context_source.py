"""What of the student is compared with a VFM.

Shapes: B images, D channels of the joint space, (h, w) tokens, C = heads times channels
per head.
"""

from typing import Protocol

from einops import rearrange
from torch import Tensor, nn

from openvocab.registry import TASK_UTILS

from ..backbones import SelfSelfReadout
from ..dense_map import dense_map


class ContextSource(Protocol):
    """Strategy: the dense map and the features whose correlations are taught."""

    def check(self, student: nn.Module) -> None:
        """Refuses a student that has no such features.

        Raises:
            ValueError: If it has none.
        """

    def __call__(self, student: nn.Module, images: Tensor) -> tuple[Tensor, list]:
        """Runs the student once.

        Args:
            student: A ``CLIPBackbone``.
            images: (B, 3, H, W) normalised, sides multiples of the patch.

        Returns:
            The dense map (B, D, h, w), and tensors (B, h * w, any) whose correlations
            are averaged.
        """


@TASK_UTILS.register_module()
class DecoupledContext:
    """The projections that the last block compares; the dense map is left to the crops.

    Q, K or Q and K as the readout says, with bias, before scaling, of patch tokens,
    heads side by side: one (h * w, h * w) matrix each.

    Source: DeCLIP, Eqn. 4 to 6.
    """

    def check(self, student: nn.Module) -> None:
        """Refuses a student whose readout compares nothing."""
        readout = student.readout
        if not isinstance(readout, SelfSelfReadout):
            raise ValueError(
                f'DecoupledContext needs a student that is read out by '
                f'openvocab.SelfSelfReadout, not by {type(readout).__name__} '
                f'({student.arch}); openvocab.CoupledContext takes any'
            )

    def __call__(self, student: nn.Module, images: Tensor) -> tuple[Tensor, list]:
        """Runs the student once."""
        with student.readout.capture() as compared:
            features = dense_map(student, images)
        return features, [rearrange(p, 'b h n d -> b n (h d)') for p in compared]


@TASK_UTILS.register_module()
class CoupledContext:
    """The dense map itself, which then has to please both teachers.

    Source: DeCLIP, Table 1, second row: worse on regions than no VFM at all.
    """

    def check(self, student: nn.Module) -> None:
        """Takes any student."""

    def __call__(self, student: nn.Module, images: Tensor) -> tuple[Tensor, list]:
        """Runs the student once."""
        features = dense_map(student, images)
        return features, [rearrange(features, 'b d h w -> b (h w) d')]
