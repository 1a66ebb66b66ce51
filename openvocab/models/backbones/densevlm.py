"""Preset: a CLIP aligned by DenseVLM, read out the way that it was trained."""

from typing import Any

from openvocab.registry import MODELS

from .clip_backbone import CLIPBackbone


@MODELS.register_module()
class DenseVLM(CLIPBackbone):
    """:class:`CLIPBackbone` with DenseVLM's defaults: EVA02-B-16, value readout.

    Args:
        arch: Architecture, as for :class:`CLIPBackbone`.
        checkpoint: Weights, as for :class:`CLIPBackbone`.
        readout: Readout config; the default is the method's.
        **kwargs: The other arguments of :class:`CLIPBackbone`.

    Source: Li et al., "Unbiased Region-Language Alignment for Open-Vocabulary Dense
    Prediction" (DenseVLM).
    """

    def __init__(
        self,
        arch: str = 'EVA02-B-16',
        checkpoint: str | None = None,
        readout: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        readout = readout or dict(type='openvocab.ValueReadout')
        super().__init__(arch, checkpoint, readout, **kwargs)
