"""Exported programs do what the model does, in a process that lacks the package."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import Tensor, nn

from openvocab.deployment import (
    EncoderProgram,
    ProgramError,
    export_program,
    load_program,
    model_maps,
    save_program,
)
from openvocab.deployment.image_programs import program_of
from openvocab.deployment.program_file import TOLERANCE, differences
from openvocab.registry import MODELS

ROOT = Path(__file__).resolve().parents[2]
CAT_SEG = 'cat_seg/cat_seg_ov-shapes-u_1xb4-240i_ov-shapes.py'
FVIT = 'fvit/fvit_ov-shapes-u_1xb8-1e_ov-shapes.py'
slow = pytest.mark.slow
LEAVES = [
    CAT_SEG,
    FVIT,
    pytest.param('san/san_ov-shapes-u_1xb8-450i_ov-shapes.py', marks=slow),
    pytest.param('logoseg/logoseg_ov-shapes-u_1xb4-240i_ov-shapes.py', marks=slow),
    'training_free/training_free_ov-shapes-u_ov-shapes.py',
]
CLASSES = ['sky', 'red circle', 'a dog']
SIZE = (64, 96)


# What the F-ViT configs of the papers normalise with, whatever their CLIP's own are.
IMAGENET = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])


def build(leaf: str, **preprocessor) -> nn.Module:
    cfg = Config.fromfile(ROOT / 'configs' / leaf)
    cfg.merge_from_dict(dict(model=dict(data_preprocessor=preprocessor)))
    init_default_scope(cfg.default_scope)
    model = MODELS.build(cfg.model).eval()
    model.set_vocabulary(CLASSES)
    return model


@pytest.mark.parametrize('leaf', LEAVES, ids=lambda leaf: leaf.split('/')[0])
def test_a_program_equals_the_model_from_disk(leaf, tmp_path):
    model = build(leaf)
    program = program_of(model).eval()
    exported = export_program(program, SIZE, batch=2)
    save_program(exported, tmp_path / 'a.pt2', dict(classes=CLASSES))
    loaded, record = load_program(tmp_path / 'a.pt2')
    assert record == dict(classes=CLASSES)
    images = torch.rand(2, 3, *SIZE) * 255
    with torch.no_grad():
        expected, found = program(images), loaded(images)
    assert list(expected) == list(found)
    assert max(differences(expected, found).values()) < TOLERANCE
    scores = expected['similarity' if 'fvit' in leaf else 'logits']
    assert scores.shape[:2] == (2, 3)


def preprocessed(model: nn.Module, images: Tensor) -> Tensor:
    data = dict(inputs=list(images.flip(1).to(torch.uint8)))  # BGR, as files are read
    inputs = model.data_preprocessor(dict(data, data_samples=None))['inputs']
    assert inputs.shape == images.shape
    return inputs


@pytest.mark.parametrize('statistics', [{}, IMAGENET, dict(mean=None, std=None)])
@torch.no_grad()
def test_a_segmentor_says_what_its_model_says(statistics):
    model = build(CAT_SEG, **statistics)
    images = torch.randint(256, (1, 3, *SIZE)).float()
    expected = model.encode_decode(preprocessed(model, images))
    torch.testing.assert_close(program_of(model)(images)['logits'], expected)
    torch.testing.assert_close(model_maps(model, images)['logits'], expected)


@pytest.mark.parametrize('statistics', [{}, IMAGENET])
@torch.no_grad()
def test_a_detector_says_what_its_model_says(statistics):
    model = build(FVIT, pad_size_divisor=32, **statistics)
    images = torch.randint(256, (2, 3, *SIZE)).float()
    features = model.extract_feat(preprocessed(model, images))
    scores, deltas = model.rpn_head(features)
    for found in (program_of(model)(images), model_maps(model, images)):
        torch.testing.assert_close(found['level0'], features[0])
        torch.testing.assert_close(found['dense'], features.dense)
        torch.testing.assert_close(found['objectness2'], scores[2])
        torch.testing.assert_close(found['deltas1'], deltas[1])


@torch.no_grad()
def test_any_other_models_encoder_sees_what_it_sees_in_the_model():
    cfg = dict(
        type='openvocab.RegionRecognizer',
        backbone=dict(type='openvocab.CLIPBackbone', arch='ov-shapes-u'),
        text_bank=dict(type='openvocab.TextBank', vocabulary=CLASSES),
        data_preprocessor=dict(
            type='openvocab.ImagePreprocessor', bgr_to_rgb=True, **IMAGENET
        ),
    )
    model = MODELS.build(cfg).eval()
    images = torch.randint(256, (1, 3, *SIZE)).float()
    (dense,) = model.backbone(preprocessed(model, images))
    for found in (program_of(model)(images), model_maps(model, images)):
        torch.testing.assert_close(found['dense'], dense)


def test_an_encoder_alone_normalises_as_it_was_trained():
    model = build(FVIT, **IMAGENET)
    program = EncoderProgram(model.backbone)
    expected = 255 * torch.tensor(model.backbone.mean)
    torch.testing.assert_close(program.mean.flatten(), expected)
    assert not torch.equal(program.mean, program_of(model).mean)


def test_a_program_is_held_against_the_model():
    model = build(FVIT, **IMAGENET)
    program = program_of(model)
    program.mean += 5
    with pytest.raises(ProgramError, match='is off by'):
        export_program(program, SIZE, reference=partial(model_maps, model))


def test_the_vocabulary_is_baked_in():
    model = build(CAT_SEG)
    program = program_of(model).eval()
    images = torch.rand(1, 3, *SIZE) * 255
    with torch.no_grad():
        before = program(images)['logits']
        model.set_vocabulary(['sand'])
        assert model.text_bank().shape[0] == 1  # the model is its own still
        torch.testing.assert_close(program(images)['logits'], before)


def test_similarities_are_cosines():
    with torch.no_grad():
        found = program_of(build(FVIT))(torch.rand(1, 3, *SIZE) * 255)
    assert found['similarity'].abs().max() <= 1 + 1e-5


class Untraceable(EncoderProgram):
    def forward(self, images):
        return dict(dense=images * (1 if images.sum() > 0 else 2))


class Forgetful(EncoderProgram):
    """Depends on something that a trace does not see."""

    calls = 0

    def forward(self, images):
        self.calls += 1
        return dict(dense=images + self.calls)


@pytest.mark.parametrize(
    ('kind', 'message'),
    [(Untraceable, 'Untraceable cannot be exported'), (Forgetful, 'output dense')],
)
def test_a_program_that_differs_is_refused(kind, message):
    with pytest.raises(ProgramError, match=message):
        export_program(kind(build(CAT_SEG).backbone), SIZE)


def test_files_that_are_no_programs(tmp_path):
    exported = export_program(EncoderProgram(build(CAT_SEG).backbone), (16, 16))
    with pytest.raises(ValueError, match=r'end with \.pt2'):
        save_program(exported, tmp_path / 'a.onnx', {})
    save_program(exported, tmp_path / 'a.pt2', {})
    content = (tmp_path / 'a.pt2').read_bytes()
    (tmp_path / 'cut.pt2').write_bytes(content[: len(content) // 2])
    with pytest.raises(ProgramError, match=r'cut\.pt2 cannot be read'):
        load_program(tmp_path / 'cut.pt2')
    torch.export.save(exported, tmp_path / 'foreign.pt2')
    with pytest.raises(ProgramError, match=r'has no openvocab\.json'):
        load_program(tmp_path / 'foreign.pt2')
    with pytest.raises(FileNotFoundError, match=r'missing\.pt2'):
        load_program(tmp_path / 'missing.pt2')


def test_the_tool_writes_what_torch_alone_runs(tmp_path):
    sys.path.insert(0, str(ROOT / 'tools' / 'deployment'))
    try:
        import export_model
    finally:
        sys.path.pop(0)
    out = tmp_path / 'encoder.pt2'
    config = str(ROOT / 'configs' / FVIT)
    arguments = ['--out', str(out), '--size', '32', '48', '--texts', 'sky, a dog']
    export_model.main([config, *arguments, '--encoder-only'])
    code = (
        'import sys, json, torch\n'
        'maps = torch.export.load(sys.argv[1]).module()(torch.ones(1, 3, 32, 48))\n'
        'assert "openvocab" not in sys.modules\n'
        'print(json.dumps({k: list(v.shape) for k, v in maps.items()}))'
    )
    done = subprocess.run(
        [sys.executable, '-c', code, str(out)],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert json.loads(done.stdout)['dense'] == [1, 96, 4, 6]
    assert load_program(out)[1]['classes'] == ['sky', 'a dog']
    for nothing in (['--texts', ' , '], ['--texts', ''], ['--vocab', '']):
        with pytest.raises(SystemExit, match='export_model: '):
            export_model.main(
                [config, '--out', str(out), '--size', '32', '48', *nothing]
            )
    with pytest.raises(SystemExit, match='needs multiples of 8'):
        export_model.main([config, '--out', str(out), '--size', '30', '48'])
