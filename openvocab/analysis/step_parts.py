"""Which part of a step a piece of a model belongs to.

Nothing in a model knows that it is timed: its methods are wrapped on the instance and
restored afterwards.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from inspect import ismethod
from typing import Any

import torch
from mmengine.optim import OptimWrapperDict
from torch import Tensor, nn

from openvocab.by_base_class import by_base_class

from .timing import BACKWARD, StepTimer

STUDENT = 'student'

Parts = Mapping[str, tuple[str, ...]]

# Part -> attributes of a model, dotted: submodules, or methods. Children that no part
# names become parts of their own (neck, rpn_head, decode_head, ...).
PARTS: Parts = {
    'preprocess': ('data_preprocessor',),
    STUDENT: ('backbone',),
    'teacher': ('teacher',),
    'pooling': ('region_features', 'pooler', 'mask_pooler'),
    'loss': ('criterion',),
    'text': ('student_text', 'teacher_text', 'text_bank'),
    'classify': ('classify',),
}
# Models on an encoder that nobody teaches.
_TASK_PARTS: Parts = {
    'preprocess': ('data_preprocessor',),
    'backbone': ('backbone',),
    'text': ('text_bank',),
    # what grows with the number of classes
    'classify': ('roi_head.bbox_head.fc_cls', 'roi_head.bbox_head.fuse'),
    'box suppression': ('roi_head.bbox_head.predict_by_feat',),
}
# Base class -> parts, by name: neither mmdet nor mmseg is needed to time an alignment.
PARTS_OF: Mapping[str, Parts] = {
    'BaseDetector': _TASK_PARTS,
    'BaseSegmentor': _TASK_PARTS,
}

# How a model calls its submodules (`module(...)` calls forward).
ENTRY_POINTS = ('forward', 'encode_image', 'loss', 'predict', 'loss_and_predict')

_OPTIMIZER_PARTS = {BACKWARD: ('backward',), 'optimizer': ('step', 'zero_grad')}


@contextmanager
def attach(
    timer: StepTimer,
    model: nn.Module,
    optim_wrapper: object | None = None,
    parts: Parts | None = None,
) -> Iterator[None]:
    """Lets a timer see the parts of a model while the block runs.

    Args:
        timer: Told when a part begins and ends.
        model: An mmengine model; its code and its state stay as they are.
        optim_wrapper: mmengine's ``OptimWrapper`` (or ``OptimWrapperDict``), for the
            parts backward and optimizer.
        parts: Part -> attribute names of ``model``; names it lacks are skipped. By
            default those of its kind.
    """
    if parts is None:
        parts = parts_of(model)
    undo: list[tuple[object, str]] = []
    try:
        for owner, method, part in _targets(model, parts):
            _wrap(timer, owner, method, part)
            undo.append((owner, method))
        for wrapper in _single_wrappers(optim_wrapper):
            for part, methods in _OPTIMIZER_PARTS.items():
                for method in methods:
                    _wrap(timer, wrapper, method, part)
                    undo.append((wrapper, method))
        yield
    finally:
        for owner, method in undo:
            delattr(owner, method)


def parts_of(model: nn.Module) -> Parts:
    """Parts of a model's kind: of the first base class that has any."""
    return by_base_class(PARTS_OF, model) or PARTS


def _targets(model: nn.Module, parts: Parts) -> Iterator[tuple[object, str, str]]:
    """Yields owner, method, part; every method once."""
    named = {name for names in parts.values() for name in names}
    own = {name: (name,) for name, _ in model.named_children() if name not in named}
    seen: set[tuple[int, str]] = set()
    for part, names in {**parts, **own}.items():
        for name in names:
            owner, value = _resolve(model, name)
            if isinstance(value, nn.Module):
                found = [(value, m) for m in ENTRY_POINTS if _overrides(value, m)]
            else:
                found = [(owner, name.split('.')[-1])] if ismethod(value) else []
            for owner, method in found:
                if (id(owner), method) not in seen:
                    seen.add((id(owner), method))
                    yield owner, method, part


def _resolve(model: nn.Module, name: str) -> tuple[object, object]:
    """The attribute of a dotted name, None where it lacks, and what it belongs to."""
    owner, value = None, model
    for part in name.split('.'):
        owner, value = value, getattr(value, part, None)
    return owner, value


def _overrides(module: nn.Module, method: str) -> bool:
    """Whether the class has the method; a ModuleList, say, has no forward."""
    found = getattr(type(module), method, None)
    return callable(found) and found is not nn.Module.forward


def _single_wrappers(optim_wrapper: object | None) -> list[object]:
    if optim_wrapper is None:
        return []
    if isinstance(optim_wrapper, OptimWrapperDict):
        return list(optim_wrapper.values())
    return [optim_wrapper]


def _wrap(timer: StepTimer, owner: object, method: str, part: str) -> None:
    original: Callable[..., Any] = getattr(owner, method)

    @wraps(original)
    def timed(*args: Any, **kwargs: Any) -> Any:
        with timer.part(part):
            result = original(*args, **kwargs)
        if part == STUDENT and torch.is_grad_enabled():
            for tensor in _tensors(result):
                if tensor.requires_grad:
                    tensor.register_hook(lambda _: timer.mark_student_gradient())
        return result

    setattr(owner, method, timed)


def _tensors(value: object) -> Iterable[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _tensors(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensors(item)
