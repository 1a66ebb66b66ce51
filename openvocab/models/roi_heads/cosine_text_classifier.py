"""Classification by cosine similarity with text rows, for mmdet's predictor seam.

Shapes: N regions, D width of the joint space, K classes; the last column is the
background.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openvocab.registry import MODELS


@MODELS.register_module()
class CosineTextClassifier(nn.Module):
    """``temperature * cos(region, [text rows; background row])``.

    Takes the place of the linear layer that mmdet's box heads build from
    ``cls_predictor_cfg``. It holds text, not weights: :meth:`set_text` exchanges the
    classes at any time, a checkpoint contains only what was learned.

    Args:
        in_features: D.
        out_features: Ignored, mmdet states it; the text decides.
        temperature: Factor on the cosine (its start, where it is learned).
        learn_temperature: Train it.
        learn_background: Add a learned vector to the background's text row before it is
            normalised. It starts at zero, that is, at the text row.

    Source: F-ViT's public code: temperature 50, learned; the background is the text row
    of the word "background", not learned in any published config.
    """

    rows: Tensor
    background: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int | None = None,
        temperature: float = 50.0,
        learn_temperature: bool = True,
        learn_background: bool = False,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        if learn_temperature:
            self.temperature = nn.Parameter(torch.tensor(float(temperature)))
        else:
            self.temperature = float(temperature)
        if learn_background:
            self.background_shift = nn.Parameter(torch.zeros(in_features))
        else:
            self.background_shift = None
        self.register_buffer('rows', torch.empty(0, in_features), persistent=False)
        self.register_buffer(
            'background', torch.empty(1, in_features), persistent=False
        )

    @property
    def num_classes(self) -> int:
        """K, without the background."""
        return len(self.rows)

    def set_text(self, rows: Tensor, background: Tensor) -> None:
        """Exchanges the classes.

        Args:
            rows: (K, D) unit rows.
            background: (1, D) unit row.

        Raises:
            ValueError: If the text has another width than the regions.
        """
        if rows.shape[1] != self.in_features:
            raise ValueError(
                f'text rows have width {rows.shape[1]} but the box head gives '
                f'{self.in_features}; set roi_head.bbox_head.fc_out_channels to the '
                "text's width, or leave it out"
            )
        self.rows = rows.detach().to(self.rows.device)
        self.background = background.detach().to(self.rows.device)

    def cosine(self, regions: Tensor) -> Tensor:
        """Cosine with every class and the background, (N, D) to (N, K + 1) float32."""
        background = self.background
        if self.background_shift is not None:
            background = F.normalize(background + self.background_shift, dim=1)
        with torch.autocast(regions.device.type, enabled=False):
            text = torch.cat((self.rows, background))
            return F.normalize(regions.float(), dim=1) @ text.T

    def forward(self, regions: Tensor) -> Tensor:
        """Logits, (N, D) to (N, K + 1) float32 under autocast too."""
        return self.temperature * self.cosine(regions)
