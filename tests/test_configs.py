"""Every config: name, metafile row, README, and one step at real size."""

import re
from pathlib import Path

import pytest
import torch
import yaml
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope

from openvocab.registry import MODELS
from openvocab.structures import RegionDataSample
from openvocab.testing import random_region_batch, without_weights

ROOT = Path(__file__).resolve().parents[1]
LEAVES = sorted(p for p in (ROOT / 'configs').glob('[!_]*/*.py'))
METHODS = ('clip', 'clipself', 'densevlm')
# {method}_{encoder}[-{alignment}]_{detail and schedule}_{dataset}
NAME = re.compile(
    r'^(?P<method>[a-z]+)_(?P<encoder>[a-z0-9-]+)(_(?P<schedule>(pretrain_)?\d+xb\d+'
    r'[a-z0-9-]*))?_(?P<dataset>(coco|ade20k)-\d+|ov-shapes)$'
)


def ident(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize('path', LEAVES, ids=ident)
def test_name_length_and_round_trip(path, tmp_path):
    match = NAME.match(path.stem)
    assert match and match['method'] == path.parent.name
    assert len(path.read_text().splitlines()) <= 30
    cfg = Config.fromfile(path)
    assert cfg.default_scope in ('mmengine', 'mmdet', 'mmseg')
    cfg.dump(tmp_path / 'dumped.py')
    again = Config.fromfile(tmp_path / 'dumped.py')
    assert again.to_dict() == cfg.to_dict()


@pytest.mark.parametrize('method', METHODS)
def test_metafile_and_readme_cover_the_folder(method):
    folder = ROOT / 'configs' / method
    meta = yaml.safe_load((folder / 'metafile.yml').read_text())
    rows = {ROOT / model['Config'] for model in meta['Models']}
    assert rows == {p for p in LEAVES if p.parent == folder}
    collection = meta['Collections'][0]
    assert (ROOT / collection['README']).exists()
    assert {model['In Collection'] for model in meta['Models']} == {collection['Name']}
    readme = (ROOT / collection['README']).read_text()
    for model in meta['Models']:
        for result in model.get('Results', [])[:1]:
            first = next(iter(result['Metrics'].values()))
            assert str(first) in readme, model['Name']
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    assert f'configs/{method}/metafile.yml' in index['Import']


def typed_dicts(node, path=''):
    """All outermost dicts with a type, with their keys."""
    if isinstance(node, (dict, ConfigDict)):
        if 'type' in node:
            yield path, node
            return
        for key, value in node.items():
            yield from typed_dicts(value, f'{path}.{key}')
    elif isinstance(node, (list, tuple)):
        for index, value in enumerate(node):
            yield from typed_dicts(value, f'{path}[{index}]')


@pytest.mark.parametrize(
    'path', sorted((ROOT / 'configs/_base_').rglob('*.py')), ids=ident
)
def test_base_types_say_their_scope(path):
    cfg = Config.fromfile(path)
    for key, node in typed_dicts(cfg._cfg_dict.to_dict()):
        prefixed = '.' in node['type']
        assert prefixed or node.get('_scope_'), f'{path.name}: {key}'


SMALL = [p for p in LEAVES if 'ov-shapes' in p.stem and 'pretrain' not in p.stem]
REAL = [p for p in LEAVES if 'ov-shapes' not in p.stem]


def run_once(path: Path, image_size: int) -> None:
    """One training step (where there is a loss) and one prediction."""
    cfg = without_weights(Config.fromfile(path).model)
    if cfg.get('scales'):  # smaller ones: a CPU takes minutes at 896 px
        cfg.scales = (image_size, image_size + 32)
    init_default_scope('mmengine')
    torch.manual_seed(0)
    model = MODELS.build(cfg)
    crop_size = model.backbone.image_size
    inputs, samples = random_region_batch(
        images=2, size=image_size, regions=3, crop_size=crop_size,
        classes=len(model.text_bank.vocabulary),
    )  # fmt: skip
    batch = model.data_preprocessor(dict(inputs=inputs, data_samples=samples), True)
    if 'optim_wrapper' in Config.fromfile(path):
        trainable = {n: p for n, p in model.named_parameters() if p.requires_grad}
        assert trainable and all(n.startswith('backbone.') for n in trainable)
        model.train()
        losses = model(**batch, mode='loss')
        loss, _ = model.parse_losses(losses)
        assert torch.isfinite(loss)
        loss.backward()
        unused = [n for n, p in trainable.items() if p.grad is None]
        assert not unused
    model.eval()
    found = model(**batch, mode='predict')
    assert all(isinstance(sample, RegionDataSample) for sample in found)
    assert found[0].predictions['masks'].topk.shape[1] == 5


@pytest.mark.parametrize('path', SMALL, ids=ident)
def test_small_configs_step_and_predict(path):
    run_once(path, image_size=128)


@pytest.mark.slow
@pytest.mark.parametrize('path', REAL, ids=ident)
def test_published_configs_step_and_predict_at_real_size(path):
    run_once(path, image_size=224)
