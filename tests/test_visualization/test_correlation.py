"""Correlations and attention of an anchor, as maps and as a figure."""

import runpy
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from openvocab.models.backbones import GEM, CLIPBackbone, ProxyCLIP, save_encoder
from openvocab.models.teachers import VFMTeacher
from openvocab.visualization.correlation import (
    Row,
    attention_map,
    block_maps,
    correlation_figure,
    correlation_map,
    encoder_input,
    token_of,
)

TOOL = Path(__file__).parents[2] / 'tools' / 'analysis_tools' / 'correlation_maps.py'
CLIP = dict(arch='ov-shapes-u', checkpoint='openvocab://ov-shapes-u')
ANCHOR = (0.5, 0.3)


class Colours(VFMTeacher):
    """Mean colours of 4 px patches."""

    def __init__(self):
        super().__init__(4, (0.5,) * 3, (0.5,) * 3)
        self.weight = torch.nn.Parameter(torch.ones(()))

    def encode(self, images):
        return F.avg_pool2d(images, 4) * self.weight


@pytest.fixture
def image():
    """Blue above, red below."""
    picture = np.zeros((48, 80, 3), np.uint8)
    picture[:24, :, 0], picture[24:, :, 2] = 255, 255
    return picture


def test_correlation_is_the_cosine_to_the_anchors_token():
    features = torch.randn(5, 3, 4) * 3
    found = correlation_map(features, (0.6, 0.9))
    for row in range(3):
        for column in range(4):
            cosine = F.cosine_similarity(
                features[:, row, column], features[:, 2, 2], dim=0
            )
            torch.testing.assert_close(found[row, column], cosine)


def test_anchors_are_shares_of_the_image():
    assert token_of((0.0, 0.0), (3, 4)) == (0, 0)
    assert token_of((0.999, 0.5), (3, 4)) == (1, 3)
    for outside in ((1.0, 0.5), (0.5, -0.1)):
        with pytest.raises(ValueError, match='does not lie in the image'):
            token_of(outside, (3, 4))


def test_encoder_input_is_normalised_and_fits(image):
    encoder = Colours()
    images = encoder_input(image, encoder, 81)
    assert images.shape == (1, 3, 48, 80)
    # RGB of the lower half is red: (1 - 0.5) / 0.5
    torch.testing.assert_close(images[0, :, -1, 0], torch.tensor([1.0, -1.0, -1.0]))
    found = correlation_map(encoder(images)[0], ANCHOR)
    torch.testing.assert_close(found[0], torch.ones(20))
    torch.testing.assert_close(found[-1], torch.full((20,), -1 / 3))
    assert encoder_input(image, encoder, 42).shape == (1, 3, 24, 40)


@torch.no_grad()
def test_attention_is_the_anchors_row_of_the_weights():
    backbone = CLIPBackbone(
        **CLIP, readout=dict(type='openvocab.SelfSelfReadout', projections='k')
    ).eval()
    images = torch.randn(1, 3, 48, 80)
    found = attention_map(backbone, images, ANCHOR)
    assert found.shape == (6, 10)
    (tokens,), grid = backbone.tower.first_blocks(images, [3])
    view = backbone.tower.view(-1, grid)
    keys = view.keys(tokens, rope=False)[0]
    weights = (keys @ keys.mT / keys.shape[-1] ** 0.5).softmax(-1).mean(0)
    row = 1 + 1 * 10 + 5  # the class token, then row 1 and column 5
    torch.testing.assert_close(found.flatten(), weights[row, 1:])
    assert found.sum() < 1  # the rest goes to the class token


@torch.no_grad()
def test_attention_of_every_kind_of_encoder():
    images = torch.randn(1, 3, 48, 80)
    value = CLIPBackbone(**CLIP, readout=dict(type='openvocab.ValueReadout'))
    expected = torch.zeros(6, 10)
    expected[1, 5] = 1
    assert torch.equal(attention_map(value, images, ANCHOR), expected)
    assert attention_map(GEM(**CLIP, blocks=2), images, ANCHOR).shape == (6, 10)
    proxy = attention_map(ProxyCLIP(**CLIP, vfm=Colours()), images, ANCHOR)
    assert proxy.shape == (12, 20)
    torch.testing.assert_close(proxy.sum(), torch.tensor(1.0))
    readout = dict(type='openvocab.ClassResidualReadout')
    with pytest.raises(NotImplementedError, match='has no attention weights'):
        attention_map(CLIPBackbone(**CLIP, readout=readout), images, ANCHOR)


@torch.no_grad()
def test_maps_of_blocks():
    readout = dict(type='openvocab.ClearCLIPReadout')
    backbone = CLIPBackbone(**CLIP, readout=readout, out_indices=(1, 3)).eval()
    images = torch.randn(1, 3, 48, 80)
    maps = block_maps(backbone, images, ANCHOR)
    assert [tuple(each.shape) for each in maps] == [(6, 10)] * 4
    second, last, _ = backbone(images)
    torch.testing.assert_close(maps[1], correlation_map(second[0], ANCHOR))
    torch.testing.assert_close(maps[3], correlation_map(last[0], ANCHOR))
    with pytest.raises(ValueError, match='GEM has no outputs of single blocks'):
        block_maps(GEM(**CLIP, blocks=2), images, ANCHOR)


def test_figure_marks_the_anchor_in_every_picture(image):
    rows = [Row('first', (0.25, 0.5), [torch.rand(3, 4), torch.rand(6, 5)])]
    figure = correlation_figure(image, ['a', 'b'], rows, cell_width=160)
    assert figure.shape == (28 + 4 + 96, 3 * 160 + 2 * 4, 3)
    for column in range(3):
        assert figure[32 + 48, column * 164 + 40].tolist() == [0, 0, 255]
    with pytest.raises(ValueError, match='2 maps of first do not fit 1 titles'):
        correlation_figure(image, ['a'], rows)


@pytest.fixture
def files(tmp_path, image):
    """A picture, a config of a segmentor, one of a VFM and an aligned encoder."""
    cv2.imwrite(str(tmp_path / 'image.png'), image)
    backbone = dict(type='openvocab.CLIPBackbone', **CLIP)
    (tmp_path / 'clip.py').write_text(f'model = dict(backbone={backbone})\n')
    vfm = dict(
        type='openvocab.TimmViT', arch='vit_tiny_patch16_224', img_size=32, depth=1,
        checkpoint=None,
    )  # fmt: skip
    (tmp_path / 'vfm.py').write_text(f'vfm = {vfm}\n')
    aligned = CLIPBackbone(**CLIP)
    with torch.no_grad():
        for parameter in aligned.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    save_encoder(aligned, tmp_path / 'encoder.safetensors')
    return tmp_path


def run(files, *arguments):
    out = files / 'deep' / 'maps.png'
    clip = str(files / 'clip.py')
    runpy.run_path(str(TOOL))['main']([
        str(files / 'image.png'), '--configs', clip, clip, '--titles', 'A', 'B',
        '--encoders', '-', str(files / 'encoder.safetensors'), '--size', '80',
        '--device', 'cpu', '--out', str(out), *arguments,
    ])  # fmt: skip
    figure = cv2.imread(str(out))
    cells = (figure.shape[0] - 28) // 196, (figure.shape[1] + 4) // 324
    return figure, cells


def test_tool_shows_features_of_encoders_readouts_and_vfms(files):
    figure, cells = run(
        files, '--anchors', '40,12', '40,36', '--readouts', 'VanillaReadout',
        'NACLIPReadout', '--vfms', str(files / 'vfm.py'),
    )  # fmt: skip
    assert cells == (2, 1 + 2 * 2 + 1)
    first, second = (figure[32:224, 324 * c : 324 * c + 320] for c in (1, 3))
    assert (first != second).any()  # the aligned encoder's weights were loaded


def test_tool_shows_attention_and_blocks(files):
    assert run(files, '--anchors', '9,9', '--kind', 'attention')[1] == (1, 3)
    assert run(files, '--anchors', '9,9', '70,9', '--kind', 'blocks')[1] == (4, 5)


def test_tool_reports_bad_input(files, capsys):
    with pytest.raises(SystemExit, match=r'--anchors 80,12: not in the image, 80 x'):
        run(files, '--anchors', '80,12')
    with pytest.raises(SystemExit, match='ResNetReadout'):
        run(files, '--anchors', '1,1', '--readouts', 'ResNetReadout')
    with pytest.raises(SystemExit, match='names no vfm'):
        run(files, '--anchors', '1,1', '--vfms', str(files / 'clip.py'))
    for wrong, message in (
        (['--anchors', '3'], "'3' is not X,Y"),
        (['--anchors', '1,1', '--kind', 'blocks', '--vfms', 'a.py'], 'features only'),
        (['--anchors', '1,1', '--titles', 'A'], 'one per config expected'),
    ):
        with pytest.raises(SystemExit, match='2'):
            run(files, *wrong)
        assert message in capsys.readouterr().err
