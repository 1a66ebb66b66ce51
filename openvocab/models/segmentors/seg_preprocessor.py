"""mmseg's data preprocessor for batches of several sizes."""

from typing import Any

from mmseg.models import SegDataPreProcessor
from mmseg.utils import stack_batch

from openvocab.registry import MODELS


@MODELS.register_module()
class SegPreprocessor(SegDataPreProcessor):
    """mmseg's ``SegDataPreProcessor``, also for test images of several sizes.

    Images of a test batch are padded at the right and the bottom to the largest one,
    and their samples get ``img_padding_size``; :class:`OVSegmentor` cuts the padding
    off again, so that a batch changes no prediction. Arguments are mmseg's, except that
    ``size_divisor`` is 1 where neither it nor ``size`` is given.

    Raises:
        ValueError: Images of several sizes come without data samples.
    """

    def __init__(
        self,
        size: tuple[int, int] | None = None,
        size_divisor: int | None = None,
        **kwargs: Any,
    ) -> None:
        if size is None and size_divisor is None:
            size_divisor = 1
        super().__init__(size=size, size_divisor=size_divisor, **kwargs)

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Normalises and stacks a batch.

        Args:
            data: ``inputs``, B tensors (3, H_i, W_i), and ``data_samples``.
            training: Pad label maps too, to ``size`` or ``size_divisor``.

        Returns:
            ``inputs`` (B, 3, H, W) float32 and ``data_samples``.
        """
        if not training and len({image.shape[1:] for image in data['inputs']}) > 1:
            data = self._pad(self.cast_data(data))
        return super().forward(data, training)

    def _pad(self, data: dict[str, Any]) -> dict[str, Any]:
        samples = data.get('data_samples')
        if samples is None:
            raise ValueError(
                'images of several sizes need data samples, which record the padding; '
                'give them one by one'
            )
        inputs, paddings = stack_batch(list(data['inputs']), size_divisor=1)
        for sample, padding in zip(samples, paddings, strict=True):
            sample.set_metainfo(padding)
        return dict(data, inputs=list(inputs))
