"""Publishing: what goes out loads again, what should not go out does not."""

import os
import re
import runpy
import sys
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from safetensors.torch import load_file

from helpers.tiny_configs import write_detector, write_segmentor
from openvocab.apis.model import build_model
from openvocab.apis.publish import publish
from openvocab.checkpoints.reading import CheckpointError, read_metadata

ALIGNER = "model = dict(type='openvocab.CLIPSelfAligner')\n"
VISUAL = 'backbone.visual.'


@pytest.fixture
def run(tmp_path):
    """Config, model and checkpoint of a training, as mmengine's runner saves it."""

    def make(write=write_detector, with_encoder: bool = False, **changes):
        config = tmp_path / 'tiny_model.py'
        write(config)
        torch.manual_seed(0)
        model = build_model(config)
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.data.add_(torch.randn_like(parameter) * 0.01)
        state = dict(model.state_dict())
        if with_encoder:
            del state['backbone.encoder_record']
            encoder = model.backbone.state_dict()
            state |= {f'backbone.{key}': value for key, value in encoder.items()}
        cfg = Config.fromfile(config, format_python_code=False).pretty_text
        content = dict(
            meta=dict(
                cfg=f"{cfg}\nwork_dir = '/secret/runs'\n",
                epoch=3,
                iter=30,
                seed=1,
                time='20260101_000000',
                experiment_name='secret',
                mmengine_version='0.10',
                dataset_meta=dict(classes=['red circle']),
            ),
            state_dict=state | changes,
            message_hub=dict(log_scalars={}),
            optimizer=dict(state={0: dict(exp_avg=torch.zeros(1000))}),
            param_schedulers=[dict(last_step=3)],
        )
        torch.save(content, tmp_path / 'epoch_3.pth')
        return config, model, tmp_path / 'epoch_3.pth'

    return make


@torch.no_grad()
def predict(model) -> torch.Tensor:
    torch.manual_seed(5)
    images = torch.rand(1, 3, 128, 128)
    if hasattr(model, 'roi_head'):
        dense = model.extract_feat(images)
        return torch.cat([level.flatten() for level in dense])
    return model.encode_decode(images)


def test_the_published_file_is_the_model(run, tmp_path):
    config, model, checkpoint = run()
    published = publish(config, checkpoint, tmp_path / 'out')
    digest = sha256(published.path.read_bytes()).hexdigest()
    today = datetime.now(timezone.utc).strftime('%Y%m%d')
    assert published.path.name == f'tiny_model_{today}-{digest[:8]}.pth'
    assert published.sha256 == digest
    assert os.listdir(tmp_path / 'out') == [published.path.name]
    loaded = build_model(config, published.path)
    state = loaded.state_dict()
    assert all(torch.equal(state[k], v) for k, v in model.state_dict().items())
    assert torch.equal(predict(loaded), predict(model))


def test_what_is_in_the_file(run, tmp_path):
    config, model, checkpoint = run()
    published = publish(config, checkpoint, tmp_path / 'out', name='named')
    assert published.path.name.startswith('named_')
    assert published.dropped['optimizer'] == 4000
    assert published.dropped.keys() == {'optimizer', 'message_hub', 'param_schedulers'}
    content = torch.load(published.path, weights_only=True)
    assert content.keys() == {'meta', 'state_dict'}
    meta = content['meta']
    assert meta['epoch'] == 3 and meta['dataset_meta'] == dict(classes=['red circle'])
    assert 'openvocab.FViT' in meta['cfg'] and 'secret' not in str(meta)
    record = meta['openvocab']
    assert record['config'] == 'tiny_model.py'
    assert record['encoder'] == model.backbone.record()
    assert record['source']['sha256'] == sha256(checkpoint.read_bytes()).hexdigest()
    assert not any(key.startswith(VISUAL) for key in content['state_dict'])
    assert published.parameters == sum(
        v.numel() for v in content['state_dict'].values()
    )


def test_safetensors_and_once_more(run, tmp_path):
    config, model, checkpoint = run()
    first = publish(config, checkpoint, tmp_path / 'a', suffix='.safetensors')
    assert read_metadata(first.path)['config'] == 'tiny_model.py'
    assert torch.equal(predict(build_model(config, first.path)), predict(model))
    # what was published can be published again, in the other form
    second = publish(config, first.path, tmp_path / 'b')
    third = publish(config, second.path, tmp_path / 'c', suffix='.safetensors')
    states = [load_file(path) for path in (first.path, third.path)]
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def test_a_frozen_encoder_is_replaced_by_its_record(run, tmp_path):
    config, model, checkpoint = run(with_encoder=True)
    published = publish(config, checkpoint, tmp_path / 'out')
    assert published.encoder == 'replaced by its record'
    assert published.dropped['frozen encoder'] > 1e6
    state = torch.load(published.path, weights_only=True)['state_dict']
    assert not any(key.startswith(VISUAL) for key in state)
    assert torch.equal(state['backbone.encoder_record'], model.backbone.record_tensor())
    assert torch.equal(predict(build_model(config, published.path)), predict(model))
    kept = publish(config, checkpoint, tmp_path / 'kept', keep_encoder=True)
    assert kept.path.stat().st_size > published.path.stat().st_size + 1e6


def test_an_encoder_that_no_file_has_stays(run, tmp_path):
    config, model, checkpoint = run(with_encoder=True)
    content = torch.load(checkpoint, weights_only=True)
    key = f'{VISUAL}positional_embedding'
    content['state_dict'][key] = content['state_dict'][key] + 1
    torch.save(content, checkpoint)
    published = publish(config, checkpoint, tmp_path / 'out')
    assert '1 of its' in published.encoder and key in published.encoder
    loaded = build_model(config, published.path)
    encoder = loaded.backbone.state_dict()
    assert torch.equal(
        encoder['visual.positional_embedding'], content['state_dict'][key]
    )
    assert not torch.equal(predict(loaded), predict(model))


def test_an_encoder_that_was_trained_stays(run, tmp_path):
    config, model, checkpoint = run(write_segmentor)
    published = publish(config, checkpoint, tmp_path / 'out')
    assert published.encoder == 'kept, it was trained'
    assert torch.equal(predict(build_model(config, published.path)), predict(model))


def test_a_detector_of_another_encoder_is_refused(run, tmp_path):
    config, _, checkpoint = run()
    text = config.read_text() + "model['backbone'] = dict(checkpoint=None)\n"
    config.write_text(text)
    with pytest.raises(CheckpointError, match=r'epoch_3\.pth.*encoder'):
        publish(config, checkpoint, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_what_does_not_fit_is_refused(run, tmp_path):
    extra = {'backbone.encoder': torch.ones(1)}
    for name, changes in (('unknown', extra), ('shape', {})):
        config, _, checkpoint = run(**changes)
        if not changes:
            content = torch.load(checkpoint, weights_only=True)
            content['state_dict']['roi_head.bbox_head.fc_reg.bias'] = torch.ones(3)
            torch.save(content, checkpoint)
        with pytest.raises(CheckpointError, match=f'(?i)does not fit.*{name}'):
            publish(config, checkpoint, tmp_path / 'out')
    config, _, checkpoint = run()
    content = torch.load(checkpoint, weights_only=True)
    del content['state_dict']['neck.lateral_convs.0.conv.weight']
    torch.save(content, checkpoint)
    with pytest.raises(CheckpointError, match=r'does not fit.*missing: '):
        publish(config, checkpoint, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


class Payload:
    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_what_is_not_ours_is_refused(run, tmp_path):
    config, model, checkpoint = run()
    state = dict(model.state_dict())
    meta = dict(cfg='', mmengine_version='0.10')
    for name, content in (
        ('of another code', dict(state_dict=state)),
        ('without meta', state),
        ('a ResNet', dict(meta=meta, state_dict={'layer1.weight': torch.ones(1)})),
        ('no weights', dict(meta=meta, state_dict={})),
        ('a list', [1, 2]),
        ('code', dict(meta=meta, state_dict=state, x=Payload(tmp_path / 'trace'))),
    ):
        torch.save(content, checkpoint)
        with pytest.raises(CheckpointError, match=re.escape(str(checkpoint))) as caught:
            publish(config, checkpoint, tmp_path / 'out')
        assert '\n' not in str(caught.value), name
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match='cannot be read'):
        publish(config, checkpoint, tmp_path / 'out')
    with pytest.raises(FileNotFoundError, match='gone'):
        publish(config, tmp_path / 'gone.pth', tmp_path / 'out')
    assert not (tmp_path / 'out').exists() and not (tmp_path / 'trace').exists()


def test_an_alignment_is_not_published(run, tmp_path):
    config, _, checkpoint = run()
    config.write_text(ALIGNER)
    with pytest.raises(CheckpointError, match=r'CLIPSelfAligner.*encoder\.safetensors'):
        publish(config, checkpoint, tmp_path / 'out')


def test_suffix(tmp_path):
    with pytest.raises(CheckpointError, match='suffix'):
        publish('a.py', 'b.pth', tmp_path, suffix='.onnx')


def test_the_tool(run, tmp_path, repo_root, monkeypatch, capsys):
    config, _, checkpoint = run(with_encoder=True)
    tool = str(repo_root / 'tools/model_converters/publish_model.py')

    def call(*arguments):
        monkeypatch.setattr(sys, 'argv', [tool, *map(str, arguments)])
        runpy.run_path(tool, run_name='__main__')

    call(config, checkpoint, tmp_path / 'out')
    said = capsys.readouterr().out
    (path,) = (tmp_path / 'out').iterdir()
    assert str(path) in said and sha256(path.read_bytes()).hexdigest() in said
    assert 'frozen encoder' in said and 'optimizer' in said
    with pytest.raises(SystemExit, match=r'publish_model: .*gone'):
        call(config, tmp_path / 'gone.pth', tmp_path / 'out')


@pytest.mark.slow
def test_a_published_detector_goes_through_the_test_tool(tmp_path, repo_root):
    """Trained by the runner, published, tested by tools/test.py: the same figures."""
    import json
    import subprocess

    from mmengine.runner import Runner

    from openvocab.datasets.ov_shapes.writer import write_ov_shapes

    data = tmp_path / 'data'
    write_ov_shapes(data, {'train': 8, 'val': 4})
    config = repo_root / 'configs/fvit/fvit_ov-shapes-u_1xb8-1e_ov-shapes.py'
    options = {'work_dir': str(tmp_path / 'run'), 'train_cfg.max_epochs': 1}
    for part in ('train', 'val', 'test'):
        options |= {
            f'{part}_dataloader.dataset.data_root': str(data),
            f'{part}_dataloader.num_workers': 0,
            f'{part}_dataloader.persistent_workers': False,
        }
    annotations = str(data / 'annotations/instances_val.json')
    options |= {'val_evaluator.ann_file': annotations}
    options |= {'test_evaluator.ann_file': annotations}
    cfg = Config.fromfile(config)
    cfg.merge_from_dict(options)
    Runner.from_cfg(cfg).train()
    checkpoint = tmp_path / 'run/epoch_1.pth'
    published = publish(config, checkpoint, tmp_path / 'out')
    assert published.path.stat().st_size < checkpoint.stat().st_size / 2
    rows = []
    for path in (checkpoint, published.path):
        out = tmp_path / path.stem
        settings = [f'{key}={value}' for key, value in options.items()]
        done = subprocess.run(
            [sys.executable, 'tools/test.py', config, path, '--out', out]
            + ['--cfg-options', *settings],
            cwd=repo_root,
            env={**os.environ, 'PYTHONPATH': str(repo_root)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        (row,) = json.loads((out / 'report.json').read_text())
        rows.append({key: value for key, value in row.items() if 'bbox' in key})
    assert rows[0] and rows[0] == rows[1]
