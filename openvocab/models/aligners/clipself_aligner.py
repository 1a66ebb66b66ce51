"""CLIPSelf: a CLIP learns its own crop embeddings from its dense map.

Wu et al., "CLIPSelf: Vision Transformer Distills Itself for Open-Vocabulary Dense
Prediction", ICLR 2024, section 3.2.
"""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from openvocab.registry import MODELS
from openvocab.structures import RegionDataSample

from ..building import build_module
from ..dense_map import dense_map
from ..image_fit import FittedImages, fit_images
from ..recognizers.image_preprocessor import normalize_crops
from ..teachers import CropTeacher
from .base_aligner import BaseAligner


@MODELS.register_module()
class CLIPSelfAligner(BaseAligner):
    """Distils image embeddings of region crops into pooled region features.

    Regions come from the pipeline (grid cells or proposals), with their crops.

    Args:
        backbone: The student.
        text_bank: Text rows for ``predict``; the loss uses no text.
        teacher: A ``CropTeacher``, an encoder, or a config of either. None: a frozen
            copy of the student as it was built.
        loss: Distance of features.
        **kwargs: See ``RegionRecognizer``.

    Raises:
        ValueError: If teacher and student differ in width.
    """

    def __init__(
        self,
        backbone: dict | nn.Module,
        text_bank: dict | nn.Module,
        teacher: dict | nn.Module | None = None,
        loss: dict | nn.Module = dict(type='openvocab.CosineDistillLoss'),  # noqa: B006
        **kwargs: Any,
    ) -> None:
        backbone = build_module(backbone)
        if teacher is None:
            teacher = copy.deepcopy(backbone)
            teacher.init_cfg = None  # what the student starts from is no target
        super().__init__(backbone, text_bank, **kwargs)
        teacher = build_module(teacher)
        if not isinstance(teacher, CropTeacher):
            teacher = CropTeacher(teacher)
        self.teacher = teacher
        self.criterion = build_module(loss)
        if teacher.embed_dim != backbone.embed_dim:
            raise ValueError(
                f'teacher width {teacher.embed_dim} differs from the '
                f'student width {backbone.embed_dim}; CLIPSelf needs one joint space'
            )

    def loss(
        self, inputs: Tensor, data_samples: list[RegionDataSample]
    ) -> dict[str, Tensor]:
        """Computes the distillation loss.

        Args:
            inputs: (B, 3, H, W) normalised images.
            data_samples: One per image, with ``bboxes``, ``crops`` and
                ``crop_valid`` in ``regions``.

        Returns:
            ``loss_distill``.
        """
        fitted = fit_images(inputs, self.student.patch_size)
        features = dense_map(self.student, fitted.images)
        return self.crop_loss(features, fitted, data_samples)

    def crop_loss(
        self,
        features: Tensor,
        fitted: FittedImages,
        data_samples: list[RegionDataSample],
    ) -> dict[str, Tensor]:
        """Compares regions of a dense map with the teacher's view of their crops.

        Args:
            features: (B, D, h, w) dense map of the student.
            fitted: The images that it was computed from.
            data_samples: See :meth:`loss`.

        Returns:
            ``loss_distill``.
        """
        student = self.region_features(
            features, fitted, self.boxes_of(data_samples), self.student.strides[-1]
        )
        crops = torch.cat([sample.regions.crops for sample in data_samples])
        valid = torch.cat([sample.regions.crop_valid for sample in data_samples])
        teacher = self.teacher(self._normalize(crops))
        return self.criterion(student, teacher, valid)

    def _normalize(self, crops: Tensor) -> Tensor:
        if len(crops) == 0:
            return crops.float()
        return normalize_crops(crops, self.data_preprocessor)
