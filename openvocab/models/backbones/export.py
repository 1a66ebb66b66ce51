"""Writing an aligned encoder to one file that any downstream config can load."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import save_file
from torch import Tensor

from openvocab.converters.checkpoint_file import METADATA_KEY, checkpoint_sha256
from openvocab.converters.open_clip_keys import check_keys
from openvocab.fileio import atomic_path
from openvocab.models.clip_factory import clip_fingerprint, create_image_tower

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
    path = Path(path)
    if path.suffix != '.safetensors':
        raise ValueError(f'{path}: an encoder is written to a .safetensors file')
    if not 0.0 <= alpha <= 1.0:
        raise ValueError(f'alpha={alpha} is not between 0 and 1')
    state = backbone.export_state_dict()
    if alpha < 1.0:
        state = _interpolate(
            state, _original(backbone, original), alpha, path, backbone
        )
    record = dict(backbone.record(), alpha=alpha)
    tensors = {k: v.detach().cpu().contiguous().clone() for k, v in state.items()}
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata={METADATA_KEY: json.dumps(record)})
    return checkpoint_sha256(path)


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
    visual, scale = create_image_tower(backbone.arch, backbone.checkpoint)
    if clip_fingerprint(backbone.arch, backbone.checkpoint) != backbone.fingerprint:
        raise ValueError(
            f'{backbone.checkpoint} is not what training began with (init_cfg loaded '
            'other weights): alpha < 1 needs `original`'
        )
    state = {f'visual.{key}': value for key, value in visual.state_dict().items()}
    return {**state, 'logit_scale': torch.tensor(math.log(scale))}


def _interpolate(
    student: dict[str, Tensor],
    original: dict[str, Tensor],
    alpha: float,
    path: Path,
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
