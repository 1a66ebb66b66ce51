"""The record that a frozen encoder leaves in checkpoints, and its check on loading.

Call graph::

    parent.state_dict()      -> freezing._leave_records -> records.record_to_tensor
    parent.load_state_dict() -> before_load -> init_weights, check_encoder
                             -> after_load  -> fingerprint of the tensors
"""

from typing import TYPE_CHECKING, Any

import torch
from mmengine.logging import MMLogger
from torch import Tensor

from openvocab.checkpoints.reading import CheckpointError
from openvocab.models.clip_factory import clip_fingerprint
from openvocab.models.freezing import (
    has_tensors,
    is_frozen,
    is_record,
    keep_tensors,
)
from openvocab.models.records import describe_record, pop_record, same_weights

from .pretrained import warn_of_readout

if TYPE_CHECKING:
    from .clip_backbone import CLIPBackbone


def check_on_load(backbone: 'CLIPBackbone') -> None:
    """Make a backbone verify the record in a state dict that a parent loads.

    - A record is compared with the backbone (:func:`check_encoder`); the backbone keeps
      its own tensors. An ``init_cfg`` that was not applied yet is applied before:
      mmdet's ``init_detector`` loads checkpoints without ``init_weights``.
    - Without a record and without tensors, a frozen backbone keeps its own and says so.
    - Tensors are loaded, and become what a frozen backbone is known by.

    Args:
        backbone: The backbone; called once, at construction.
    """
    backbone._register_load_state_dict_pre_hook(_before_load, with_module=True)
    backbone.register_load_state_dict_post_hook(_after_load)


def check_encoder(backbone: 'CLIPBackbone', record: dict[str, Any], name: str) -> None:
    """Compare the encoder that a model was trained with with the one that it has.

    Args:
        backbone: The encoder that it has.
        record: Of the encoder that it was trained with. Another readout is worth a
            warning.
        name: Where the backbone sits in the model, for the messages.

    Raises:
        CheckpointError: Another architecture or other weights.
    """
    own = backbone.record()
    if not same_weights(record, own):
        path = f'model.{name}'
        raise CheckpointError(
            f'{path}: the checkpoint was trained with the encoder '
            f'{describe_record(record)}, this model has {describe_record(own)} from '
            f'{_source(backbone)}.\n'
            f'Set {path}.checkpoint or {path}.init_cfg to the file of the encoder that '
            "it was trained with (mmdet's init_detector drops init_cfg unless it gets "
            'cfg_options).'
        )
    if record.get('readout') != own['readout']:
        warn_of_readout(
            f'the checkpoint of model.{name}', record.get('readout'), backbone.readout
        )


def _before_load(
    backbone: 'CLIPBackbone', state_dict: dict[str, Any], prefix: str, *args: Any
) -> None:
    name = prefix.removeprefix('module.').removesuffix('.') or 'backbone'
    record = pop_record(state_dict, prefix)
    found = [prefix + key in state_dict for key in _tensors(backbone)]
    if record is not None or not all(found):
        backbone.init_weights()
    if any(found):
        # What a copy or a later init_weights must not replace.
        backbone._is_init = True
        backbone._loads_others = _is_other(backbone, state_dict, prefix)
    if record is not None:
        check_encoder(backbone, record, name)
        if not any(found):
            keep_tensors(backbone, state_dict, prefix)
    elif is_frozen(backbone) and not has_tensors(state_dict, prefix):
        MMLogger.get_current_instance().info(
            f'model.{name}: the checkpoint does not say which encoder it was trained '
            f'with; this model has {describe_record(backbone.record())}'
        )


def _after_load(backbone: 'CLIPBackbone', incompatible_keys: Any) -> None:
    if backbone.__dict__.pop('_loads_others', False):
        backbone.fingerprint = clip_fingerprint(backbone.arch, None, backbone.visual)


def _is_other(
    backbone: 'CLIPBackbone', state_dict: dict[str, Any], prefix: str
) -> bool:
    """Whether a state dict replaces weights of an encoder that does not train."""
    # One that trains is known by the weights that training began with.
    if any(parameter.requires_grad for parameter in backbone.parameters()):
        return False
    for key, own in _tensors(backbone).items():
        new = state_dict.get(prefix + key, own)
        if new is not own and not torch.equal(new.to(own), own):
            return True
    return False


def _tensors(backbone: 'CLIPBackbone') -> dict[str, Tensor]:
    """Its state dict, less the records of frozen modules within it."""
    return {k: v for k, v in backbone.state_dict().items() if not is_record(k)}


def _source(backbone: 'CLIPBackbone') -> str:
    if backbone.init_cfg:
        return f'init_cfg {backbone.init_cfg["checkpoint"]}'
    if backbone.checkpoint is None:
        return 'random weights'
    return f'checkpoint {backbone.checkpoint}'
