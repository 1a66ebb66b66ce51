"""Operations by part, against products counted by hand."""

import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from openvocab.analysis.flops import count_flops, text_flops

ROOT = Path(__file__).resolve().parents[2]


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Conv2d(3, 4, 2, stride=2, bias=False)
        self.decode_head = Head(self.backbone)
        self.idle = nn.Linear(2, 2)

    def forward(self, x):
        return self.decode_head(self.backbone(x)) @ torch.ones(5, 7)


class Head(nn.Module):
    """Runs the backbone once more: not its own work."""

    def __init__(self, backbone):
        super().__init__()
        self.project = nn.Linear(4, 5, bias=False)
        self.outer = [backbone]

    def forward(self, maps):
        tokens = self.project(maps.flatten(2).mT)
        tokens = F.scaled_dot_product_attention(*[tokens[:, None]] * 3)[:, 0]
        self.outer[0](torch.zeros(1, 3, 2, 2))
        return tokens


def test_counts_by_hand():
    model = Model().requires_grad_(False)
    found = count_flops(model, lambda: model(torch.zeros(2, 3, 8, 6)))
    tokens = 2 * 4 * 3
    attention = 2 * 2 * 2 * (4 * 3) ** 2 * 5
    assert found == {
        'decode_head': tokens * 2 * 4 * 5 + attention,
        'student': tokens * 2 * 12 * 4 + 2 * 12 * 4,
        'other': tokens * 2 * 5 * 7,
    }
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_text_is_linear_in_sentences():
    class Encoder(nn.Module):
        def encode(self, texts):
            return torch.ones(len(texts), 3) @ torch.ones(3, 4)

    assert text_flops(Encoder(), ['a', 'b']) == 2 * text_flops(Encoder(), ['a']) == 48


@pytest.mark.parametrize(
    'leaf',
    [
        'fvit/fvit_ov-shapes-u_1xb8-1e_ov-shapes.py',
        'cat_seg/cat_seg_ov-shapes-u_1xb4-240i_ov-shapes.py',
        'san/san_ov-shapes-u_1xb8-450i_ov-shapes.py',
        'clip/clip_ov-shapes-u_ov-shapes.py',
    ],
)
def test_the_tool_counts_any_model(leaf, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(ROOT / 'tools' / 'analysis_tools'))
    sys.modules.pop('get_flops', None)
    import get_flops

    path = str(ROOT / 'configs' / leaf)
    get_flops.main([path, '--shape', '64', '96', '--classes', '7'])
    out = capsys.readouterr().out
    assert 'once for 7 classes' in out and '64 x 96' in out


def test_the_tool_refuses_what_predicts_nothing(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / 'tools' / 'analysis_tools'))
    import get_flops

    leaf = 'clip/clip_ov-shapes-u_pretrain_1xb256-20e_ov-shapes.py'
    path = next((ROOT / 'configs/clip').glob('*pretrain*'), ROOT / 'configs' / leaf)
    with pytest.raises(SystemExit, match='predicts nothing'):
        get_flops.main([str(path)])
