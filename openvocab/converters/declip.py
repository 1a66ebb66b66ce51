"""Released DeCLIP checkpoints: CLIPSelf's layout, and a readout that no file states.

What the files leave out is how the last block is to be read: which projections are
compared, and at which attention scale. It is therefore given by name or by hand, and
written next to the weights, so that another readout is noticed when they are loaded.

Source: Wang et al., "DeCLIP", CVPR 2025; the scale is that of the branch of the public
code which each file was published for.
"""

from typing import Any, NamedTuple

from openvocab.checkpoints.reading import CheckpointError

from .adapter import Conversion, register_adapter
from .clipself import CLIPSelf


class ReleasedReadout(NamedTuple):
    """How a checkpoint was trained to be read."""

    arch: str
    """Architecture, see :mod:`openvocab.models.clip_factory`."""
    projections: str = 'qk'
    """Which of q, k, v are compared with themselves; ``'qk'`` is called csa there."""
    attn_scale: float | None = 1.0
    """Factor on attention logits; None is 1 / sqrt(channels per head)."""


RELEASED: dict[str, ReleasedReadout] = {
    'DeCLIP_EVA-B_DINOv2-B_csa_0.05_2.0': ReleasedReadout('EVA02-B-16'),
    'DeCLIP_EVA-L_DINOv2-L_csa_0.05_2.0': ReleasedReadout('EVA02-L-14-336'),
    'DeCLIP_evab_dinov2B_csa_560_0.25_seg': ReleasedReadout(
        'EVA02-B-16', attn_scale=None
    ),
}
"""Released encoders by name: backbone, VFM, attention, context and content weight."""


@register_adapter
class DeCLIP(CLIPSelf):
    """Towers that DeCLIP decoupled.

    Args:
        release: An entry of ``RELEASED``, for a released file.
        projections: For any other file: which of q, k, v are compared (``'qk'`` is
            csa).
        attn_scale: With ``projections``: the factor on attention logits; None is
            1 / sqrt(channels per head).

    Raises:
        CheckpointError: No such release, other letters than q, k, v, no positive scale,
            or both are given.
    """

    family = 'declip'
    licence = 'Apache-2.0 (DeCLIP)'

    def __init__(
        self,
        release: str | None = None,
        projections: str | None = None,
        attn_scale: float | None = None,
    ) -> None:
        if release is not None and release not in RELEASED:
            raise CheckpointError(
                f'declip: no release {release!r} (there are: {", ".join(RELEASED)})'
            )
        if release is not None and (projections, attn_scale) != (None, None):
            raise CheckpointError('declip: a release states its readout itself')
        if attn_scale is not None and projections is None:
            raise CheckpointError('declip: attn_scale needs projections')
        if projections is not None and not _letters(projections):
            raise CheckpointError(
                f'declip: projections {projections!r}, not of q, k, v'
            )
        if attn_scale is not None and not _positive(attn_scale):
            raise CheckpointError(
                f'declip: attn_scale {attn_scale!r}, not a positive number or None'
            )
        self.arch = None
        if release is not None:
            self.arch, projections, attn_scale = RELEASED[release]
        self.readout = projections and dict(
            type='SelfSelfReadout',
            residual=False,
            ffn=False,
            attn_scale=attn_scale,
            rope=False,
            projections=list(projections),
        )

    def verify(
        self, conversion: Conversion, arch: str | None = None
    ) -> tuple[str, ...]:
        """See :meth:`CLIPAdapter.verify`; the readout must be known."""
        problems = super().verify(conversion, arch or self.arch)
        if self.readout is None:
            problems += (
                'the file does not say how it is read: give --options release=NAME '
                f'({", ".join(RELEASED)}) or projections=qk attn_scale=1.0',
            )
        return problems


def _letters(projections: Any) -> bool:
    """Whether these are some of q, k and v, in one string or a list."""
    listed = isinstance(projections, (str, list, tuple)) and list(projections)
    return bool(listed) and all(letter in ('q', 'k', 'v') for letter in listed)


def _positive(number: Any) -> bool:
    real = isinstance(number, (int, float)) and not isinstance(number, bool)
    return real and 0 < number < float('inf')
