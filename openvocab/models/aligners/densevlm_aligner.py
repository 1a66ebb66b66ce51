"""DenseVLM: unbiased region-language alignment (paper section 3).

Call graph of ``loss``::

    loss -> fit_images -> student -> pooler -+
         -> fit_images -> teacher -> pooler -+-> criterion <- student_text, teacher_text
"""

from collections.abc import Sequence
from typing import Any

from mmengine.logging import MessageHub
from torch import Tensor, nn

from openvocab.registry import MODELS
from openvocab.structures import RegionDataSample

from ..building import build_module, build_text_bank
from ..dense_map import dense_map
from ..image_fit import fit_images
from ..poolers.roi_pooler import image_index
from ..teachers import DenseTeacher
from .base_aligner import BaseAligner
from .multiscale import ScaleSampler


@MODELS.register_module()
class DenseVLMAligner(BaseAligner):
    """A frozen, region-aware CLIP (P-VLM) teaches another one (U-VLM).

    Regions come from the pipeline (grid cells or proposals); both models pool them
    from their own dense map of the same image, so nothing is cropped.

    Args:
        backbone: The student.
        teacher: A ``DenseTeacher``, an encoder, or a config of either. May have
            another patch, width and family.
        student_text: Text bank of the student's tower, alignment vocabulary. As for
            every text bank here, a config without ``encoder`` takes the right tower.
        teacher_text: Text bank of the teacher's tower, same vocabulary.
        text_bank: Text bank of the student's tower, evaluation vocabulary.
        loss: See ``DecoupledAlignLoss``.
        scales: Longer image sides to choose from at every step (multi-scale option:
            320, 512, 672, 896); None keeps the size of the loader. Each model rounds
            the size down to its own patch. The step is the runner's iteration.
        seed: Of the choice of scales.
        **kwargs: See ``RegionRecognizer``.

    Raises:
        ValueError: If the two alignment vocabularies differ, a text bank does not
            fit its encoder, or the two encoders are normalised differently.
    """

    def __init__(
        self,
        backbone: dict | nn.Module,
        teacher: dict | nn.Module,
        student_text: dict | nn.Module,
        teacher_text: dict | nn.Module,
        text_bank: dict | nn.Module,
        loss: dict | nn.Module = dict(type='openvocab.DecoupledAlignLoss'),  # noqa: B006
        scales: Sequence[int] | None = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(backbone, text_bank, **kwargs)
        teacher = build_module(teacher)
        if not isinstance(teacher, DenseTeacher):
            teacher = DenseTeacher(teacher)
        self.teacher = teacher
        self.student_text = build_text_bank('student_text', student_text, self.student)
        self.teacher_text = build_text_bank(
            'teacher_text', teacher_text, teacher.encoder
        )
        self.criterion = build_module(loss)
        self.scale_sampler = None if scales is None else ScaleSampler(scales, seed)
        self._check_agreement()

    def loss(
        self, inputs: Tensor, data_samples: list[RegionDataSample]
    ) -> dict[str, Tensor]:
        """Computes the alignment loss.

        Args:
            inputs: (B, 3, H, W) normalised images.
            data_samples: One per image, with ``bboxes`` in ``regions``.

        Returns:
            ``loss_align`` and the monitors of ``DecoupledAlignLoss``.
        """
        long_side = self._long_side()
        boxes = self.boxes_of(data_samples)

        encoder = self.teacher.encoder
        fitted = fit_images(inputs, encoder.patch_size, long_side)
        features = self.teacher(fitted.images)
        teacher = self.region_features(features, fitted, boxes, encoder.strides[-1])

        fitted = fit_images(inputs, self.student.patch_size, long_side)
        features = dense_map(self.student, fitted.images)
        stride = self.student.strides[-1]
        student = self.region_features(features, fitted, boxes, stride)

        return self.criterion(
            student,
            teacher,
            self.student_text(),
            self.teacher_text(),
            self.student_text.is_thing,
            image_index([len(box) for box in boxes], inputs.device),
            len(boxes),
        )

    def _long_side(self) -> int | None:
        if self.scale_sampler is None:
            return None
        # the runner's count, which a resumed run takes up again
        return self.scale_sampler(MessageHub.get_current_instance().get_info('iter', 0))

    def _check_agreement(self) -> None:
        ours, theirs = self.student_text.vocabulary, self.teacher_text.vocabulary
        if ours.hash != theirs.hash:
            raise ValueError(
                f'student_text has the vocabulary {ours.name} ({len(ours)} classes), '
                f'teacher_text {theirs.name} ({len(theirs)}); both must be the same'
            )
        student, teacher = self.student, self.teacher.encoder
        statistics = [tuple(m.mean) + tuple(m.std) for m in (student, teacher)]
        if statistics[0] != statistics[1]:
            raise ValueError(
                f'student and teacher share the image tensor, but their mean and std '
                f'differ: {statistics[0]} and {statistics[1]}'
            )
