"""The record that a frozen encoder leaves in checkpoints, and its check on loading.

Call graph::

    parent.state_dict()      -> freezing._leave_records -> record_to_tensor
    parent.load_state_dict() -> before_load -> init_weights, check_encoder
                             -> after_load  -> fingerprint of the tensors
"""

import json
from typing import TYPE_CHECKING, Any

import torch
from mmengine.logging import MMLogger
from torch import Tensor

from openvocab.converters.checkpoint_file import CheckpointError
from openvocab.models.clip_factory import clip_fingerprint
from openvocab.models.freezing import RECORD_KEY, has_tensors, is_frozen, keep_tensors

from .pretrained import warn_of_readout

if TYPE_CHECKING:
    from .clip_backbone import CLIPBackbone

_DIGITS = 12  # of a sha256, in messages


def record_to_tensor(record: dict[str, Any]) -> Tensor:
    """Write a record as bytes of json.

    Args:
        record: See :meth:`CLIPBackbone.record`.

    Returns:
        (bytes,) uint8, on the CPU.
    """
    text = json.dumps(record, sort_keys=True)
    return torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8)


def record_from_tensor(tensor: Tensor) -> dict[str, Any]:
    """Read what :func:`record_to_tensor` wrote.

    Raises:
        ValueError: It is no such tensor.
    """
    record = json.loads(bytes(tensor.to(torch.uint8).cpu().tolist()).decode())
    if not isinstance(record, dict):
        raise ValueError(f'{record!r} is no record')
    return record


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
    if [record.get(key) for key in ('arch', 'checkpoint')] != [
        own[key] for key in ('arch', 'checkpoint')
    ]:
        path = f'model.{name}'
        raise CheckpointError(
            f'{path}: the checkpoint was trained with the encoder {_describe(record)}, '
            f'this model has {_describe(own)} from {_source(backbone)}.\n'
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
    record = state_dict.pop(prefix + RECORD_KEY, None)
    found = [prefix + key in state_dict for key in backbone.state_dict()]
    if record is not None or not all(found):
        backbone.init_weights()
    if any(found):
        # What a copy or a later init_weights must not replace.
        backbone._is_init = True
        backbone._loads_others = _is_other(backbone, state_dict, prefix)
    if record is not None:
        check_encoder(backbone, _parse(record, name), name)
        if not any(found):
            keep_tensors(backbone, state_dict, prefix)
    elif is_frozen(backbone) and not has_tensors(state_dict, prefix):
        MMLogger.get_current_instance().info(
            f'model.{name}: the checkpoint does not say which encoder it was trained '
            f'with; this model has {_describe(backbone.record())}'
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
    for key, own in backbone.state_dict().items():
        new = state_dict.get(prefix + key, own)
        if new is not own and not torch.equal(new.to(own), own):
            return True
    return False


def _parse(tensor: Tensor, name: str) -> dict[str, Any]:
    try:
        return record_from_tensor(tensor)
    except ValueError as error:
        raise CheckpointError(
            f'checkpoint: {name}.{RECORD_KEY} is damaged ({error})'
        ) from error


def _describe(record: dict[str, Any]) -> str:
    return f'{record.get("arch")} (sha256 {str(record.get("checkpoint"))[:_DIGITS]})'


def _source(backbone: 'CLIPBackbone') -> str:
    if backbone.init_cfg:
        return f'init_cfg {backbone.init_cfg["checkpoint"]}'
    if backbone.checkpoint is None:
        return 'random weights'
    return f'checkpoint {backbone.checkpoint}'
