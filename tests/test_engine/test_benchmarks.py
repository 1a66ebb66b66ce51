"""One config, several benchmarks."""

import copy
from functools import cache
from pathlib import Path

import pytest
from mmengine.config import Config

from openvocab.engine.benchmarks import (
    benchmark_names,
    own_benchmark,
    select_benchmark,
)
from openvocab.vocab import Vocabulary

FOLDER = Path(__file__).parents[2] / 'configs' / 'training_free'
METHODS = sorted(FOLDER.glob('*_voc21.py'))
EIGHT = {
    'voc21', 'pc60', 'coco_object', 'pas20', 'pc59', 'coco_stuff', 'a150', 'cityscapes',
}  # fmt: skip
# facts of the public code: canvas, crop, stride, logit scale, prob_thd, area_thd
PROTOCOLS = {
    'sclip': {
        'voc21': (336, 224, 112, 65, 0.1, 0.1),
        'pc60': (336, 224, 112, 50, 0.1, None),
        'coco_object': (336, 224, 112, 50, 0.1, None),
        'pas20': (336, 224, 112, 40, None, None),
        'pc59': (336, 224, 112, 40, None, None),
        'coco_stuff': (448, 224, 112, 40, None, None),
        'a150': (336, 224, 112, 40, None, None),
        'cityscapes': (560, 224, 112, 40, None, None),
    },
    'clearclip': {
        'voc21': (448, 448, 224, 50, 0.5, None),
        'pc60': (448, 448, 224, 50, 0.15, None),
        'coco_object': (448, 448, 224, 50, 0.4, None),
        'pas20': (448, 448, 224, 50, None, None),
        'pc59': (448, 448, 224, 50, None, None),
        'coco_stuff': (448, 448, 224, 50, None, None),
        'a150': (448, 448, 224, 50, None, None),
        'cityscapes': (448, 224, 224, 50, None, None),
    },
    'naclip': {
        'pc60': (336, 224, 112, 40, 0.1, None),
        'coco_object': (336, 224, 112, 40, 0.1, None),
        'pc59': (336, 224, 112, 40, None, None),
        'coco_stuff': (448, 224, 112, 40, None, None),
        'a150': (336, 224, 112, 40, None, None),
        'cityscapes': (560, 224, 112, 40, None, None),
    },
    'proxyclip': {
        'voc21': (336, 336, 112, 40, 0.2, None),
        'pc60': (336, 336, 112, 40, 0.15, None),
        'coco_object': (336, 336, 112, 40, 0.25, None),
        'pas20': (336, 336, 112, 40, None, None),
        'pc59': (336, 336, 112, 40, None, None),
        'coco_stuff': (336, 336, 112, 40, None, None),
        'a150': (448, 336, 112, 40, None, None),
        'cityscapes': (448, 224, 112, 40, None, None),
    },
    'declip': {
        'voc21': (448, 336, 112, 80, 0.4, None),
        'pc60': (448, 336, 112, 40, 0.15, None),
        'coco_object': (448, 336, 112, 40, 0.2, None),
        'pas20': (448, 336, 112, 40, None, None),
        'pc59': (448, 336, 112, 40, None, None),
        'coco_stuff': (448, 336, 112, 40, None, None),
        'a150': (448, 336, 112, 40, None, None),
        'cityscapes': (560, 336, 112, 40, None, None),
    },
}


@cache
def read(path: Path) -> Config:
    return Config.fromfile(path)


def selected(path: Path, name: str) -> Config:
    cfg = copy.deepcopy(read(path))
    select_benchmark(cfg, name)
    return cfg


@pytest.mark.parametrize('path', METHODS, ids=lambda path: path.stem)
def test_every_method_has_the_eight_benchmarks(path):
    names = benchmark_names(read(path))
    assert names[0] == 'voc21' and set(names) == EIGHT
    for name in names:
        cfg = selected(path, name)
        model, dataset = cfg.model, cfg.test_dataloader.dataset
        vocabulary = Vocabulary.load(dataset.vocabulary)
        assert Vocabulary.load(model.text_bank.vocabulary).hash == vocabulary.hash
        # thresholds exactly where there is a background
        has_background = 'background' in vocabulary.names
        assert has_background == (name in ('voc21', 'pc60', 'coco_object'))
        assert (model.get('prob_thd') is not None) == has_background
        assert not model.get('area_thd') or has_background
        original = read(
            FOLDER.parent / '_base_' / 'datasets' / f'{name}_segmentation.py'
        ).test_dataloader.dataset
        assert dataset.data_root == original.data_root
        assert dataset.data_prefix == original.data_prefix
        assert len(vocabulary) == len(Vocabulary.load(original.vocabulary))
        assert [step.type for step in dataset.pipeline] == [
            'LoadImageFromFile', 'openvocab.LoadOVAnnotations', 'PackSegInputs',
        ]  # fmt: skip
        assert cfg.test_evaluator.train_vocabulary is None


@pytest.mark.parametrize(
    ('method', 'name'), [(m, n) for m, table in PROTOCOLS.items() for n in table]
)
def test_protocols_are_the_published_ones(method, name):
    (path,) = [p for p in METHODS if p.stem.endswith(f'-{method}_voc21')]
    model = selected(path, name).model
    canvas, crop, stride, scale, prob_thd, area_thd = PROTOCOLS[method][name]
    windows = model.inference
    assert (windows.canvas, windows.crop, windows.stride) == (canvas, crop, stride)
    assert windows.keep_ratio and windows.global_weight == 0
    assert (model.get('prob_thd'), model.get('area_thd')) == (prob_thd, area_thd)
    assert model.logit_scale == scale
    assert model.text_bank.prompts == 'imagenet80'


def test_names_come_from_the_file_and_its_table(tmp_path):
    path = tmp_path / 'method_encoder_coco-object.py'
    path.write_text('benchmarks = dict(pc59=dict())\n')
    cfg = Config.fromfile(path)
    assert own_benchmark(cfg) == 'coco_object'
    assert benchmark_names(cfg) == ('coco_object', 'pc59')
    before = cfg.to_dict()
    select_benchmark(cfg, 'coco_object')
    assert cfg.to_dict() == before


def test_unknown_benchmarks_are_named(tmp_path):
    path = tmp_path / 'method_encoder_voc21.py'
    path.write_text('benchmarks = dict(pascal=dict())\n')
    with pytest.raises(ValueError, match=r"'a150' is none of .*voc21\.py: voc21, pasc"):
        select_benchmark(Config.fromfile(path), 'a150')
    with pytest.raises(ValueError, match=r'no config .*pascal_segmentation\.py'):
        select_benchmark(Config.fromfile(path), 'pascal')
