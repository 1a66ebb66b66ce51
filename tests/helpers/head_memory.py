"""The memory of a decode head at real size, in a process of its own.

``python -m helpers.head_memory HEAD``, the head's config as json: runs it on one window
of 384 x 384 pixels with the maps of a ViT-B/16 and 847 classes in float32, and writes
the peak of the process and what of it came after the imports, in bytes.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import torch
from torch.nn import functional as F

from openvocab.device import peak_resident_set
from openvocab.models.backbones import CLIPBackbone
from openvocab.registry import MODELS

_TESTS = Path(__file__).resolve().parents[1]


def memory_of_847_classes(head: dict) -> tuple[int, int]:
    """Peak of the whole process, and without the libraries, in bytes."""
    paths = [str(_TESTS.parent), str(_TESTS), os.environ.get('PYTHONPATH', '')]
    done = subprocess.run(
        [sys.executable, '-m', 'helpers.head_memory', json.dumps(head)],
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=True,
    )
    process, model = map(int, done.stdout.split()[-2:])
    return process, model


@torch.no_grad()
def main(config: dict) -> None:
    torch.set_num_threads(1)
    head_class = MODELS.get(config.pop('type'))
    libraries = peak_resident_set()
    encoder = CLIPBackbone(
        'ViT-B-16-quickgelu',
        readout=dict(type='openvocab.ClassResidualReadout'),
        out_indices=(3, 7),
    ).eval()
    head = head_class(encoder.channels, encoder.strides, **config).eval()
    text = F.normalize(torch.randn(847, 512), dim=-1)
    logits = head(encoder(torch.randn(1, 3, 384, 384)), text)
    assert logits.shape == (1, 847, 96, 96) and logits.dtype == torch.float32
    peak = peak_resident_set()
    sys.stdout.write(f'{peak} {peak - libraries}\n')


if __name__ == '__main__':
    main(json.loads(sys.argv[1]))
