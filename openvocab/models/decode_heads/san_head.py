"""SAN's head: a side network proposes masks, the last blocks of CLIP name them.

Call graph of ``forward``::

    images -----------------------------> SideNetwork -> masks (B, Q, h, w)
      '- resized -> CLIP, first blocks ----^   |
                          '-> last blocks <-- bias
                                  '-> embeddings of queries -> logits (B, Q, K + 1)

Shapes: B images, Q queries, K classes, D width of the joint space, M = masks that are
named in one pass.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from openvocab.models.backbones import CLIPBackbone
from openvocab.models.backbones.towers import TransformerTower
from openvocab.models.building import build_module
from openvocab.models.losses.mask_set_loss import MaskSetLoss, class_masks
from openvocab.registry import MODELS

from .side_network import SideNetwork


class Proposals(NamedTuple):
    """Masks and what they are."""

    scores: Tensor
    """(B, Q, K + 1) logits, "no object" last."""
    masks: Tensor
    """(B, Q, h, w) logits, at the stride of the side network."""


@MODELS.register_module()
class SANHead(BaseModule):
    """Names mask proposals by the attention of a frozen CLIP.

    Needs a transformer whose class token was trained against the text: OpenAI and
    OpenCLIP ViTs, EVA-02-CLIP. A ResNet or a ConvNeXt has neither a class token nor
    blocks that could attend to a part of the image, so SAN does not exist for them.
    The readout of the backbone plays no part.

    Args:
        encoder: The backbone; the head keeps nothing of it but its sizes.
        side: Arguments of the :class:`SideNetwork`; what follows from the encoder is
            filled in.
        levels: Numbers of blocks of CLIP after which its map is handed to the side
            network; by default 0, 1/4, 2/4 and 3/4 of its depth.
        split: Number of blocks of CLIP that see no query; the others name the masks. By
            default 3/4 of the depth.
        aux_blocks: Blocks of the side network whose masks are trained too.
        train_positions: Learn what is added to the position table of CLIP. It starts as
            zero and belongs to the head: CLIP stays frozen, and out of checkpoints.
            The gradient then runs back through all of CLIP; without it, only through
            the last blocks.
        loss: Config of a :class:`MaskSetLoss`.
        init_cfg: See mmengine's ``BaseModule``.

    Raises:
        ValueError: The encoder has no class token that is compared with text.

    Source: Xu et al., "Side Adapter Network for Open-Vocabulary Semantic Segmentation",
    CVPR 2023, and public code, which trains the position table itself.
    """

    def __init__(
        self,
        encoder: CLIPBackbone,
        side: dict | None = None,
        levels: Sequence[int] | None = None,
        split: int | None = None,
        aux_blocks: Sequence[int] = (7,),
        train_positions: bool = True,
        loss: dict | MaskSetLoss | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        tower = checked_tower(encoder)
        depth = len(tower.groups)
        self.levels = tuple(levels or (depth * part // 4 for part in range(4)))
        self.split = depth * 3 // 4 if split is None else split
        if not max(self.levels) <= self.split < depth:
            raise ValueError(
                f'levels={self.levels} and split={self.split} must satisfy levels <= '
                f'split < {depth}, the number of blocks of {encoder.arch}'
            )
        channels = tower.levels[0][1]
        self.side = SideNetwork(channels, tower.num_heads, **(side or {}))
        self.aux_blocks = tuple(aux_blocks)
        self.background = nn.Parameter(
            torch.randn(1, tower.embed_dim) * tower.embed_dim**-0.5
        )
        self.position_offset = None
        if train_positions:
            if tower.positions is None:
                raise ValueError(
                    f'{encoder.arch} has no position table: set train_positions=False'
                )
            self.position_offset = nn.Parameter(torch.zeros_like(tower.positions))
        self.loss_masks = build_module(loss or dict(type='openvocab.MaskSetLoss'))

    def forward(
        self,
        images: Tensor,
        clip_images: Tensor,
        encoder: CLIPBackbone,
        text: Tensor,
        with_aux: bool = False,
    ) -> list[Proposals]:
        """Propose and name masks.

        Args:
            images: (B, 3, H, W) normalised, sides multiples of the side patch.
            clip_images: The same images in the resolution of CLIP, sides multiples of
                its patch.
            encoder: The backbone that the head was built for.
            text: (K, D) unit rows.
            with_aux: Give the outputs of ``aux_blocks`` too, before the last one. All
                masks are named in one pass.
        """
        tower: TransformerTower = encoder.tower
        wanted = sorted({*self.levels, self.split})
        tokens, grid = tower.first_blocks(clip_images, wanted, self.position_offset)
        tokens = dict(zip(wanted, tokens, strict=True))
        patches = [tokens[level][:, tower.num_prefix_tokens :] for level in self.levels]
        read = (len(self.side.blocks),)
        read = (*self.aux_blocks, *read) if with_aux else read
        outputs = self.side(images, patches, grid, read)
        # the strongest bias among the side patches that one patch of CLIP covers
        bias = torch.cat([_pool(output.bias, grid) for output in outputs], dim=2)
        found = tower.embed_copies(tokens[self.split], grid, self.split, bias)
        scores = self._compare(found, text, encoder.logit_scale)
        return [
            Proposals(part, output.masks)
            for output, part in zip(
                outputs, scores.chunk(len(outputs), dim=1), strict=True
            )
        ]

    def loss(self, proposals: Sequence[Proposals], labels: Tensor) -> dict[str, Tensor]:
        """Compute the losses of all outputs.

        Args:
            proposals: What :meth:`forward` returned with ``with_aux``.
            labels: (B, H, W) int64 below K, ``IGNORED`` or ``HELD_OUT``, over the same
                frame as the masks.
        """
        classes = proposals[-1].scores.shape[-1] - 1
        targets = [class_masks(image, classes) for image in labels]
        names = (*(f'aux{block}.' for block in self.aux_blocks), '')
        losses = {}
        for name, output in zip(names, proposals, strict=True):
            parts = self.loss_masks(*output, targets)
            losses |= {f'{name}{key}': loss for key, loss in parts.items()}
        return losses

    @staticmethod
    def activate(masks: Tensor) -> Tensor:
        """From mask logits to the share of a pixel that belongs to the mask."""
        return masks.sigmoid()

    @staticmethod
    def class_probabilities(scores: Tensor) -> Tensor:
        """Probabilities of classes, (.., K + 1) to (.., K); "no object" takes its own.

        A row sums to less than 1: a query that found nothing adds little anywhere.
        """
        return scores.float().softmax(dim=-1)[..., :-1]

    def _compare(self, found: Tensor, text: Tensor, scale: float) -> Tensor:
        """Logits of embeddings (B, M, D) against classes and "no object"."""
        # cosines times 100: half a precision would leave one or two digits
        with torch.autocast(found.device.type, enabled=False):
            rows = torch.cat([text, F.normalize(self.background.float(), dim=-1)])
            return scale * F.normalize(found.float(), dim=-1) @ rows.T


def checked_tower(encoder: nn.Module) -> TransformerTower:
    """The encoder's tower, if SAN can use it."""
    tower = getattr(encoder, 'tower', None)
    if not isinstance(tower, TransformerTower) or not tower.pools_class_token:
        raise ValueError(
            f'SAN cannot use {getattr(encoder, "arch", type(encoder).__name__)}: it '
            'names masks by copies of a class token, so it needs a ViT or an EVA-CLIP '
            'whose class token is its image embedding (no ResNet, no ConvNeXt)'
        )
    return tower


def _pool(bias: Tensor, grid: tuple[int, int]) -> Tensor:
    """Max-pool (B, H, Q, h, w) to the patches of CLIP, (B, H, Q, L)."""
    pooled = F.adaptive_max_pool2d(bias.flatten(1, 2), grid)
    return pooled.flatten(2).unflatten(1, bias.shape[1:3])
