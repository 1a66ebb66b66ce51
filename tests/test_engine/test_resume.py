"""Interrupting and resuming changes nothing; an interrupted save loses nothing."""

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import Dataset

from openvocab import fileio
from openvocab.engine import AtomicCheckpointHook
from openvocab.engine.plain_state import restore_histories


class NoisyData(Dataset):
    """Eleven samples with a random augmentation."""

    def __len__(self):
        return 11

    def __getitem__(self, index):
        noise = np.random.randn(4).astype(np.float32)
        return dict(inputs=torch.full((4,), float(index)) + torch.from_numpy(noise))


class NoisyModel(BaseModel):
    """Dropout, so that torch's random numbers matter too."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 2)
        self.drop = nn.Dropout(0.5)
        self.frozen = nn.Linear(2, 2).requires_grad_(False)
        self.seen = []

    def forward(self, inputs, mode='tensor'):
        self.seen.append(inputs.sum().item())
        out = self.frozen(self.drop(self.layer(inputs)))
        return dict(loss=out.square().mean()) if mode == 'loss' else out


class StopAfter(Hook):
    def __init__(self, epochs):
        self.epochs = epochs

    def before_train_epoch(self, runner):
        if runner.epoch == self.epochs:
            raise KeyboardInterrupt


def make_runner(work_dir, name, workers=0, resume=False, hooks=(), **checkpoint):
    torch.manual_seed(0)
    model = NoisyModel()
    torch.manual_seed(len(name))  # whatever else happened in the process
    return Runner(
        model=model,
        work_dir=str(work_dir),
        experiment_name=name,
        train_dataloader=dict(
            dataset=NoisyData(),
            batch_size=3,
            num_workers=workers,
            collate_fn=dict(type='default_collate'),
            sampler=dict(type='DefaultSampler', shuffle=True),
        ),
        train_cfg=dict(by_epoch=True, max_epochs=4),
        optim_wrapper=dict(
            constructor='openvocab.TrainableOnlyConstructor',
            optimizer=dict(type='AdamW', lr=0.01, weight_decay=0.1),
            paramwise_cfg=dict(flat_decay_mult=0.0),
        ),
        param_scheduler=[
            dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=5),
            dict(
                type='CosineAnnealingLR',
                T_max=4,
                end=4,
                by_epoch=True,
                convert_to_iter_based=True,
            ),
        ],
        default_hooks=dict(
            checkpoint=dict(type='openvocab.AtomicCheckpointHook', **checkpoint)
        ),
        custom_hooks=[dict(type='openvocab.EpochSeedHook'), *hooks],
        randomness=dict(seed=3),
        resume=resume,
        log_level='ERROR',
    )


@pytest.mark.parametrize('workers', [0, 1])
def test_resumed_run_equals_the_straight_one(tmp_path, workers):
    straight = make_runner(tmp_path / 'a', 'straight', workers, interval=1)
    straight.train()
    first = make_runner(
        tmp_path / 'b', 'first', workers, hooks=[StopAfter(2)], interval=1
    )
    with pytest.raises(KeyboardInterrupt):
        first.train()
    second = make_runner(tmp_path / 'b', 'second', workers, resume=True, interval=1)
    second.train()
    assert second.iter == straight.iter == 16
    assert first.model.seen + second.model.seen == straight.model.seen
    resumed, expected = second.model.state_dict(), straight.model.state_dict()
    for key, value in expected.items():
        assert torch.equal(resumed[key], value), key
    for a, b in zip(
        second.optim_wrapper.optimizer.param_groups,
        straight.optim_wrapper.optimizer.param_groups,
        strict=True,
    ):
        assert a['lr'] == b['lr']


def test_epochs_draw_different_augmentations(tmp_path):
    runner = make_runner(tmp_path, 'epochs', workers=1, interval=4)
    runner.train()
    per_epoch = [round(sum(runner.model.seen[i : i + 4]), 4) for i in (0, 4, 8, 12)]
    assert len(set(per_epoch)) == 4


def test_old_checkpoints_are_removed(tmp_path):
    make_runner(tmp_path, 'keep', interval=1, max_keep_ckpts=2).train()
    assert sorted(p.name for p in tmp_path.glob('*.pth')) == [
        'epoch_3.pth',
        'epoch_4.pth',
    ]
    assert (tmp_path / 'last_checkpoint').read_text().endswith('epoch_4.pth')
    assert not list(tmp_path.glob('.*'))


def test_interrupted_save_keeps_the_previous_checkpoint(tmp_path, monkeypatch):
    """With one file kept, being killed while writing the second must not lose it."""
    replace, calls = fileio.os.replace, []

    def dying_replace(source, target):
        calls.append(str(target))
        if str(target).endswith('epoch_2.pth'):
            raise KeyboardInterrupt
        return replace(source, target)

    monkeypatch.setattr(fileio.os, 'replace', dying_replace)
    with pytest.raises(KeyboardInterrupt):
        make_runner(tmp_path, 'dying', interval=1, max_keep_ckpts=1).train()
    monkeypatch.undo()
    assert [p.name for p in tmp_path.glob('*.pth')] == ['epoch_1.pth']
    assert (tmp_path / 'last_checkpoint').read_text().endswith('epoch_1.pth')
    runner = make_runner(tmp_path, 'again', resume=True, interval=1, max_keep_ckpts=1)
    runner.train()
    assert runner.epoch == 4
    assert [p.name for p in tmp_path.glob('*.pth')] == ['epoch_4.pth']


def test_checkpoint_holds_plain_values_only(tmp_path):
    runner = make_runner(tmp_path, 'plain', interval=2)
    runner.train()
    loaded = torch.load(tmp_path / 'epoch_4.pth', weights_only=True)
    assert set(loaded['state_dict']) == set(runner.model.state_dict())
    losses = restore_histories(loaded['message_hub'])['log_scalars']['train/loss']
    expected = runner.message_hub.get_scalar('train/loss')
    np.testing.assert_array_equal(losses.data[0], expected.data[0])


def test_remote_backends_are_refused():
    with pytest.raises(ValueError, match='local files'):
        AtomicCheckpointHook(backend_args=dict(backend='petrel'))
