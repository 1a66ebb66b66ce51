"""How a detector's class scores and those of the frozen encoder become one."""

import torch
from torch import Tensor

from openvocab.registry import MODELS


@MODELS.register_module()
class GeometricScoreFusion:
    """Weighted geometric mean ``p_det^(1 - e) * p_vlm^e``, with one exponent per class.

    The detector saw boxes of base classes only, the encoder saw all words but no boxes:
    base classes and background lean on the detector (``alpha``), novel ones on the
    encoder (``beta``). The result is not a distribution: rows may sum to less or more
    than one, and must not go through a softmax again.

    Args:
        alpha: Exponent of base classes and of the background.
        beta: Exponent of novel classes; None is ``alpha``, for transfer to a data set
            where nothing was held out.
        temperature: Factor on the encoder's cosine before its softmax.

    Source: F-VLM, ICLR 2023, eq. 3; F-ViT's values: 0.1 / 0.8 / 75 on OV-COCO,
    0.1 / 0.6 (B/16) or 0.4 (L/14) / 50 on OV-LVIS.
    """

    def __init__(
        self, alpha: float = 0.1, beta: float | None = 0.8, temperature: float = 75.0
    ) -> None:
        beta = alpha if beta is None else beta
        for name, value in (('alpha', alpha), ('beta', beta)):
            if not 0 <= value <= 1:
                raise ValueError(f'fusion.{name} must be in [0, 1], got {value}')
        self.alpha = alpha
        self.beta = beta
        self.temperature = temperature

    def exponents(self, novel: Tensor) -> Tensor:
        """Exponent of every class and of the background.

        Args:
            novel: (K,) bool.

        Returns:
            (K + 1,) float32.
        """
        weights = torch.where(novel, float(self.beta), float(self.alpha))
        return torch.cat((weights, weights.new_tensor([self.alpha])))

    def __call__(self, logits: Tensor, cosine: Tensor, exponents: Tensor) -> Tensor:
        """Fuses scores; in float32 logarithms, so that small ones do not vanish.

        Args:
            logits: (N, K + 1), of the detector.
            cosine: (N, K + 1), of the encoder.
            exponents: (K + 1,).

        Returns:
            (N, K + 1) scores in [0, 1].
        """
        detector = logits.float().log_softmax(dim=1)
        encoder = (self.temperature * cosine.float()).log_softmax(dim=1)
        return torch.lerp(detector, encoder, exponents.to(detector)).exp()
