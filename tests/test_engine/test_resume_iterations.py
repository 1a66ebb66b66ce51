"""Interrupting and resuming iteration-based training changes nothing."""

import numpy as np
import pytest
import torch
from mmengine.dataset import BaseDataset
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn

from openvocab.datasets import SeedAugmentation
from openvocab.registry import TRANSFORMS


class Augment:
    def __call__(self, results):
        noise = np.random.randn(4).astype(np.float32)
        return dict(inputs=torch.full((4,), float(results['value'])) + noise)


class Numbers(BaseDataset):
    """Eleven samples with a random augmentation."""

    def load_data_list(self):
        return [dict(value=value) for value in range(11)]


class NoisyModel(BaseModel):
    """Dropout, so that torch's random numbers matter too."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 2)
        self.drop = nn.Dropout(0.5)
        self.seen = []

    def forward(self, inputs, mode='tensor'):
        self.seen.append(inputs.sum().item())
        return dict(loss=self.drop(self.layer(inputs)).square().mean())


class StopAt(Hook):
    def __init__(self, iteration):
        self.iteration = iteration

    def before_train_iter(self, runner, **kwargs):
        if runner.iter == self.iteration:
            raise KeyboardInterrupt


def train(work_dir, name, workers, resume=False, hooks=()):
    torch.manual_seed(0)
    model = NoisyModel()
    torch.manual_seed(len(name))  # whatever else happened in the process
    seed = TRANSFORMS.build(dict(type='openvocab.SeedAugmentation'))
    runner = Runner(
        model=model,
        work_dir=str(work_dir),
        experiment_name=name,
        train_dataloader=dict(
            dataset=Numbers(pipeline=[seed, Augment()]),
            batch_size=3,
            num_workers=workers,
            collate_fn=dict(type='default_collate'),
            sampler=dict(type='openvocab.SeededInfiniteSampler'),
        ),
        train_cfg=dict(by_epoch=False, max_iters=8),
        optim_wrapper=dict(optimizer=dict(type='AdamW', lr=0.01)),
        default_hooks=dict(
            checkpoint=dict(
                type='openvocab.AtomicCheckpointHook', by_epoch=False, interval=2
            )
        ),
        custom_hooks=[dict(type='openvocab.EpochSeedHook'), *hooks],
        randomness=dict(seed=3),
        resume=resume,
        log_level='ERROR',
    )
    try:
        runner.train()
    except KeyboardInterrupt:
        pass
    # else its workers end with the runner's cycle: after torch's timeout, 5 s each
    del runner.train_loop.dataloader_iterator
    return model


@pytest.mark.parametrize('workers', [0, 2])
def test_resumed_run_equals_the_straight_one(tmp_path, workers):
    straight = train(tmp_path / 'a', f'straight{workers}', workers)
    first = train(tmp_path / 'b', f'first{workers}', workers, hooks=[StopAt(4)])
    second = train(tmp_path / 'b', f'second-{workers}', workers, resume=True)
    assert len(first.seen) == len(second.seen) == 4
    assert first.seen + second.seen == straight.seen
    for a, b in zip(second.parameters(), straight.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_draw_without_a_seed_is_refused():
    with pytest.raises(ValueError, match=r'needs the sampler openvocab\.Seeded'):
        SeedAugmentation()(dict(sample_idx=3))
