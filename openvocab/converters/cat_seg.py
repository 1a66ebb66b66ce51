"""CAT-Seg as released: detectron2's ``{'model': {...}}``, ViT-B/16 and ViT-L/14.

Both towers of the CLIP are in the file, because queries and values of both were
trained. Files of the first version, whose decoder a ResNet or a Swin transformer
guides, are of another model and are refused. Those on EVA-CLIP are a family of their
own, :mod:`.cat_seg_eva`.

Source: Cho et al., "CAT-Seg", CVPR 2024; names of the public code.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from openvocab.checkpoints.reading import CheckpointError, state_dict_of, under

from .adapter import Conversion, Drop, register_adapter
from .key_rule import KeyRule, prefixed
from .openai_clip import TEXT_RULES, VIT_RULES
from .task_adapter import (
    REQUIRED_VIT,
    VIT,
    TaskAdapter,
    compare_shapes,
    openai_stem,
    required_blocks,
    required_by,
)
from .tensor_op import Concat, Squeeze

CLIP = 'sem_seg_head.predictor.clip_model.'
TEXT = 'text_bank.text.'
_AGGREGATOR = 'sem_seg_head.predictor.transformer.'
_HEAD = 'decode_head.'
_TEMPLATES_OF_V1 = 80
TEXT_KEYS = (
    'positional_embedding',
    'text_projection',
    'token_embedding.weight',
    'ln_final.weight',
    'ln_final.bias',
)


def _attention(prefix: str) -> KeyRule:
    """Three matrices there, torch's single one in our state dicts."""
    attn = f'{prefix}transformer.resblocks.{{i}}.attn.'
    letters = tuple(f'{attn}{letter}_proj_weight' for letter in 'qkv')
    return KeyRule(letters, f'{attn}in_proj_weight', Concat())


_SPATIAL = {
    'guidance_norm.{p}': 'guidance_norm.{p}',
    'block_1.{norm:norm1|norm2}.{p}': 'blocks.0.{norm}.{p}',
    'block_2.{norm:norm1|norm2}.{p}': 'blocks.1.{norm}.{p}',
    'block_1.attn.{name:q|k|v|proj}.{p}': 'blocks.0.{name}.{p}',
    'block_2.attn.{name:q|k|v|proj}.{p}': 'blocks.1.{name}.{p}',
    'block_1.mlp.fc1.{p}': 'blocks.0.mlp.0.{p}',
    'block_1.mlp.fc2.{p}': 'blocks.0.mlp.2.{p}',
    'block_2.mlp.fc1.{p}': 'blocks.1.mlp.0.{p}',
    'block_2.mlp.fc2.{p}': 'blocks.1.mlp.2.{p}',
}
_CLASSES = {
    'attention.{name:q|k|v}.{p}': '{name}.{p}',
    'MLP.{j:0|2}.{p}': 'mlp.{j}.{p}',
    '{norm:norm1|norm2}.{p}': '{norm}.{p}',
}
_UP = {
    'up.{p}': 'up.{p}',
    'conv.double_conv.0.weight': 'conv1.weight',
    'conv.double_conv.1.{p}': 'norm1.{p}',
    'conv.double_conv.3.weight': 'conv2.weight',
    'conv.double_conv.4.{p}': 'norm2.{p}',
}


def _table(names: dict[str, str], upstream: str, ours: str) -> tuple[KeyRule, ...]:
    return tuple(KeyRule(upstream + a, ours + b) for a, b in names.items())


_LAYER_RULES = (
    *_table(_SPATIAL, 'layers.{i}.swin_block.', 'layers.{i}.spatial.'),
    KeyRule(
        'layers.{i}.attention.padding_tokens',
        'layers.{i}.classes.padding_token',
        Squeeze((0, 1)),
    ),
    KeyRule(
        'layers.{i}.attention.padding_guidance',
        'layers.{i}.classes.padding_guidance',
        Squeeze((0, 1)),
    ),
    *_table(_CLASSES, 'layers.{i}.attention.', 'layers.{i}.classes.'),
)
_AGGREGATOR_RULES = (
    *_LAYER_RULES,
    KeyRule('conv1.{p}', 'embed.{p}'),
    KeyRule('guidance_projection.0.{p}', 'image_guidance.0.{p}'),
    KeyRule('text_guidance_projection.0.{p}', 'text_guidance.0.{p}'),
    KeyRule('decoder_guidance_projection.{i}.0.{p}', 'taps.{i}.project.0.{p}'),
    *_table(_UP, 'decoder1.', 'stages.0.'),
    *_table(_UP, 'decoder2.', 'stages.1.'),
    KeyRule('head.{p}', 'classify.{p}'),
)
HEAD_RULES = (
    *prefixed(_AGGREGATOR_RULES, _AGGREGATOR, _HEAD),
    KeyRule('upsample1.{p}', _HEAD + 'taps.0.up.{p}'),
    KeyRule('upsample2.{p}', _HEAD + 'taps.1.up.{p}'),
)


MASKS = Drop(
    _AGGREGATOR + 'layers.{i}.swin_block.{block:block_[12]}.attn_mask',
    'follows from the size of the map; computed for any size',
)
HEAD_MARK = _AGGREGATOR + 'layers.{i}.swin_block.guidance_norm.weight'


@register_adapter
class CATSeg(TaskAdapter):
    """Segmentors on OpenAI's CLIPs, read with the value of the class residual."""

    family = 'cat_seg'
    licence = 'MIT (CAT-Seg; its CLIP: MIT, OpenAI)'
    drops = (MASKS,)
    rules = (
        *prefixed((_attention('visual.'), *VIT_RULES), CLIP, 'backbone.'),
        *prefixed((_attention(''), *TEXT_RULES), CLIP, TEXT),
        *HEAD_RULES,
    )
    required = (
        *REQUIRED_VIT,
        *required_blocks(f'{TEXT}transformer.'),
        *(f'{TEXT}{name}' for name in (*TEXT_KEYS, 'logit_scale')),
        *required_by(HEAD_RULES),
    )
    marks = (CLIP + 'visual.conv1.weight', HEAD_MARK)
    patch_key: ClassVar[str] = f'{VIT}conv1.weight'
    """Our key of the encoder's patch embedding."""
    released = ('ViT-B-16-quickgelu', 'ViT-L-14-336-quickgelu')
    readout = dict(
        type='ClassResidualReadout',
        residual=True,
        ffn=True,
        attn_scale=None,
        rope=True,
    )

    def from_upstream(self, checkpoint: Mapping[str, Any]) -> Conversion:
        """See :meth:`Adapter.from_upstream`.

        Raises:
            CheckpointError: As there, and for a file of the first version.
        """
        state = state_dict_of(checkpoint)
        cost = state.get(f'{_AGGREGATOR}conv1.weight')
        if any(key.startswith('backbone.') for key in state) or (
            cost is not None and cost.shape[1:2] == (_TEMPLATES_OF_V1,)
        ):
            raise CheckpointError(
                f'{self.family}: a file of the first version of CAT-Seg, which is '
                'another model (a ResNet or a Swin transformer beside the CLIP, 80 '
                'templates); only files of the CVPR 2024 version are understood'
            )
        return super().from_upstream(checkpoint)

    def encoder_state(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See :meth:`TaskAdapter.encoder_state`; both towers."""
        return super().encoder_state(state) | under(state, TEXT)

    def config(self, arch: str, state: Mapping[str, Tensor]) -> str | None:
        """See :meth:`TaskAdapter.config`."""
        if arch not in self.released:
            return None
        return f'cat_seg/cat_seg_{openai_stem(arch)}_4xb1-80k_coco-stuff.py'

    def joint_width(self, state: Mapping[str, Tensor]) -> int:
        """Channels of the joint space of image and text."""
        return state[f'{VIT}proj'].shape[1]

    def wrong_shapes(self, state: Mapping[str, Tensor]) -> Iterator[str]:
        """See :meth:`TaskAdapter.wrong_shapes`."""
        from openvocab.models.decode_heads import CATSegHead

        width, _, patch, _ = state[self.patch_key].shape
        embed_dim = self.joint_width(state)
        layers = {k.split('.')[2] for k in state if k.startswith(f'{_HEAD}layers.')}
        with torch.device('meta'):
            head = CATSegHead(
                [width, width, embed_dim], [patch] * 3, num_layers=len(layers)
            )
        yield from compare_shapes(state, head.state_dict(), _HEAD)
