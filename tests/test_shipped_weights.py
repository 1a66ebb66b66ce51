"""The tiny models that ship with the package: size, and what they can tell."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from safetensors.torch import load_file
from torch.nn.functional import normalize as normalize_rows

import openvocab
from openvocab.datasets.ov_shapes import World
from openvocab.datasets.ov_shapes.scene import draw_scene
from openvocab.datasets.ov_shapes.views import ViewStatistics, draw_view
from openvocab.models.backbones import CLIPBackbone
from openvocab.models.pretraining.segment_pretrainer import token_shares
from openvocab.models.recognizers.image_preprocessor import preprocessor_config
from openvocab.models.text import TextBank
from openvocab.registry import MODELS

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS = Path(openvocab.__file__).parent / 'weights'
# The world's 46 classes make chance 2.2 %.
# CLIPSelf costs the P-VLM crop accuracy for what it gains on regions.
LEAST_THING_ACCURACY = {'ov-shapes-u': 0.6, 'ov-shapes-p': 0.3}


def test_they_are_small_and_half_precision():
    files = sorted(WEIGHTS.glob('*.safetensors'))
    assert [f.stem for f in files] == ['ov-shapes-p', 'ov-shapes-u', 'ov-shapes-vfm']
    assert sum(f.stat().st_size for f in files) <= 8_000_000
    for file in files:
        assert {v.dtype for v in load_file(file).values()} == {torch.float16}


@pytest.mark.parametrize('arch', LEAST_THING_ACCURACY)
def test_they_read_things_that_fill_the_picture(arch, tmp_path):
    checkpoint = f'openvocab://{arch}'
    backbone = CLIPBackbone(arch, checkpoint)
    bank = TextBank(
        'ov_shapes', dict(arch=arch, checkpoint=checkpoint), cache_dir=str(tmp_path)
    )
    views = ViewStatistics(thing_share=1.0, stuff_share=0.0, stuff_in_caption=0.0)
    drawn = [
        draw_view(np.random.default_rng([99, i]), World(), views) for i in range(120)
    ]
    images = np.stack([image for image, _, _ in drawn]).transpose(0, 3, 1, 2)
    normalize = MODELS.build(preprocessor_config(backbone.mean, backbone.std))
    inputs = normalize(dict(inputs=torch.from_numpy(images)))['inputs']
    with torch.no_grad():
        best = (backbone.encode_image(inputs) @ bank().T).argmax(1)
    names = bank.vocabulary.names
    correct = [
        names[i] == phrase for i, (_, _, phrase) in zip(best, drawn, strict=True)
    ]
    assert np.mean(correct) > LEAST_THING_ACCURACY[arch]


def test_the_vfm_knows_which_tokens_belong_together():
    """Scenes that it never saw: tokens of one segment are alike, others are not."""
    config = Config.fromfile(ROOT / 'configs/_base_/models/ov_shapes_vfm.py')
    vfm = MODELS.build(config.vfm)
    scenes = [draw_scene(np.random.default_rng([77, i]), World()) for i in range(8)]
    images = np.stack([scene.image for scene in scenes]).transpose(0, 3, 1, 2)
    normalize = MODELS.build(preprocessor_config(vfm.mean, vfm.std))
    inputs = normalize(dict(inputs=torch.from_numpy(images)))['inputs']
    segments = torch.zeros(len(scenes), *images.shape[-2:], dtype=torch.int32)
    for number, scene in enumerate(scenes):
        for index, segment in enumerate(scene.segments):
            segments[number][torch.from_numpy(segment.mask)] = index + 1
    shares = token_shares(segments, vfm.patch_size)
    same = shares @ shares.mT
    tokens = normalize_rows(vfm(inputs).flatten(2).mT, dim=2)
    cosine = tokens @ tokens.mT
    assert cosine[same > 0.9].mean() > 0.8
    assert cosine[same < 0.1].mean() < 0.2
