"""What aligners share: the student, its region features, and its evaluation."""

from torch import Tensor, nn
from torch.nn import functional as F

from openvocab.structures import RegionDataSample

from ..image_fit import FittedImages
from ..recognizers import RegionRecognizer


class BaseAligner(RegionRecognizer):
    """A recogniser whose backbone, the student, is trained.

    Subclasses implement ``loss``. The whole loss is computed inside
    ``forward(mode='loss')``, so that distributed training synchronises gradients.
    ``predict`` evaluates the student on the evaluation vocabulary.
    """

    @property
    def student(self) -> nn.Module:
        """The encoder that is trained and exported."""
        return self.backbone

    def region_features(
        self, features: Tensor, fitted: FittedImages, boxes: list[Tensor], stride: float
    ) -> Tensor:
        """Pools boxes of the source images from the map of the fitted ones.

        Args:
            features: (B, D, h, w) dense map.
            fitted: The images the map was computed from.
            boxes: B tensors (N_i, 4), xyxy in pixels of the source images.
            stride: Pixels of the fitted images per token.

        Returns:
            (N, D) unit vectors, image after image.
        """
        pooled = self.pooler(features, fitted.scale_boxes(boxes), stride)
        return F.normalize(pooled, dim=1)

    @staticmethod
    def boxes_of(data_samples: list[RegionDataSample]) -> list[Tensor]:
        """Boxes (N_i, 4) of every image, xyxy in input pixels."""
        return [sample.regions.bboxes for sample in data_samples]
