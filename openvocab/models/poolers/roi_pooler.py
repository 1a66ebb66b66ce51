"""Region embeddings from boxes.

Shapes: B images, D channels, (h, w) tokens, N_i boxes of image i, N = sum of N_i.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from openvocab.registry import MODELS


@MODELS.register_module()
class RoIPooler(nn.Module):
    """RoIAlign of a whole batch in one call.

    The default is the pooling of CLIPSelf and DenseVLM: one bin per box, averaged
    over an adaptive number of bilinear samples.

    Args:
        output_size: Bins per side.
        sampling_ratio: Samples per bin and side; 0 takes as many as there are tokens.
        aligned: Shift by half a token so that pixel centres coincide.
        use_torchvision: Run torchvision's operator, which computes the same; for a
            GPU with an mmcv that was compiled for the CPU only.
    """

    def __init__(
        self,
        output_size: int = 1,
        sampling_ratio: int = 0,
        aligned: bool = True,
        use_torchvision: bool = False,
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.sampling_ratio = sampling_ratio
        self.aligned = aligned
        self.use_torchvision = use_torchvision

    def forward(
        self, features: Tensor, boxes: Sequence[Tensor], stride: float
    ) -> Tensor:
        """Pools every box of every image.

        Args:
            features: (B, D, h, w). Half precision is pooled in float32, which the
                operator needs for bfloat16.
            boxes: B tensors (N_i, 4), xyxy in pixels; N_i may be 0.
            stride: Pixels per token.

        Returns:
            (N, D), image after image; (N, D, s, s) where ``output_size`` s > 1.

        Raises:
            ValueError: If the number of box lists is not the number of images.
        """
        if len(boxes) != len(features):
            raise ValueError(
                f'RoIPooler got boxes of {len(boxes)} images for a batch of '
                f'{len(features)}'
            )
        return self.pool(features, boxes_to_rois(boxes, features), stride)

    def pool(self, features: Tensor, rois: Tensor, stride: float) -> Tensor:
        """Pools boxes that state their image.

        Args:
            features: (B, D, h, w).
            rois: (N, 5): image index, x1, y1, x2, y2.
            stride: Pixels per token.

        Returns:
            As :meth:`forward`.
        """
        # the compiled extension is loaded by those who pool, not by every importer
        from mmcv.ops import RoIAlign

        if features.dtype in (torch.float16, torch.bfloat16):
            features = features.float()
        align = RoIAlign(
            self.output_size,
            spatial_scale=1 / stride,
            sampling_ratio=self.sampling_ratio,
            aligned=self.aligned,
            use_torchvision=self.use_torchvision,
        )
        pooled = align(features, rois.to(features))
        return pooled.flatten(1) if self.output_size == 1 else pooled


def boxes_to_rois(boxes: Sequence[Tensor], like: Tensor) -> Tensor:
    """Prefixes each box with the index of its image.

    Args:
        boxes: B tensors (N_i, 4).
        like: Gives dtype and device of the result.

    Returns:
        (N, 5): image index, x1, y1, x2, y2.
    """
    flat = torch.cat([box.reshape(-1, 4) for box in boxes]).to(like)
    index = image_index([len(box) for box in boxes], like.device)
    return torch.cat((index.to(like.dtype)[:, None], flat), dim=1)


def image_index(counts: Sequence[int], device: torch.device) -> Tensor:
    """Image index of every region: ``[2, 0, 1] -> [0, 0, 2]``.

    Built on the host and copied without waiting for the device.

    Args:
        counts: Regions per image.
        device: Where the result lives.

    Returns:
        (N,) int64.
    """
    images = torch.arange(len(counts))
    index = images.repeat_interleave(torch.tensor(counts, dtype=torch.long))
    return index.to(device, non_blocking=True)
