"""Writing an aligned encoder to one file that any downstream config can load."""

from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from openvocab.checkpoints.key_check import check_keys
from openvocab.checkpoints.writing import write_safetensors
from openvocab.models.clip_factory import (
    clip_fingerprint,
    create_image_tower,
    image_tower_state,
)

if TYPE_CHECKING:
    from .clip_backbone import CLIPBackbone


def save_encoder(
    backbone: 'CLIPBackbone',
    path: str | Path,
    alpha: float = 1.0,
    original: 'CLIPBackbone | dict[str, Tensor] | None' = None,
) -> str:
    """Write a backbone's image tower to a safetensors file, atomically.

    The file holds ``alpha * student + (1 - alpha) * original`` (weight-space
    interpolation) under open_clip's names, ``logit_scale``, and a json record:
    architecture, readout, alpha and the sha256 of the weights that training began with.
    ``init_cfg=dict(type='Pretrained', checkpoint=path)`` and ``create_image_tower``
    load it.

    Args:
        backbone: The trained backbone (the student).
        path: File to write, ends with ``.safetensors``; folders are made.
        alpha: Share of the student, 0 to 1; 1 is the student and 0 the original,
            exactly.
        original: The backbone before training, or its ``export_state_dict()``; by
            default built anew from the student's ``checkpoint``. Unused at ``alpha=1``.

    Returns:
        Sha256 of the file.

    Raises:
        ValueError: ``alpha`` or the suffix is wrong, the original is of another
            architecture, or there is none (random initial weights).

    Source: Wortsman et al., "Robust fine-tuning of zero-shot models" (WiSE-FT),
    CVPR 2022; CLIPSelf and DenseVLM export this way.
    """
    if not 0.0 <= alpha <= 1.0:
        raise ValueError(f'alpha={alpha} is not between 0 and 1')
    state = backbone.export_state_dict()
    if alpha < 1.0:
        state = _interpolate(
            state, _original(backbone, original), alpha, path, backbone
        )
    return write_safetensors(path, state, dict(backbone.record(), alpha=alpha))


def _original(
    backbone: 'CLIPBackbone', original: 'CLIPBackbone | dict[str, Tensor] | None'
) -> dict[str, Tensor]:
    if isinstance(original, dict):
        return original
    if original is not None:
        return original.export_state_dict()
    if backbone.checkpoint is None:
        raise ValueError(
            f'{backbone.arch} began with random weights: alpha < 1 needs `original`'
        )
    tower = create_image_tower(backbone.arch, backbone.checkpoint)
    if clip_fingerprint(backbone.arch, backbone.checkpoint) != backbone.fingerprint:
        raise ValueError(
            f'{backbone.checkpoint} is not what training began with (init_cfg loaded '
            'other weights): alpha < 1 needs `original`'
        )
    return image_tower_state(*tower)


def _interpolate(
    student: dict[str, Tensor],
    original: dict[str, Tensor],
    alpha: float,
    path: str | Path,
    backbone: 'CLIPBackbone',
) -> dict[str, Tensor]:
    check_keys(original, student, f'given as original for {path}', backbone.arch)
    original = {key: value.to(student[key].device) for key, value in original.items()}
    if alpha == 0.0:
        return original
    return {
        key: alpha * value + (1.0 - alpha) * original[key]
        if value.is_floating_point()
        else original[key]
        for key, value in student.items()
    }
