"""A CLIP trained from scratch on image-caption pairs.

It exists to make the tiny VLMs of OV-Shapes; real CLIPs come with their weights.
"""

from typing import Any

import torch
from mmengine.model import BaseModel
from torch import Tensor
from torch.nn import functional

from ...registry import MODELS
from ..clip_factory import clip_mean_std, create_clip, get_tokenizer
from ..recognizers.image_preprocessor import preprocessor_config

# CLIP, section 2.5
_MAX_LOGIT_SCALE = 100.0


@MODELS.register_module()
class ContrastivePretrainer(BaseModel):
    """Symmetric contrastive loss over the distinct phrases of a batch.

    A world of a few dozen classes repeats its captions within a batch. As in UniCL
    (Yang et al., 2022, Eq. 2), pairs that say the same thing count as positives: images
    are classified among the distinct phrases, and each phrase has all of its images as
    targets. Without repeats this is the loss of CLIP.

    Args:
        arch: Architecture that :func:`create_clip` knows.
        checkpoint: Weights to go on from; ``None`` starts at random.
        data_preprocessor: By default the normalisation of the architecture, for BGR
            images.
    """

    def __init__(
        self,
        arch: str,
        checkpoint: str | None = None,
        data_preprocessor: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            data_preprocessor or preprocessor_config(*clip_mean_std(arch, checkpoint))
        )
        self.clip = create_clip(arch, checkpoint).train()
        self.tokenizer = get_tokenizer(arch)

    def forward(
        self,
        inputs: Tensor,
        data_samples: dict[str, list[str]] | None = None,
        mode: str = 'loss',
    ) -> dict[str, Tensor]:
        """Computes the loss.

        Args:
            inputs: ``(B, 3, H, W)`` normalised images.
            data_samples: ``caption`` and ``phrase``, ``B`` strings each.
            mode: Only ``'loss'``; evaluate an export with ``RegionRecognizer``.

        Returns:
            ``loss_contrastive`` and the batch accuracy and logit scale for the log.
        """
        if mode != 'loss' or data_samples is None:
            raise ValueError(
                f'ContrastivePretrainer has no mode {mode!r}; evaluate its export with '
                f'openvocab.RegionRecognizer'
            )
        first: dict[str, int] = {}
        for index, phrase in enumerate(data_samples['phrase']):
            first.setdefault(phrase, index)
        column = {phrase: number for number, phrase in enumerate(first)}
        target = torch.tensor(
            [column[phrase] for phrase in data_samples['phrase']], device=inputs.device
        )
        captions = [data_samples['caption'][index] for index in first.values()]
        tokens = self.tokenizer(captions).to(inputs.device)

        images = self.clip.encode_image(inputs, normalize=True).float()
        texts = self.clip.encode_text(tokens, normalize=True).float()
        scale = self.clip.logit_scale.exp().clamp(max=_MAX_LOGIT_SCALE)
        logits = scale * images @ texts.t()
        positive = functional.one_hot(target, len(captions)).to(logits)
        # Each phrase spreads its unit of probability over the images that carry it.
        spread = positive / positive.sum(dim=0, keepdim=True)
        by_image = functional.cross_entropy(logits, target)
        by_text = functional.cross_entropy(logits.t(), spread.t())
        accuracy = (logits.argmax(dim=1) == target).float().mean()
        return {
            'loss_contrastive': (by_image + by_text) / 2,
            'batch_accuracy': accuracy.detach(),
            'logit_scale': scale.detach(),
        }
