"""Two ranks must train exactly like one with the doubled batch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent
ROOT, TESTS = HERE.parents[2], HERE.parents[1]


def train(folder: Path, aligner: str, reduction: str, shards: list) -> list[dict]:
    folder.mkdir()
    config = dict(
        folder=str(folder),
        aligner=aligner,
        reduction=reduction,
        shards=shards,
        world_size=len(shards),
    )
    path = folder / 'config.json'
    path.write_text(json.dumps(config))
    paths = [str(ROOT), str(TESTS), os.environ.get('PYTHONPATH', '')]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(paths))
    command = [sys.executable, str(HERE / 'alignment_worker.py'), str(path)]
    workers = [
        subprocess.Popen(
            [*command, str(rank)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(len(shards))
    ]
    try:
        logs = [worker.communicate(timeout=300)[0] for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    assert not any(worker.returncode for worker in workers), '\n'.join(logs)
    return [torch.load(folder / f'rank{i}.pth') for i in range(len(shards))]


@pytest.mark.dist
@pytest.mark.slow
@pytest.mark.parametrize(
    ('aligner', 'reduction', 'shards'),
    [
        ('densevlm', 'group', [[0, 1, 4], [2, 3]]),
        ('densevlm', 'region', [[1], [0, 2, 3, 4]]),  # rank 0 has no region
        ('clipself', '', [[1], [0, 2, 3, 4]]),
        ('declip', '', [[0, 3], [1, 2, 4]]),  # unequal padding, left out
    ],
)
def test_two_ranks_equal_one_with_the_doubled_batch(
    tmp_path, aligner, reduction, shards
):
    (one,) = train(tmp_path / 'one', aligner, reduction, [[0, 1, 2, 3, 4]])
    two = train(tmp_path / 'two', aligner, reduction, shards)
    if aligner == 'densevlm':
        assert 0 < one['keep'][0] < 1
        assert two[0]['keep'] != two[1]['keep']
    for name, value in one['parameters'].items():
        for rank in two:
            torch.testing.assert_close(
                rank['parameters'][name], value, rtol=1e-5, atol=1e-6, msg=name
            )
    end = one['parameters']
    moved = max((end[k] - v).abs().max() for k, v in one['start'].items())
    assert moved > 1e-3  # the steps were large enough to show a wrong factor
