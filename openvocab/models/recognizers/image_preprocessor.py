"""From the loader's uint8 images to a normalised batch."""

from collections.abc import Sequence

import torch
from mmengine.model import ImgDataPreprocessor
from torch import Tensor, nn

from openvocab.registry import MODELS

from ..building import pixel_statistics


@MODELS.register_module()
class ImagePreprocessor(ImgDataPreprocessor):
    """mmengine's ``ImgDataPreprocessor``, on the whole batch at once.

    Same arguments, and the same result for images of one size. Differences: the batch
    is stacked as uint8, so that images of several sizes are padded with black before
    normalisation, as the pipelines pad; channels are flipped and normalised by three
    kernels per batch instead of per image, none of which waits for the device; a batch
    that arrives as one tensor is never padded.
    """

    def forward(
        self, data: dict, training: bool = False
    ) -> dict[str, Tensor | list | None]:
        """Normalises a batch.

        Args:
            data: ``inputs``, B uint8 tensors (3, H_i, W_i) or one (B, 3, H, W), and
                optionally ``data_samples``.
            training: Unused.

        Returns:
            ``inputs`` (B, 3, H, W) float32 on the device, and ``data_samples``.
        """
        data = self.cast_data(data)
        images = data['inputs']
        if isinstance(images, Sequence):
            images = self._stack(images)
        if self._channel_conversion:
            images = images.flip(1)
        images = images.float()
        if self._enable_normalize:
            images = (images - self.mean) / self.std
        return dict(inputs=images, data_samples=data.get('data_samples'))

    def _stack(self, images: Sequence[Tensor]) -> Tensor:
        """Stacks images at the top left of the smallest size that holds them all."""
        if len({image.shape for image in images}) == 1 and self.pad_size_divisor == 1:
            return torch.stack(list(images))
        divisor = self.pad_size_divisor
        height, width = (
            -(-max(image.shape[axis] for image in images) // divisor) * divisor
            for axis in (1, 2)
        )
        batch = images[0].new_full((len(images), 3, height, width), self.pad_value)
        for slot, image in zip(batch, images, strict=True):
            slot[:, : image.shape[1], : image.shape[2]] = image
        return batch


def preprocessor_config(mean: Sequence[float], std: Sequence[float]) -> dict:
    """Config of the normalisation of a CLIP, for BGR images.

    Args:
        mean: RGB mean of pixels in [0, 1].
        std: RGB deviation of pixels in [0, 1].
    """
    return dict(
        type='openvocab.ImagePreprocessor',
        non_blocking=True,
        **pixel_statistics(mean, std),
    )


def normalize_crops(crops: Tensor, preprocessor: nn.Module) -> Tensor:
    """Applies the image normalisation of the data preprocessor to uint8 crops.

    Args:
        crops: (M, 3, S, S) uint8 in the channel order of the loader.
        preprocessor: An ``ImagePreprocessor`` or mmengine's ``ImgDataPreprocessor``.

    Returns:
        (M, 3, S, S) float32; never padded.
    """
    height, width = crops.shape[-2:]
    return preprocessor(dict(inputs=crops))['inputs'][..., :height, :width]
