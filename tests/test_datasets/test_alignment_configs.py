"""Data set configs of alignment: one size throughout, crops as encoders read them."""

from pathlib import Path

import pytest
from mmengine.config import Config, ConfigDict

from openvocab.models.clip_factory import clip_image_size

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
SIZES = dict(
    coco_grid=512,
    coco_grid_crops=512,
    coco_declip_560=560,
    coco_declip_560_l14=560,
    coco_declip_896_l14=896,
    coco_declip_1024=1024,
    ov_shapes_grid=128,
    ov_shapes_grid_crops=128,
)
WITH_CROPS = sorted(
    path
    for folder in ('clipself', 'declip')
    for path in (CONFIGS / folder).glob('*.py')
    if 'pretrain' not in path.stem
)


def steps(pipeline: list[ConfigDict]) -> dict[str, ConfigDict]:
    """Steps by the names of their classes."""
    return {step.type.split('.')[-1]: step for step in pipeline}


@pytest.mark.parametrize('name, size', SIZES.items())
def test_one_size_throughout(name, size):
    cfg = Config.fromfile(CONFIGS / f'_base_/datasets/{name}.py')
    assert cfg.img_size == size
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        found = steps(loader.dataset.pipeline)
        assert found['ResizeLongest'].size == size
        assert tuple(found['Pad'].size) == (size, size)
    assert cfg.train_dataloader.dataset.pipeline == cfg.train_pipeline
    assert cfg.val_dataloader == cfg.test_dataloader


@pytest.mark.parametrize('path', WITH_CROPS, ids=lambda path: path.stem)
def test_crops_have_the_size_of_the_encoder(path):
    cfg = Config.fromfile(path)
    found = steps(cfg.train_dataloader.dataset.pipeline)
    assert found['CropRegions'].size == clip_image_size(cfg.model.backbone.arch)
    assert 'KeepOriginalImage' in found


@pytest.mark.parametrize('path', WITH_CROPS, ids=lambda path: path.stem)
def test_prompts_of_the_region_report(path):
    """Those of the published figures; on OV-Shapes the same one for all methods."""
    prompts = Config.fromfile(path).model.text_bank.prompts
    assert prompts == ('densevlm' if 'ov-shapes' in path.stem else 'vild63')
