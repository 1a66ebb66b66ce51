"""Attribution of a toy model's methods to parts."""

import time
import warnings

import pytest
import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import nn

from openvocab.analysis.host_sync import count_lines, find_synchronisations
from openvocab.analysis.step_parts import PARTS, attach, parts_of
from openvocab.analysis.timing import HostClock, StepTimer

NAP = 0.01


class Slow(torch.autograd.Function):
    """The identity; sleeps on the way back."""

    @staticmethod
    def forward(ctx, x, seconds):
        ctx.seconds = seconds
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        time.sleep(ctx.seconds)
        return grad, None


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def forward(self, x):
        time.sleep(NAP)
        x = Slow.apply(self.layer(x), 3 * NAP)
        return [x, (2 * x,)]

    def encode_image(self, x):
        return self.layer(x)


class Head(nn.Module):
    def loss(self, x):  # as in mmdet: called by name
        time.sleep(2 * NAP)
        return Slow.apply(x, NAP).sum()


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = Backbone()
        self.bbox_head = Head()
        self.stages = nn.ModuleList([nn.Identity()])

    def region_features(self, x):
        time.sleep(NAP)
        return x[0] + x[1][0]

    def forward(self, x):
        return self.bbox_head.loss(self.region_features(self.backbone(x)))


@pytest.fixture
def model():
    return Model()


def optim_wrapper_of(model):
    return OptimWrapper(torch.optim.SGD(model.parameters(), 0.1))


def test_parts_of_a_training_step(model):
    timer, wrapper = StepTimer(HostClock()), optim_wrapper_of(model)
    with attach(timer, model, wrapper), timer.step():
        wrapper.update_params(model(torch.ones(1, 2)))
    naps = {name: seconds / NAP for name, seconds in timer.seconds.items()}
    assert set(naps) == {
        'other',
        'student',
        'pooling',
        'bbox_head',
        'backward (rest)',
        'backward (student)',
        'optimizer',
    }
    # A busy machine may oversleep, never wake early.
    assert naps['student'] >= 1
    assert naps['pooling'] >= 1
    assert naps['bbox_head'] >= 2
    assert naps['backward (rest)'] >= 1
    assert naps['backward (student)'] >= 3


def test_frozen_student_leaves_the_backward_pass_whole(model):
    model.backbone.requires_grad_(False)
    timer = StepTimer(HostClock())
    scale = torch.ones(1, requires_grad=True)
    wrapper = OptimWrapperDict(all=OptimWrapper(torch.optim.SGD([scale], 0.1)))
    with attach(timer, model, wrapper), timer.step():
        wrapper['all'].update_params(model(torch.ones(1, 2)) * scale)
    assert 'backward' in timer.seconds
    assert 'backward (student)' not in timer.seconds


def test_methods_are_restored_and_the_result_is_unchanged(model):
    before = model(torch.ones(1, 2))
    wrapper = optim_wrapper_of(model)
    attributes = {name: set(vars(m)) for name, m in model.named_modules()}
    wrapper_attributes = set(vars(wrapper))
    with (
        pytest.raises(KeyError),
        attach(StepTimer(HostClock()), model, wrapper),
    ):
        assert torch.equal(model(torch.ones(1, 2)), before)
        assert 'forward' in vars(model.backbone)
        assert 'encode_image' in vars(model.backbone)
        assert 'forward' not in vars(model.stages)
        raise KeyError
    assert {name: set(vars(m)) for name, m in model.named_modules()} == attributes
    assert set(vars(wrapper)) == wrapper_attributes


def test_own_mapping(model):
    timer = StepTimer(HostClock())
    with attach(timer, model, parts={'all': ('backbone', 'absent')}), timer.step():
        model(torch.ones(1, 2))
    assert set(timer.seconds) == {'other', 'all', 'bbox_head'}


class Predictor(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = Scale()

    def fuse(self, x):
        time.sleep(NAP)
        return self.scale(x)

    def forward(self, x):
        time.sleep(NAP)
        return self.fuse(x)


class Scale:
    """A callable that is neither a module nor a method."""

    def __call__(self, x):
        return 2 * x


def test_dotted_names_of_modules_and_methods(model):
    model.bbox_head.predictor = predictor = Predictor()
    scale = predictor.scale
    timer = StepTimer(HostClock())
    parts = {
        'predictor': ('bbox_head.predictor', 'bbox_head.absent.predictor'),
        'fuse': ('bbox_head.predictor.fuse', 'bbox_head.predictor.scale'),
    }
    for _ in range(2):
        with attach(timer, model, parts=parts), timer.step():
            model.bbox_head.predictor(torch.ones(1))
    naps = {name: seconds / NAP for name, seconds in timer.seconds.items()}
    assert set(naps) == {'other', 'predictor', 'fuse'}
    assert naps['predictor'] >= 1 and naps['fuse'] >= 1
    assert predictor.scale is scale


def test_parts_by_the_kind_of_the_model(model):
    class BaseDetector(nn.Module):
        pass

    class Detector(BaseDetector):
        pass

    assert parts_of(model) is PARTS
    parts = parts_of(Detector())
    assert parts['backbone'] == ('backbone',) and 'student' not in parts
    detector = Detector()
    detector.backbone = Backbone()
    timer = StepTimer(HostClock())
    with attach(timer, detector), timer.step():
        detector.backbone(torch.ones(1, 2))
    assert set(timer.seconds) == {'other', 'backbone'}


def test_synchronisations_are_counted_by_line():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        for _ in range(2):
            warnings.warn('called a synchronizing CUDA operation', stacklevel=1)
        warnings.warn('something else', stacklevel=1)
    found = count_lines(caught)
    assert list(found.values()) == [2]
    assert next(iter(found)).startswith('test_analysis/test_step_parts.py:')


def test_synchronisations_are_unknown_on_a_cpu():
    def step():
        raise AssertionError('not run')

    assert find_synchronisations(step, torch.device('cpu')) is None


@pytest.mark.gpu
def test_synchronisations_on_a_gpu():
    value = torch.ones(3, device='cuda')
    device = value.device
    assert sum(find_synchronisations(lambda: value.sum().item(), device).values()) == 1
    assert find_synchronisations(lambda: value * 2, device) == {}
    assert torch.cuda.get_sync_debug_mode() == 0
