import json

import pytest
import torch
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import Dataset

from openvocab.engine import ExportEncoderHook
from openvocab.engine.hooks import export_encoder_hook
from openvocab.models.backbones import export


class Backbone(nn.Module):
    """Stands for CLIPBackbone: one weight, changed by init_weights and by training."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.is_init = False

    def init_weights(self):
        if not self.is_init:
            self.weight.data.fill_(1.0)
        self.is_init = True

    def export_state_dict(self):
        return {'visual.weight': self.weight.detach()}

    def record(self):
        return dict(arch='toy', checkpoint='0123', readout=dict(type='none'))


class Model(BaseModel):
    def __init__(self):
        super().__init__()
        self.backbone = Backbone()

    def init_weights(self):
        self.backbone.init_weights()

    def forward(self, inputs, mode='tensor'):
        if mode == 'loss':
            return dict(loss=self.backbone.weight.sum())
        return [dict() for _ in inputs]


class Data(Dataset):
    def __len__(self):
        return 7

    def __getitem__(self, index):
        return dict(inputs=torch.zeros(2))


class Metric(BaseMetric):
    default_prefix = ''
    confusions = [('sky', 'kite', 3)]

    def process(self, data_batch, data_samples):
        self.results.extend(data_samples)

    def compute_metrics(self, results):
        return dict(boxes_top1=len(results) * 10.0)


def make_runner(work_dir, *hooks, **kwargs):
    loader = dict(
        dataset=Data(),
        batch_size=2,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
    )
    return Runner(
        model=Model(),
        work_dir=str(work_dir),
        custom_hooks=list(hooks),
        log_level='ERROR',
        experiment_name=work_dir.name,
        randomness=dict(seed=0),
        **{
            key: dict(loader) if value is None else value
            for key, value in kwargs.items()
        },
    )


TRAIN = dict(
    train_dataloader=None,
    train_cfg=dict(by_epoch=True, max_epochs=1),
    optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.125)),
)


@pytest.mark.parametrize('alpha, original', [(1.0, None), (0.5, 1.0)])
def test_export_after_training(tmp_path, monkeypatch, alpha, original):
    calls = []
    monkeypatch.setattr(export, 'save_encoder', lambda *a, **k: calls.append((a, k)))
    runner = make_runner(
        tmp_path, dict(type='openvocab.ExportEncoderHook', alpha=alpha), **TRAIN
    )
    runner.train()
    ((backbone, path), options) = calls[0]
    assert len(calls) == 1 and backbone is runner.model.backbone
    assert path == tmp_path / 'encoder.safetensors'
    assert options['alpha'] == alpha
    # Four steps of gradient 1 from the weight that init_weights loaded.
    assert backbone.weight.item() == pytest.approx(1 - 4 * 0.125)
    if original is None:
        assert options['original'] is None
    else:
        assert options['original']['visual.weight'].item() == original


def test_export_arguments():
    with pytest.raises(ValueError, match='alpha'):
        ExportEncoderHook(alpha=1.5)
    with pytest.raises(ValueError, match=r'\.safetensors'):
        ExportEncoderHook(filename='encoder.pth')
    with pytest.raises(ValueError, match='Linear has no backbone'):
        export_encoder_hook.find_backbone(nn.Linear(1, 1))


@pytest.mark.parametrize('warmup', [0, 2, 100])
def test_report_of_a_test_run(tmp_path, capsys, warmup):
    hook = dict(
        type='openvocab.ReportHook',
        method='Toy',
        out_dir=str(tmp_path / 'out'),
        warmup=warmup,
    )
    runner = make_runner(
        tmp_path,
        hook,
        test_dataloader=None,
        test_cfg=dict(),
        test_evaluator=Evaluator(Metric()),
    )
    assert runner.test() == {'boxes_top1': 70.0}
    (row,) = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert row['method'] == 'Toy' and row['boxes_top1'] == 70.0
    assert row['confusions'] == [['sky', 'kite', 3]]
    meta = row['meta']
    assert meta['weights'] == {'image encoder toy': '0123'}
    assert meta['images_per_second'] > 0 and meta['peak_memory'] > 1e6
    assert meta['libraries']['torch'] == torch.__version__.split('+')[0]
    assert (tmp_path / 'out' / 'report.md').read_text().startswith('# Report')
    assert 'Toy' in capsys.readouterr().out


def test_speed_counts_the_images_after_the_warm_up(tmp_path):
    runner = make_runner(
        tmp_path,
        dict(type='openvocab.ReportHook', warmup=1),
        test_dataloader=None,
        test_cfg=dict(),
        test_evaluator=Evaluator(Metric()),
    )
    runner.test()
    hook = next(h for h in runner.hooks if type(h).__name__ == 'ReportHook')
    assert hook._images == 5  # of 7, in batches 2 2 2 1
