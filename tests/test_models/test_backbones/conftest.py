"""Tiny CLIPs of the four families."""

from pathlib import Path

import pytest
import torch

from helpers import tiny_clip
from helpers.tiny_clip import VISION
from openvocab.models.clip_factory import create_clip


@pytest.fixture
def write_arch(tmp_path: Path):
    """Write a model config, return the path that serves as architecture name."""

    def write(vision: dict, name: str = 'tiny', **extra) -> str:
        return tiny_clip.write_arch(tmp_path / f'{name}.json', vision, **extra)

    return write


@pytest.fixture(params=list(VISION))
def family(request) -> str:
    return request.param


@pytest.fixture
def arch(family: str, write_arch) -> str:
    return write_arch(VISION[family], family)


@pytest.fixture
def vit(write_arch) -> str:
    return write_arch(VISION['vit'], 'vit')


@pytest.fixture
def eva(write_arch) -> str:
    return write_arch(VISION['eva'], 'eva')


@pytest.fixture
def resnet(write_arch) -> str:
    return write_arch(VISION['resnet'], 'resnet')


@pytest.fixture
def make_checkpoint(tmp_path: Path):
    """Save a CLIP with random (and in no tensor trivial) weights."""

    def make(arch: str, name: str = 'clip.pt', seed: int = 1) -> str:
        torch.manual_seed(seed)
        model = create_clip(arch)
        for value in model.state_dict().values():
            if value.is_floating_point() and value.dim():
                value.add_(torch.rand_like(value) * 0.1)
        torch.save(model.state_dict(), tmp_path / name)
        return str(tmp_path / name)

    return make
