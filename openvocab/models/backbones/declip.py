"""Preset: a CLIP whose attention and content were decoupled by DeCLIP."""

from typing import Any

from openvocab.registry import MODELS

from .clip_backbone import CLIPBackbone


@MODELS.register_module()
class DeCLIP(CLIPBackbone):
    """:class:`CLIPBackbone` with DeCLIP's defaults: EVA02-B-16, CSA readout.

    The released weights ``*_csa_*`` were trained with CSA at attention scale 1, without
    rotation, residual and FFN in the last block; another readout reads them wrongly.
    They are EVA-CLIPs, but the default is the same for every family: what an encoder
    was aligned with decides, not what it is. An OpenAI ViT aligned by the public code
    (scale 1 / sqrt(d)) gets ``readout=dict(type='openvocab.SelfSelfReadout')``.

    Args:
        arch: Architecture, as for :class:`CLIPBackbone`.
        checkpoint: Weights, as for :class:`CLIPBackbone`.
        readout: Readout config; the default is that of the released weights.
        **kwargs: The other arguments of :class:`CLIPBackbone`.

    Source: Wang et al., "DeCLIP: Decoupled Learning for Open-Vocabulary Dense
    Perception", CVPR 2025; scale 1 as in its public code for EVA-CLIP (eq. 6 has
    1 / sqrt(d), which is what OpenAI's ViTs use there).
    """

    def __init__(
        self,
        arch: str = 'EVA02-B-16',
        checkpoint: str | None = None,
        readout: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        readout = readout or dict(type='openvocab.SelfSelfReadout', attn_scale=1.0)
        super().__init__(arch, checkpoint, readout, **kwargs)
