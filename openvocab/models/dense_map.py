"""The dense embedding of an encoder as regions are pooled from it."""

from torch import Tensor, nn
from torch.nn import functional as F


def dense_map(encoder: nn.Module, images: Tensor) -> Tensor:
    """Dense embedding of an encoder, ready for pooling.

    Args:
        encoder: A ``CLIPBackbone``.
        images: (B, 3, h, w), sides multiples of the patch.

    Returns:
        (B, D, h / stride, w / stride) float32; unit length per token where the
        encoder asks for it (ResNet, ConvNeXt).
    """
    features = encoder(images)[-1].float()
    if encoder.normalize_before_pooling:
        features = F.normalize(features, dim=1)
    return features
