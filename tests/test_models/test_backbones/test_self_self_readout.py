"""Self-self attention against explicit matrices."""

import pytest
import torch

from openvocab.models.backbones import CLIPBackbone, DeCLIP, SelfSelfReadout


class Block:
    """A last block whose projections are what the test says."""

    def __init__(self, heads):
        self.heads = heads

    def queries(self, tokens, rope):
        assert rope is False
        return self.heads['q']

    def keys(self, tokens, rope):
        assert rope is False
        return self.heads['k']

    def values(self, tokens):
        return self.heads['v']


@pytest.mark.parametrize('letters', ['q', 'k', 'v', 'qk', 'qkv'])
@pytest.mark.parametrize('scale', [None, 1.0])
def test_rows_attend_to_rows_that_resemble_them(letters, scale):
    generator = torch.Generator().manual_seed(0)
    heads = {p: torch.randn(2, 3, 5, 4, generator=generator) for p in 'qkv'}
    context = SelfSelfReadout(letters, attn_scale=scale).attend(Block(heads), None)
    expected = 0
    for letter in letters:
        p = heads[letter]
        logits = p @ p.mT * (0.5 if scale is None else scale)
        expected = expected + logits.softmax(-1) @ heads['v']
    torch.testing.assert_close(context, expected)


def test_unread_projections_do_not_train_and_are_in_the_record():
    backbone = CLIPBackbone(
        'ov-shapes-u', readout=dict(type='openvocab.SelfSelfReadout', projections='q'),
        trainable_blocks=-1,
    )  # fmt: skip
    backbone(torch.randn(1, 3, 64, 40))[-1].sum().backward()
    for name, parameter in backbone.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
    assert backbone.record()['readout']['projections'] == ['q']
    assert SelfSelfReadout('q').record() != SelfSelfReadout('k').record()


def test_declip_reads_csa_without_residual_and_ffn():
    record = DeCLIP(arch='ov-shapes-u').record()['readout']
    assert record == dict(
        type='SelfSelfReadout', residual=False, ffn=False, attn_scale=1.0, rope=False,
        projections=['q', 'k'],
    )  # fmt: skip


@pytest.mark.parametrize('letters', ['', 'x', ('q', 'w')])
def test_unknown_projections_are_named(letters):
    with pytest.raises(ValueError, match='choose from q, k and v'):
        SelfSelfReadout(letters)
