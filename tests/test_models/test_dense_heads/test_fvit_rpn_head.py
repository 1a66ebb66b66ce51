"""The RPN with norms: same interface, one norm per convolution."""

import pytest
import torch
from mmdet.models import RPNHead
from mmengine.registry import init_default_scope

from openvocab.models.dense_heads import FViTRPNHead

SETTINGS = dict(
    in_channels=8, feat_channels=8, num_convs=2,
    anchor_generator=dict(
        type='mmdet.AnchorGenerator', scales=[8], ratios=[1.0], strides=[3.5, 7]),
    bbox_coder=dict(type='mmdet.DeltaXYWHBBoxCoder'),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmdet')  # of the losses that mmdet's heads take by default


def test_only_norms_are_added_and_released_names_kept():
    plain, normed = (
        RPNHead(**SETTINGS),
        FViTRPNHead(norm_cfg=dict(type='BN'), **SETTINGS),
    )
    extra = set(normed.state_dict()) - set(plain.state_dict())
    assert {key.rsplit('.', 1)[0] for key in extra} == {
        'rpn_conv.0.bn', 'rpn_conv.1.bn'}  # fmt: skip
    # a convolution before a norm has no bias
    missing = set(plain.state_dict()) - set(normed.state_dict())
    assert missing == {'rpn_conv.0.conv.bias', 'rpn_conv.1.conv.bias'}
    maps = [torch.randn(2, 8, 6, 5), torch.randn(2, 8, 3, 2)]
    for one, other in zip(plain(maps), normed(maps), strict=True):
        assert [m.shape for m in one] == [m.shape for m in other]


def test_anchors_of_fractional_strides_lie_on_their_grid():
    head = FViTRPNHead(norm_cfg=dict(type='BN'), **SETTINGS)
    fine, _ = head.prior_generator.grid_priors([(4, 4), (2, 2)], device='cpu')
    centres = (fine[:, :2] + fine[:, 2:]) / 2
    assert centres[:3, 0].tolist() == [0.0, 3.5, 7.0]
    assert (fine[:, 2:] - fine[:, :2] == 28.0).all()
