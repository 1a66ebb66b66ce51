"""Preset: a CLIP aligned by DenseVLM, read out the way that it was trained."""

from openvocab.registry import MODELS

from .clipself import CLIPSelf


@MODELS.register_module()
class DenseVLM(CLIPSelf):
    """A CLIP aligned by DenseVLM; it is trained and read out with CLIPSelf's readout.

    Source: Li et al., "Unbiased Region-Language Alignment for Open-Vocabulary Dense
    Prediction", section 3.1.
    """
