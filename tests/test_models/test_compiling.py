"""A compiled encoder gives what the plain one gives, under the same names."""

import pytest
import torch
from torch import nn

from openvocab.models.backbones import CLIPBackbone

ENCODER = dict(
    arch='ov-shapes-u', checkpoint='openvocab://ov-shapes-u', out_indices=(1,)
)
SIZES = [(64, 96), (32, 32)]


class CountingBackend:
    """Keeps the captured graphs and runs them as they are."""

    def __init__(self):
        self.runs = 0

    def __call__(self, graph, inputs):
        def run(*values):
            self.runs += 1
            return graph(*values)

        return run


def assert_equal_outputs(plain, compiled, sizes):
    with torch.no_grad():
        for size in sizes:
            images = torch.randn(
                2, 3, *size, generator=torch.Generator().manual_seed(0)
            )
            for ours, theirs in zip(compiled(images), plain(images), strict=True):
                torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_outputs_and_names_stay():
    torch.compiler.reset()
    backend = CountingBackend()
    plain = CLIPBackbone(**ENCODER)
    compiled = CLIPBackbone(**ENCODER, compile=dict(backend=backend))
    assert_equal_outputs(plain, compiled, SIZES)
    assert backend.runs == len(SIZES)  # one graph per call, no breaks
    for key, value in plain.state_dict().items():
        assert torch.equal(compiled.state_dict()[key], value)
    assert list(compiled.state_dict()) == list(plain.state_dict())
    models = [nn.ModuleDict(dict(backbone=b)) for b in (plain, compiled)]
    assert list(models[0].state_dict()) == list(models[1].state_dict())
    models[1].load_state_dict(models[0].state_dict())


@pytest.mark.slow
def test_outputs_of_generated_code():
    torch.compiler.reset()
    plain = CLIPBackbone(**ENCODER)
    assert_equal_outputs(plain, CLIPBackbone(**ENCODER, compile=True), SIZES[:1])


def test_an_encoder_that_trains_is_refused():
    with pytest.raises(ValueError, match=r'CLIPBackbone trains, only a frozen'):
        CLIPBackbone(**ENCODER, trainable_blocks=1, compile=True)
