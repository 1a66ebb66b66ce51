import subprocess
import sys

import numpy as np
import pytest
import torch

from openvocab.device import has_bfloat16, peak_resident_set
from openvocab.models.teachers.frozen_teacher import reduced_precision

CUDA = torch.device('cuda')


@pytest.fixture
def gpu_of(monkeypatch):
    """Pretends that the GPU is of a given compute capability; all emulate bfloat16."""

    def pretend(*capability):
        monkeypatch.setattr(
            torch.cuda, 'get_device_capability', lambda device=None: capability
        )
        monkeypatch.setattr(
            torch.cuda, 'is_bf16_supported', lambda including_emulation=True: True
        )

    return pretend


@pytest.mark.parametrize(
    ('capability', 'native'), [((7, 0), False), ((7, 5), False), ((8, 0), True)]
)
def test_emulated_bfloat16_does_not_count(gpu_of, capability, native):
    gpu_of(*capability)
    assert has_bfloat16(CUDA) is native


@pytest.mark.filterwarnings('ignore:.*CUDA is not available')
def test_a_frozen_teacher_runs_in_what_the_gpu_computes_in(gpu_of):
    gpu_of(7, 5)
    assert reduced_precision(CUDA).fast_dtype is torch.float16
    gpu_of(9, 0)
    assert reduced_precision(CUDA).fast_dtype is torch.bfloat16


def test_a_cpu_is_asked_nothing():
    assert not has_bfloat16(torch.device('cpu'))


def test_a_child_does_not_count_its_parent():
    ballast = np.ones(90_000_000)  # 720 MB
    command = (
        'from openvocab.device import peak_resident_set;print(peak_resident_set())'
    )
    done = subprocess.run(
        [sys.executable, '-c', command], capture_output=True, text=True, check=True
    )
    assert 10**7 < int(done.stdout) < ballast.nbytes < peak_resident_set()
