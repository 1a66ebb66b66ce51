"""SAN as a segmentor: one image, two resolutions.

Call graph::

    loss     masks_of(images, with_aux) -> decode_head.loss
    predict  inference(images) -> named_masks -> MaskScores per image -> label map

Shapes: B images, K classes, Q queries.
"""

import torch
import torch.nn.functional as F
from einops import einsum
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from openvocab.models.building import build_module
from openvocab.models.decode_heads.san_head import Proposals
from openvocab.models.losses.ov_bce_loss import IGNORED
from openvocab.registry import MODELS

from .inference import Inference
from .mask_scores import NamedMasks
from .ov_segmentor import OVSegmentor


@MODELS.register_module()
class SANSegmentor(OVSegmentor):
    """An :class:`OVSegmentor` whose head proposes masks instead of maps of logits.

    The side network of the head sees the whole crop, CLIP sees it smaller.

    Args:
        backbone: A ``CLIPBackbone`` of a ViT or an EVA-CLIP, or its config.
        text_bank: See :class:`OVSegmentor`. SAN's templates are ``vild14``; its code
            hands comma-separated synonyms over as one string, as the vocabularies
            ``ade20k_150_labels`` and ``ade20k_847_labels`` do.
        decode_head: Config of a :class:`SANHead`; the encoder is filled in.
        inference: Config of a :class:`MaskInference`.
        encoder_scale: Factor on the sides of what CLIP is given: 0.5 (B/16) and 0.7
            (L/14) in the paper. Sides are then rounded down to its patch.
        size_divisor: Images are padded to a multiple of it, with the mean colour.
        **kwargs: The other arguments of :class:`OVSegmentor`.

    Source: Xu et al., "Side Adapter Network for Open-Vocabulary Semantic Segmentation",
    CVPR 2023, section 3. The public code makes CLIP's image smaller without
    antialiasing; the configs do the same (``encoder_antialias``).
    """

    def __init__(
        self,
        backbone: dict | nn.Module,
        text_bank: dict | nn.Module,
        decode_head: dict | nn.Module,
        inference: dict | Inference = dict(type='openvocab.MaskInference'),  # noqa: B006
        encoder_scale: float = 0.5,
        size_divisor: int = 32,
        **kwargs,
    ) -> None:
        backbone = build_module(backbone)
        if isinstance(decode_head, dict):
            decode_head = build_module(dict(decode_head, encoder=backbone))
        super().__init__(
            backbone, text_bank, decode_head, inference, encoder_scale, **kwargs
        )
        self.size_divisor = size_divisor
        side_patch = self.decode_head.side.patch_size
        if size_divisor % side_patch:
            raise ValueError(
                f'size_divisor={size_divisor} is no multiple of the patch of the side '
                f'network, {side_patch}'
            )

    def propose(
        self, inputs: Tensor, text: Tensor, with_aux: bool = False
    ) -> list[Proposals]:
        """Masks and class logits.

        Args:
            inputs: (B, 3, H, W) normalised images, padded or not.
            text: (K, D) unit rows.
            with_aux: Give the outputs that only training needs, too.
        """
        images = self._pad(inputs)
        smaller = self.encoder_images(images)
        return self.decode_head(images, smaller, self.backbone, text, with_aux)

    def named_masks(self, inputs: Tensor) -> list[NamedMasks]:
        """Masks of B images (B, 3, H, W) with their class probabilities."""
        (found,) = self.propose(inputs, self.text_bank())
        probabilities = self.decode_head.class_probabilities(found.scores)
        size = tuple(self._pad(inputs).shape[-2:])
        return [
            NamedMasks(*each, size)
            for each in zip(found.masks, probabilities, strict=True)
        ]

    def encode_decode(
        self, inputs: Tensor, batch_data_samples: list[SegDataSample] | None = None
    ) -> Tensor:
        """Scores (B, K, h, w) of images (B, 3, H, W), at the resolution of the masks.

        A coarse view, over the padding too: label maps come from :meth:`named_masks`,
        whose masks are resized before they are activated.
        """
        (found,) = self.propose(inputs, self.text_bank())
        return einsum(
            self.decode_head.class_probabilities(found.scores),
            self.decode_head.activate(found.masks),
            'b q k, b q h w -> b k h w',
        )

    def class_scores(self, images: list[Tensor]) -> list:
        """Scores of B images (3, H_i, W_i), normalised and without padding."""
        return self.inference(images, self.named_masks, self.decode_head.activate)

    def loss(
        self, inputs: Tensor, data_samples: list[SegDataSample]
    ) -> dict[str, Tensor]:
        """Losses of the head.

        Classes that the vocabulary calls novel or unseen are held out.

        Args:
            inputs: (B, 3, H, W) normalised images.
            data_samples: B samples with ``gt_sem_seg`` (1, H, W).

        Raises:
            ValueError: A label is neither a class nor ignored.
        """
        text = self.training_labels.select(self.text_bank())
        found = self.propose(inputs, text, with_aux=True)
        labels = torch.stack([sample.gt_sem_seg.data[0] for sample in data_samples])
        labels = self._pad(self.training_labels(labels), IGNORED)
        return self.decode_head.loss(found, labels)

    def _pad(self, images: Tensor, value: int = 0) -> Tensor:
        height, width = images.shape[-2:]
        divisor = self.size_divisor
        padding = (0, -width % divisor, 0, -height % divisor)
        return F.pad(images, padding, value=value)
