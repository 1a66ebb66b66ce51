"""CAT-Seg on EVA-CLIP as DeCLIP's authors released it.

The head is that of CAT-Seg. Of the CLIP, queries and values of the image tower and all
projections of the text tower were trained; both towers are in the file, under the names
of EVA-CLIP, whose q, k and v of images are apart from the beginning.

Source: Wang et al., "DeCLIP", CVPR 2025; the branch of its public code for CAT-Seg.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from .adapter import Drop, register_adapter
from .cat_seg import CLIP, HEAD_MARK, HEAD_RULES, MASKS, TEXT, TEXT_KEYS, CATSeg
from .clip_adapter import COMPUTED_TABLES
from .declip import DeCLIP
from .eva_clip import EvaCLIP
from .key_rule import KeyRule, prefixed
from .task_adapter import ENCODER, required_blocks, required_by

_VISUAL = f'{ENCODER}visual.trunk.'
_IMAGE_RULES = tuple(r for r in EvaCLIP.rules if 'visual.' in r.ours)
_CONFIGS = {
    'EVA02-B-16': 'cat_seg/cat_seg_eva02-b16-declip_4xb1-80k_coco-stuff.py',
    'EVA02-L-14-336': 'cat_seg/cat_seg_eva02-l14-336-declip_4xb1-80k_coco-stuff.py',
}


@register_adapter
class CATSegOfDeCLIP(CATSeg):
    """Segmentors on encoders that DeCLIP decoupled, read as these are.

    Files do not say how the last block is read. Released is
    ``CATSeg_DeCLIP_EVA-B_DINOv2-B_csa_0.05_2.0`` alone, whose readout is recorded.
    """

    family = 'cat_seg_declip'
    licence = 'Apache-2.0 (DeCLIP), MIT (CAT-Seg, EVA-CLIP)'
    drops = (
        MASKS,
        *COMPUTED_TABLES,
        Drop(f'{CLIP}logit_scale', 'scales the logits of whole images, used nowhere'),
    )
    rules = (
        *prefixed(_IMAGE_RULES, CLIP, ENCODER),
        KeyRule(f'{CLIP}text.{{rest:.+}}', f'{TEXT}{{rest}}'),
        *HEAD_RULES,
    )
    required = (
        *(ENCODER + key for key in EvaCLIP.required),
        *required_blocks(f'{TEXT}transformer.'),
        *(f'{TEXT}{name}' for name in TEXT_KEYS),
        *required_by(HEAD_RULES),
    )
    marks = (f'{CLIP}visual.blocks.{{i}}.attn.q_proj.weight', HEAD_MARK)
    released = tuple(_CONFIGS)
    readout = DeCLIP(release='DeCLIP_EVA-B_DINOv2-B_csa_0.05_2.0').readout
    patch_key = f'{_VISUAL}patch_embed.proj.weight'

    def encoder_state(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See :meth:`TaskAdapter.encoder_state`; whole, with the factor left out."""
        return super().encoder_state(state) | {'logit_scale': torch.zeros(())}

    def config(self, arch: str, state: Mapping[str, Tensor]) -> str | None:
        """See :meth:`TaskAdapter.config`."""
        return _CONFIGS.get(arch)

    def joint_width(self, state: Mapping[str, Tensor]) -> int:
        """See :meth:`CATSeg.joint_width`."""
        return state[f'{_VISUAL}head.weight'].shape[0]
