"""What a config takes from elsewhere survives the start of a training."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

import openvocab  # noqa: F401
from openvocab.registry import MODELS

CONFIGS = sorted(
    path
    for path in (Path(__file__).resolve().parents[1] / 'configs').glob('[!_]*/*.py')
    if path.stem.endswith('ov-shapes') and '_pretrain_' not in path.stem
)

LOADED = ('backbone.', 'text_bank.')


def loaded_at_construction(model):
    """Copies of frozen parameters, of buffers, and of what goes on from a CLIP."""
    kept = {
        name: parameter
        for name, parameter in model.named_parameters()
        if not parameter.requires_grad or name.startswith(LOADED)
    }
    kept.update(model.named_buffers())
    return {name: tensor.detach().clone() for name, tensor in kept.items()}


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_initialisation_keeps_what_was_loaded(path):
    """``Runner.train`` calls ``init_weights`` of the whole model."""
    cfg = Config.fromfile(path)
    init_default_scope(cfg.default_scope)
    model = MODELS.build(cfg.model)
    before = loaded_at_construction(model)
    assert before
    model.init_weights()
    after = loaded_at_construction(model)
    assert after.keys() == before.keys()
    changed = [name for name in before if not torch.equal(after[name], before[name])]
    assert not changed


def test_a_vfm_goes_on_from_its_weights():
    """A pre-training that continues; from nothing, any random weights will do."""
    folder = Path(__file__).resolve().parents[1] / 'configs' / 'declip'
    cfg = Config.fromfile(folder / 'declip_ov-shapes-vfm_pretrain_1xb8-1e_ov-shapes.py')
    init_default_scope(cfg.default_scope)
    cfg.model.vfm.checkpoint = 'openvocab://ov-shapes-vfm'
    model = MODELS.build(cfg.model)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    model.init_weights()
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, before[name]), name
