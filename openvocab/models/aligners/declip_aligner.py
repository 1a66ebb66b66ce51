"""DeCLIP: crops teach what a token says, a VFM teaches which tokens belong together.

Wang et al., "DeCLIP: Decoupled Learning for Open-Vocabulary Dense Perception",
CVPR 2025, section 3. Call graph of ``loss``::

    loss -> fit_images -> context (student) -+-> dense map -> crop_loss  (content)
                                             +-> Q, K ------> context_loss
         -> features_on_grid (VFM) -------------------------> context_loss
"""

from typing import Any

from einops import rearrange
from torch import Tensor, nn

from openvocab.registry import MODELS, TASK_UTILS
from openvocab.structures import RegionDataSample

from ..building import build_module
from ..image_fit import fit_images
from ..teachers import VFMTeacher, features_on_grid
from .clipself_aligner import CLIPSelfAligner
from .context_source import ContextSource
from .valid_tokens import valid_tokens


@MODELS.register_module()
class DeCLIPAligner(CLIPSelfAligner):
    """CLIPSelf on the attended map, and a VFM's self-correlations on what attends.

    Both terms come from one forward pass of the student. The VFM sees the same
    letter-boxed picture, resized to the student's number of tokens times its own patch
    (560 px and a patch of 16 are 35 tokens, for DINOv2 490 px), under its own mean and
    standard deviation.

    Args:
        backbone: The student, read out by ``openvocab.SelfSelfReadout``: preset
            ``openvocab.DeCLIP``.
        text_bank: Text rows for ``predict``; the loss uses no text.
        vfm: A ``VFMTeacher`` or its config: ``openvocab.DINOv2`` (published default),
            ``openvocab.DINO``, ``openvocab.SAMEncoder``, ``openvocab.TimmViT``.
        context: A ``ContextSource`` or its config; published is
            ``openvocab.DecoupledContext``, ``openvocab.CoupledContext`` the ablation.
        context_loss: See ``ContextDistillLoss``; its ``loss_weight`` is lambda.
        mask_padding: Leave the tokens of the padding out of the context term. The
            published recipe has them in: about a quarter of the rows of a 4:3 picture.
        **kwargs: See ``CLIPSelfAligner``: ``teacher``, by default the frozen original,
            and ``loss``, the content term.

    Raises:
        ValueError: If the readout compares nothing, or, at the first step, if the
            VFM's grid is not the student's.
    """

    def __init__(
        self,
        backbone: dict | nn.Module,
        text_bank: dict | nn.Module,
        vfm: dict | VFMTeacher,
        context: dict | ContextSource = dict(type='openvocab.DecoupledContext'),  # noqa: B006
        context_loss: dict | nn.Module = dict(type='openvocab.ContextDistillLoss'),  # noqa: B006
        mask_padding: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(backbone, text_bank, **kwargs)
        self.vfm = build_module(vfm)
        self.context: ContextSource = build_module(context, TASK_UTILS)
        self.context.check(self.student)
        self.context_criterion = build_module(context_loss)
        self.mask_padding = mask_padding

    def loss(
        self, inputs: Tensor, data_samples: list[RegionDataSample]
    ) -> dict[str, Tensor]:
        """Computes both distillation losses.

        Args:
            inputs: (B, 3, H, W) normalised images.
            data_samples: One per image, with ``bboxes``, ``crops`` and
                ``crop_valid`` in ``regions``; with ``mask_padding`` their metainfo
                has ``img_shape``, the picture without its padding.

        Returns:
            ``loss_distill`` (content) and ``loss_context``.
        """
        fitted = fit_images(inputs, self.student.patch_size)
        features, compared = self.context(self.student, fitted.images)
        grid = tuple(features.shape[-2:])
        target = features_on_grid(
            self.vfm, inputs, self.student.mean, self.student.std, grid
        )
        valid = None
        if self.mask_padding:
            shapes = [sample.img_shape for sample in data_samples]
            valid = valid_tokens(shapes, inputs.shape[-2:], grid, inputs.device)
        target = rearrange(target, 'b c h w -> b (h w) c')
        return {
            **self.crop_loss(features, fitted, data_samples),
            **self.context_criterion(compared, target, valid),
        }
