"""F-ViT detectors as released with CLIPSelf: mmdet 2.x, EVA-02-CLIP B/16 and L/14.

The frozen encoder is in the file, whichever alignment it went through, with the names
of EVA-CLIP. Its classifier is text: the rows of the classes that it was trained on are
left out, and the linear layer that mmdet builds and the public code never calls.

A learned background (``bg_embedding``) is in no released file; its key is unknown.

Source: Wu et al., "CLIPSelf", ICLR 2024; names of the public code and of mmdet 2.28.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from .adapter import Drop, register_adapter
from .clip_adapter import COMPUTED_TABLES, unchanged
from .clipself import CLIPSelf
from .eva_clip import EvaCLIP
from .key_rule import KeyRule, prefixed
from .task_adapter import ENCODER, TaskAdapter

_BOX = 'roi_head.bbox_head.'
_MASK = 'roi_head.mask_head.'
_NORM = ('weight', 'bias', 'running_mean', 'running_var')
_NEVER_CALLED = 'built by mmdet, never called'
# The statistics of ImageNet, not of CLIP.
_MEAN = [123.675 / 255, 116.28 / 255, 103.53 / 255]
_STD = [58.395 / 255, 57.12 / 255, 57.375 / 255]


def _conv(prefix: str) -> tuple[str, ...]:
    """Required keys of a convolution with a norm."""
    return (f'{prefix}.conv.weight', *(f'{prefix}.bn.{name}' for name in _NORM))


def _plain(*prefixes: str) -> tuple[str, ...]:
    """Required keys of layers without a norm."""
    return tuple(f'{prefix}.{p}' for prefix in prefixes for p in ('weight', 'bias'))


@register_adapter
class FViT(TaskAdapter):
    """OV-COCO (boxes) and OV-LVIS (boxes and masks) detectors."""

    family = 'fvit'
    licence = 'S-Lab License 1.0, non-commercial (CLIPSelf)'
    drops = (
        *COMPUTED_TABLES,
        Drop(
            _BOX + 'all_embeddings',
            'text rows of the classes of training; the text bank computes any',
        ),
        Drop(_BOX + 'fc_cls.{p:weight|bias}', _NEVER_CALLED),
    )
    rules = (
        *prefixed(
            [r for r in EvaCLIP.rules if str(r.upstream).startswith('visual.')],
            ENCODER,
            ENCODER,
        ),
        KeyRule('backbone.interpolate1.{i:0|1|3}.{p}', 'pyramid.layers.0.{i}.{p}'),
        KeyRule('backbone.interpolate2.0.{p}', 'pyramid.layers.1.{p}'),
        KeyRule(_BOX + 'detect_temperature', _BOX + 'fc_cls.temperature'),
        *unchanged(
            'neck.{convs:lateral_convs|fpn_convs}.{i}.{layer:conv|bn}.{p}',
            'rpn_head.rpn_conv.{i}.{layer:conv|bn}.{p}',
            'rpn_head.{name:rpn_cls|rpn_reg}.{p}',
            _BOX + 'shared_convs.{i}.{layer:conv|bn}.{p}',
            _BOX + '{fcs:shared_fcs|cls_fcs|reg_fcs}.{i}.{p}',
            _BOX + 'fc_reg.{p}',
            _MASK + 'convs.{i}.{layer:conv|bn}.{p}',
            _MASK + '{name:upsample|conv_logits}.{p}',
        ),
    )
    required = (
        *(ENCODER + key for key in EvaCLIP.required),
        *_plain('pyramid.layers.0.0', 'pyramid.layers.0.3', 'pyramid.layers.1'),
        *(f'pyramid.layers.0.1.{name}' for name in _NORM),
        *_conv('neck.lateral_convs.{i}'),
        *_conv('neck.fpn_convs.{i}'),
        'rpn_head.rpn_conv.{i}.conv.weight',
        *_plain('rpn_head.rpn_cls', 'rpn_head.rpn_reg'),
        *_conv(_BOX + 'shared_convs.{i}'),
        *_plain(*(f'{_BOX}{n}.{{i}}' for n in ('shared_fcs', 'cls_fcs', 'reg_fcs'))),
        *_plain(_BOX + 'fc_reg'),
        _BOX + 'fc_cls.temperature',
    )
    mask_required = (
        *_conv(_MASK + 'convs.{i}'),
        *_plain(_MASK + 'upsample', _MASK + 'conv_logits'),
    )
    """Those of a detector with masks, beside ``required``."""
    marks = (
        'backbone.visual.blocks.{i}.{rest:.+}',
        'backbone.interpolate1.{i}.{rest:.+}',
        _BOX + '{rest:.+}',
    )
    released = ('EVA02-B-16', 'EVA02-L-14-336')
    readout = CLIPSelf.readout

    def required_for(self, state: Mapping[str, Tensor]) -> tuple[str, ...]:
        """See :meth:`Adapter.required_for`."""
        norm = 'rpn_head.rpn_conv.{i}.'
        rpn = _plain(norm + 'conv')
        if any(k.startswith('rpn_head.') and '.bn.' in k for k in state):
            rpn = _conv(norm.removesuffix('.'))
        masks = self.mask_required if _has_masks(state) else ()
        return (*self.required, *rpn, *masks)

    def metadata(
        self, checkpoint: Mapping[str, Any], state: Mapping[str, Tensor]
    ) -> dict[str, Any]:
        """See :meth:`Adapter.metadata`; mean and std are those of ImageNet."""
        return dict(super().metadata(checkpoint, state), mean=_MEAN, std=_STD)

    def config(self, arch: str, state: Mapping[str, Tensor]) -> str | None:
        """See :meth:`TaskAdapter.config`."""
        if arch not in self.released:
            return None
        data = '48e_ov-lvis' if _has_masks(state) else '3e_ov-coco'
        stem = arch.lower().replace('-b-', '-b').replace('-l-', '-l')
        return f'fvit/fvit_{stem}_8xb8-{data}.py'

    def wrong_shapes(self, state: Mapping[str, Tensor]) -> Iterator[str]:
        """See :meth:`TaskAdapter.wrong_shapes`; what must fit the encoder."""
        width = state['backbone.visual.trunk.cls_token'].shape[-1]
        joint = state['backbone.visual.trunk.head.weight'].shape[0]
        laterals = (f'neck.lateral_convs.{i}.conv.weight' for i in range(4))
        wanted = {
            'pyramid.layers.0.0.weight': (width, width, 2, 2),
            'pyramid.layers.0.1.weight': (width,),
            'pyramid.layers.0.3.weight': (width, width, 2, 2),
            'pyramid.layers.1.weight': (width, width, 2, 2),
            **dict.fromkeys(laterals, (256, width, 1, 1)),
            'rpn_head.rpn_cls.weight': (3, 256, 1, 1),
            'rpn_head.rpn_reg.weight': (12, 256, 1, 1),
            f'{_BOX}shared_fcs.0.weight': (joint, 256 * 7 * 7),
            f'{_BOX}cls_fcs.0.weight': (joint, joint),
            f'{_BOX}fc_reg.weight': (4, joint),
            f'{_MASK}conv_logits.weight': (1, 256, 1, 1),
        }
        for key, shape in wanted.items():
            if key in state and tuple(state[key].shape) != shape:
                found = tuple(state[key].shape)
                yield f'{key!r} has shape {found}, expected {shape}'


def _has_masks(state: Mapping[str, Tensor]) -> bool:
    return any(key.startswith(_MASK) for key in state)
