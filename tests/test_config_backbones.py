"""``configs/_base_/backbones``: an encoder is stated once and swapped in one line."""

from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from openvocab.models.backbones import CLIPBackbone
from openvocab.registry import MODELS

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
ENCODERS = sorted((CONFIGS / '_base_/backbones').glob('*.py'))
SOURCES = {path: path.read_text() for path in sorted(CONFIGS.rglob('*.py'))}
METHODS = [
    'clip/clip_eva02-b16_coco-512.py',
    'fvit/fvit_eva02-b16_8xb8-3e_ov-coco.py',
    'cat_seg/cat_seg_vit-b16-openai_4xb1-80k_coco-stuff.py',
    'san/san_vit-b16-openai_8xb4-60k_coco-stuff.py',
    'logoseg/logoseg_vit-b16-openai_4xb1-80k_coco-stuff.py',
    'training_free/training_free_vit-b16-openai-clearclip_voc21.py',
]


def by_stem(path: Path) -> str:
    return path.stem


def encoder_of(path: Path) -> dict[str, Any]:
    return Config.fromfile(path).encoder.to_dict()


def swapped(folder: Path, method: str, encoder: Path) -> Config:
    """What the line of configs/README.md gives."""
    path = folder / 'child.py'
    path.write_text(
        f"_base_ = ['{CONFIGS / method}', '{encoder}']\n"
        'model = dict(backbone=_base_.encoder)\n'
    )
    return Config.fromfile(path)


@pytest.mark.parametrize('path', ENCODERS, ids=by_stem)
def test_a_file_is_one_encoder(path):
    cfg = Config.fromfile(path)
    assert list(cfg) == ['encoder']
    encoder = cfg.encoder
    assert encoder.arch and encoder.checkpoint
    # whatever the method reads out, a preset reads what it was aligned for
    assert ('type' in encoder) == ('readout' in encoder) == ('init_cfg' in encoder)
    if 'type' in encoder:
        assert issubclass(MODELS.get(encoder.type), CLIPBackbone)
        assert encoder.readout is None and encoder.init_cfg.type == 'Pretrained'


@pytest.mark.parametrize('path', ENCODERS, ids=by_stem)
def test_a_file_is_used(path):
    assert [text for text in SOURCES.values() if f'/{path.name}' in text]


def test_aligned_weights_are_named_once():
    aligned = [path for path in ENCODERS if 'init_cfg' in encoder_of(path)]
    assert aligned
    for path in aligned:
        name = encoder_of(path)['init_cfg']['checkpoint']
        assert [p for p, text in SOURCES.items() if name in text] == [path]


@pytest.mark.parametrize('method', METHODS, ids=lambda name: name.split('/')[0])
@pytest.mark.parametrize('name', ['eva02-b16-declip', 'vit-b16-openclip'])
def test_one_line_changes_the_encoder_alone(method, name, tmp_path):
    path = CONFIGS / f'_base_/backbones/{name}.py'
    before = Config.fromfile(CONFIGS / method).model.to_dict()
    after = swapped(tmp_path, method, path).model.to_dict()
    backbone = before.pop('backbone')
    assert after.pop('backbone') == {**backbone, **encoder_of(path)}
    assert after == before
