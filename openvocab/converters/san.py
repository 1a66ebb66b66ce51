"""SAN as released by its authors (detectron2) and by mmseg; ViT-B/16 and ViT-L/14.

Both cut one CLIP in two modules, whose blocks are numbered from 0 each; ours has it in
one piece. Its position table was trained in place there. Ours leaves the encoder as it
is and trains an offset: here the table goes into the encoder and the offset is zero,
which is the same model, exactly.

Source: Xu et al., "Side Adapter Network for Open-Vocabulary Semantic Segmentation",
CVPR 2023; names of the public code and of mmseg's ``SideAdapterCLIPHead``.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar

import torch
from torch import Tensor

from openvocab.checkpoints.reading import CheckpointError

from .adapter import Conversion, Drop, register_adapter
from .key_rule import KeyRule, prefixed
from .task_adapter import (
    REQUIRED_VIT,
    VIT,
    TaskAdapter,
    compare_shapes,
    openai_stem,
    required_by,
)
from .tensor_op import Squeeze, Transpose

_SIDE = 'decode_head.side.'
_POSITIONS = f'{VIT}positional_embedding'
_OFFSET = 'decode_head.position_offset'
_BLOCKS = f'{VIT}transformer.resblocks.'
_TEXT_REASON = 'frozen text tower of CLIP; the text bank has its own'
_LOSS_REASON = 'weights of the loss, which the config states'
_DECODER_RULES = (
    KeyRule(
        'mask_decoder.{mlp:query_mlp|pix_mlp|attn_mlp}.layers.{i}.{p}',
        'mask_decoder.{mlp}.layers.{i}.{p}',
    ),
    KeyRule('mask_decoder.bias_scaling.{p}', 'mask_decoder.bias_scaling.{p}'),
    KeyRule('query_embed', 'query_embed', Squeeze()),
    KeyRule('query_pos_embed', 'query_pos_embed', Squeeze()),
)


class _SplitCLIP(TaskAdapter):
    """A family whose files have CLIP in two modules."""

    first: ClassVar[str]
    """Prefix of the blocks that see no query."""
    last: ClassVar[str]
    """Prefix of the blocks that name masks."""
    first_keys: ClassVar[Mapping[str, str]]
    """Template after the number of one of the first blocks to ours."""
    last_keys: ClassVar[Mapping[str, str]]
    """The same of the last blocks."""
    required = (*REQUIRED_VIT, 'decode_head.background')
    released = ('ViT-B-16-quickgelu', 'ViT-L-14-336-quickgelu')

    def from_upstream(self, checkpoint: Mapping) -> Conversion:
        """See :meth:`Adapter.from_upstream`; adds an offset of zero."""
        conversion = super().from_upstream(checkpoint)
        if _POSITIONS in conversion.state:
            table = conversion.state[_POSITIONS]
            conversion.state[_OFFSET] = torch.zeros_like(table)
        return conversion

    def to_upstream(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See :meth:`Adapter.to_upstream`; adds the offset to the table.

        Raises:
            CheckpointError: As there, and if the state has no encoder, as what was
                trained here has not.
        """
        state = dict(state)
        if _POSITIONS not in state:
            raise CheckpointError(
                f'{self.family}: {_POSITIONS!r} is missing: add the tensors of the '
                "encoder, 'backbone.' before the names of its export_state_dict()"
            )
        offset = state.pop(_OFFSET, None)
        if offset is not None:
            table = state[_POSITIONS]
            # no bit changes where nothing was learned
            state[_POSITIONS] = torch.where(offset == 0, table, table + offset)
        return super().to_upstream(state)

    def rules_for(self, keys: Iterable[str]) -> tuple[KeyRule, ...]:
        """See :meth:`Adapter.rules_for`; numbers the blocks of CLIP.

        Raises:
            CheckpointError: CLIP is cut elsewhere than after three quarters.
        """
        keys = list(keys)
        depth = _count(keys, _BLOCKS)
        split = depth * 3 // 4
        if not depth:
            split = _count(keys, self.first)
            depth = split + _count(keys, self.last)
            if split != depth * 3 // 4:
                raise CheckpointError(
                    f'{self.family}: {split} of the {depth} blocks of CLIP see no '
                    'query, released were three quarters; blocks are missing, or it '
                    'is of another config'
                )
        names = ((self.first, 0, split), (self.last, split, depth))
        tables = (self.first_keys, self.last_keys)
        numbered = tuple(
            KeyRule(f'{prefix}{index - begin}.{a}', f'{_BLOCKS}{index}.{b}')
            for (prefix, begin, end), table in zip(names, tables, strict=True)
            for index in range(begin, end)
            for a, b in table.items()
        )
        return (*numbered, *self.rules)

    def config(self, arch: str, state: Mapping[str, Tensor]) -> str | None:
        """See :meth:`TaskAdapter.config`."""
        if arch not in self.released:
            return None
        return f'san/san_{openai_stem(arch)}_8xb4-60k_coco-stuff.py'

    def wrong_shapes(self, state: Mapping[str, Tensor]) -> Iterator[str]:
        """See :meth:`TaskAdapter.wrong_shapes`."""
        from openvocab.models.decode_heads.side_network import SideNetwork

        width = state[f'{VIT}conv1.weight'].shape[0]
        with torch.device('meta'):
            # heads of CLIP have 64 channels
            side = SideNetwork(width, width // 64)
        yield from compare_shapes(state, side.state_dict(), _SIDE)


def _count(keys: Iterable[str], prefix: str) -> int:
    """Number of blocks under a prefix, by the largest index."""
    inside = (key[len(prefix) :] for key in keys if key.startswith(prefix))
    numbers = (rest.partition('.')[0] for rest in inside)
    # a mutilated key must not make a table of millions of rules
    return 1 + max(
        (int(n) for n in numbers if n.isdecimal() and len(n) < 4), default=-1
    )


_SIDE_RULES = (
    *_DECODER_RULES,
    KeyRule('vit_model.pos_embed', 'pos_embed', Squeeze()),
    KeyRule('vit_model.patch_embed.proj.{p}', 'patch_embed.{p}'),
    KeyRule(
        'vit_model.blocks.{i}.{name:norm1|norm2|attn.qkv|attn.proj|mlp.fc1|mlp.fc2}.{p}',
        'blocks.{i}.{name}.{p}',
    ),
    KeyRule('fusion_layers.layer_{i}.input_proj.0.{p}', 'fusion.{i}.0.{p}'),
    KeyRule(
        'fusion_layers.layer_{i}.input_proj.1.weight',
        'fusion.{i}.1.weight',
        Squeeze((2, 3)),
    ),
    KeyRule('fusion_layers.layer_{i}.input_proj.1.bias', 'fusion.{i}.1.bias'),
)
_RULES = prefixed(_SIDE_RULES, 'side_adapter_network.', _SIDE)


@register_adapter
class SAN(_SplitCLIP):
    """The authors' files."""

    family = 'san'
    licence = 'MIT (SAN; its CLIP: MIT, OpenAI)'
    first, last = 'clip_visual_extractor.resblocks.', 'clip_rec_head.resblocks.'
    first_keys = last_keys = {'{rest:.+}': '{rest}'}
    drops = (
        Drop('ov_classifier.{rest:(?!bg_embed$).+}', _TEXT_REASON),
        Drop('criterion.{rest:.+}', _LOSS_REASON),
    )
    rules = (
        *_RULES,
        KeyRule('ov_classifier.bg_embed', 'decode_head.background'),
        KeyRule('clip_visual_extractor.conv1.weight', f'{VIT}conv1.weight'),
        KeyRule(
            'clip_visual_extractor.{name:class_embedding|positional_embedding}',
            f'{VIT}{{name}}',
        ),
        KeyRule('clip_visual_extractor.ln_pre.{p}', f'{VIT}ln_pre.{{p}}'),
        KeyRule('clip_rec_head.ln_post.{p}', f'{VIT}ln_post.{{p}}'),
        KeyRule('clip_rec_head.proj', f'{VIT}proj'),
    )
    required = (*_SplitCLIP.required, *required_by(_RULES))
    marks = ('side_adapter_network.vit_model.pos_embed', 'clip_rec_head.proj')


_MMSEG_SIDE_RULES = (
    *_DECODER_RULES,
    KeyRule('pos_embed', 'pos_embed', Squeeze()),
    KeyRule('patch_embed.projection.{p}', 'patch_embed.{p}'),
    KeyRule('encode_layers.{i}.ln1.{p}', 'blocks.{i}.norm1.{p}'),
    KeyRule('encode_layers.{i}.ln2.{p}', 'blocks.{i}.norm2.{p}'),
    KeyRule('encode_layers.{i}.attn.attn.in_proj_{p}', 'blocks.{i}.attn.qkv.{p}'),
    KeyRule('encode_layers.{i}.attn.attn.out_proj.{p}', 'blocks.{i}.attn.proj.{p}'),
    KeyRule('encode_layers.{i}.ffn.layers.0.0.{p}', 'blocks.{i}.mlp.fc1.{p}'),
    KeyRule('encode_layers.{i}.ffn.layers.1.{p}', 'blocks.{i}.mlp.fc2.{p}'),
    KeyRule('conv_clips.{i}.0.{p}', 'fusion.{i}.0.{p}'),
    KeyRule('conv_clips.{i}.1.conv.weight', 'fusion.{i}.1.weight', Squeeze((2, 3))),
    KeyRule('conv_clips.{i}.1.conv.bias', 'fusion.{i}.1.bias'),
)
_MMSEG_RULES = prefixed(_MMSEG_SIDE_RULES, 'decode_head.side_adapter_network.', _SIDE)


def _mmseg_block(
    norms: tuple[str, str], attention: str, feed_forward: str
) -> dict[str, str]:
    return {
        f'{norms[0]}.{{p}}': 'ln_1.{p}',
        f'{norms[1]}.{{p}}': 'ln_2.{p}',
        f'{attention}.in_proj_{{p}}': 'attn.in_proj_{p}',
        f'{attention}.out_proj.{{p}}': 'attn.out_proj.{p}',
        f'{feed_forward}.layers.0.0.{{p}}': 'mlp.c_fc.{p}',
        f'{feed_forward}.layers.1.{{p}}': 'mlp.c_proj.{p}',
    }


@register_adapter
class SANOfMMSeg(_SplitCLIP):
    """mmseg's files: what it trained, and what its ``san2mmseg.py`` made."""

    family = 'san_mmseg'
    licence = 'Apache-2.0 (mmsegmentation; its CLIP: MIT, OpenAI)'
    first = 'image_encoder.layers.'
    last = 'decode_head.rec_with_attnbias.layers.'
    first_keys = _mmseg_block(('ln1', 'ln2'), 'attn.attn', 'ffn')
    last_keys = _mmseg_block(('norms.0', 'norms.1'), 'attentions.0.attn', 'ffns.0')
    drops = (
        Drop('text_encoder.{rest:(?!bg_embed$).+}', _TEXT_REASON),
        Drop('criterion.{rest:.+}', _LOSS_REASON),
    )
    rules = (
        *_MMSEG_RULES,
        KeyRule('text_encoder.bg_embed', 'decode_head.background'),
        KeyRule('image_encoder.cls_token', f'{VIT}class_embedding', Squeeze((0, 1))),
        KeyRule('image_encoder.pos_embed', _POSITIONS, Squeeze()),
        KeyRule('image_encoder.patch_embed.projection.weight', f'{VIT}conv1.weight'),
        KeyRule('image_encoder.ln_pre.{p}', f'{VIT}ln_pre.{{p}}'),
        KeyRule('decode_head.rec_with_attnbias.ln_post.{p}', f'{VIT}ln_post.{{p}}'),
        KeyRule('decode_head.rec_with_attnbias.proj.weight', f'{VIT}proj', Transpose()),
    )
    required = (*_SplitCLIP.required, *required_by(_MMSEG_RULES))
    marks = (
        'decode_head.side_adapter_network.pos_embed',
        'decode_head.rec_with_attnbias.proj.weight',
    )
