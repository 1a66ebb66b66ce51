import argparse

import pytest
import torch
from mmengine.config import Config

from openvocab.engine import launch
from openvocab.engine.arguments import add_run_arguments


def test_amp_replaces_the_plain_wrapper_only():
    if torch.cuda.is_available():
        pytest.skip('the choice depends on the GPU')
    cfg = Config(dict(optim_wrapper=dict(optimizer=dict(type='SGD'))))
    launch.enable_amp(cfg)
    assert cfg.optim_wrapper.type == 'openvocab.AutocastOptimWrapper'
    cfg = Config(dict(optim_wrapper=dict(type='AmpOptimWrapper')))
    launch.enable_amp(cfg)
    assert cfg.optim_wrapper.type == 'AmpOptimWrapper'


def test_auto_scale_lr():
    cfg = Config(dict(auto_scale_lr=dict(enable=False, base_batch_size=8)))
    launch.enable_auto_scale_lr(cfg)
    assert cfg.auto_scale_lr.enable
    with pytest.raises(ValueError, match='base_batch_size'):
        launch.enable_auto_scale_lr(Config())


@pytest.mark.parametrize('given', [{}, dict(visualizer=dict(type='DetVisualizer'))])
def test_tensorboard_joins_the_other_backends(monkeypatch, given):
    monkeypatch.setattr(launch, 'find_spec', lambda name: name)
    cfg = Config(given)
    for _ in range(2):
        launch.enable_tensorboard(cfg)
        types = [backend.type for backend in cfg.visualizer.vis_backends]
        assert types == ['LocalVisBackend', 'TensorboardVisBackend']
    assert (
        cfg.visualizer.type == given.get('visualizer', dict(type='Visualizer'))['type']
    )
    monkeypatch.setattr(launch, 'find_spec', lambda name: None)
    with pytest.raises(ValueError, match='pip install tensorboard'):
        launch.enable_tensorboard(cfg)


def test_resume(tmp_path):
    path = tmp_path / 'some.pth'
    path.touch()
    for given, load_from in ((None, None), ('auto', None), (str(path), str(path))):
        cfg = Config(dict(resume=False, load_from=None))
        launch.set_resume(cfg, given)
        assert cfg.resume is (given is not None)
        assert cfg.load_from == load_from
    with pytest.raises(FileNotFoundError, match='absent'):
        launch.set_resume(cfg, 'absent.pth')


@pytest.mark.parametrize('place', ['default_hooks', 'custom_hooks', None])
def test_report_is_added_once(place):
    hook = dict(type='openvocab.ReportHook', out_dir='there')
    content = dict(default_hooks=dict(report=hook), custom_hooks=[hook])
    cfg = Config({place: content[place]} if place else {})
    launch.ensure_report(cfg)
    found = [*cfg.get('default_hooks', {}).values(), *(cfg.get('custom_hooks') or [])]
    assert [h['type'] for h in found] == ['openvocab.ReportHook']
    assert found[0].get('out_dir') == ('there' if place else None)
    launch.ensure_report(cfg, 'here', 'name')
    assert found[0]['out_dir'] == 'here' and found[0]['method'] == 'name'


def test_options_that_do_not_fit_the_config_are_named(tmp_path):
    path = tmp_path / 'config.py'
    path.write_text('batch = 3\n')
    parser = argparse.ArgumentParser()
    parser.add_argument('config')
    add_run_arguments(parser)
    for flag in ('--local-rank', '--local_rank'):
        assert parser.parse_args([str(path), flag, '1']).local_rank == 1
    args = parser.parse_args([str(path), '--cfg-options', 'batch.size=4'])
    with pytest.raises(ValueError, match=r'--cfg-options: .*batch'):
        launch.load_run(args)
    args = parser.parse_args([str(path), '--cfg-options', 'batch=4'])
    cfg = launch.load_run(args)
    assert cfg.batch == 4 and cfg.work_dir == 'work_dirs/config'


def test_a_syntax_error_names_the_config(tmp_path):
    path = tmp_path / 'config.py'
    path.write_text('model = dict(\n')
    with pytest.raises(ValueError, match=r'config\.py, or what it inherits: .*closed'):
        launch.read_config(path)


def test_a_missing_file_of_weights_is_named_with_its_key():
    there = dict(checkpoint='openvocab://ov-shapes-u', arch='ov-shapes-u')
    cfg = Config(
        dict(
            model=dict(
                backbone=dict(**there, init_cfg=dict(checkpoint='openmmlab://x')),
                text_bank=dict(encoder=dict(checkpoint='laion2b_s34b_b88k')),
            )
        )
    )
    launch.check_weight_files(cfg)
    cfg.model.teachers = [dict(checkpoint='hf-hub:a/b/c'), dict(checkpoint='no/a.pt')]
    with pytest.raises(FileNotFoundError, match=r'^model\.teachers\.1\.checkpoint: no'):
        launch.check_weight_files(cfg)
    with pytest.raises(ValueError, match='no model'):
        launch.check_weight_files(Config())
