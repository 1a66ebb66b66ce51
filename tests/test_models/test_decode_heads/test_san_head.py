"""The head at the size of the published configs, without weights."""

from pathlib import Path

import pytest
from mmengine.config import Config

from openvocab.models.backbones import CLIPBackbone
from openvocab.registry import MODELS

MODEL_CONFIGS = Path(__file__).parents[3] / 'configs/_base_/models'
# name -> trainable parameters, those of the position table among them, levels, split
SIZES = dict(
    san=(8_370_866, 197 * 768, (0, 3, 6, 9), 9),
    san_l14=(9_321_650, 577 * 1024, (0, 6, 12, 18), 18),
)


@pytest.mark.slow
@pytest.mark.parametrize('name', SIZES)
def test_size_of_the_published_models(name):
    """8.37 M is what the log of the released ViT-B/16 model states."""
    config = Config.fromfile(MODEL_CONFIGS / f'{name}.py').model
    encoder = CLIPBackbone(config.backbone.arch)
    head = MODELS.build(dict(config.decode_head, encoder=encoder))
    assert not any(p.requires_grad for p in encoder.parameters())
    total, positions, levels, split = SIZES[name]
    assert head.position_offset.numel() == positions
    assert sum(p.numel() for p in head.parameters() if p.requires_grad) == total
    assert (head.levels, head.split) == (levels, split)
