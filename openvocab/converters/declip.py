"""Released DeCLIP checkpoints: CLIPSelf's layout, and a readout that no file states.

Their keys are those of :mod:`openvocab.converters.clipself`, so every backbone loads
them as they are. What they leave out is how the last block is to be read: which
projections are compared, and at which attention scale. :func:`state_readout` writes
that next to the weights, so that another readout is noticed when they are loaded.

Source: Wang et al., "DeCLIP", CVPR 2025; the scale is that of the branch of the public
code which each file was published for.
"""

from pathlib import Path
from typing import NamedTuple

from .clipself import from_upstream, to_upstream

__all__ = [
    'RELEASED',
    'ReleasedReadout',
    'from_upstream',
    'state_readout',
    'to_upstream',
]


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


def state_readout(
    checkpoint: str | Path, out: str | Path, readout: ReleasedReadout
) -> str:
    """Writes the image tower of a checkpoint with its readout as metadata.

    Args:
        checkpoint: A released file.
        out: The file to write, ``.safetensors``.
        readout: An entry of ``RELEASED``, or what is known of another file.

    Returns:
        Sha256 of the written file.

    Raises:
        ValueError: If the file is of another architecture, or ``out`` has another
            suffix.
    """
    # the key names above are light, a backbone is not
    from openvocab.models.backbones import DeCLIP, save_encoder

    backbone = DeCLIP(
        readout.arch,
        readout=dict(
            type='openvocab.SelfSelfReadout',
            projections=readout.projections,
            attn_scale=readout.attn_scale,
        ),
        init_cfg=dict(type='Pretrained', checkpoint=str(checkpoint)),
    )
    backbone.init_weights()
    return save_encoder(backbone, out)
