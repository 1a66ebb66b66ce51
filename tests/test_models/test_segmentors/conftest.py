"""A segmentor around the tiny CLIP of OV-Shapes, random weights, with a simple head."""

import pytest
import torch
import torch.nn.functional as F
from mmengine.model import BaseModule

from openvocab.models.segmentors import OVSegmentor


class CosineHead(BaseModule):
    """Cosines of the dense map and the rows, times a learned scale."""

    def __init__(self, in_channels, strides) -> None:
        super().__init__()
        self.in_channels, self.strides = in_channels, strides
        self.scale = torch.nn.Parameter(torch.tensor(20.0))

    def forward(self, features, text):
        dense = F.normalize(features[-1], dim=1)
        return self.scale * torch.einsum('bdhw,kd->bkhw', dense, text)

    def activate(self, logits):
        return logits.sigmoid()

    def loss(self, features, text, labels):
        logits = self(features, text)
        logits = F.interpolate(logits, labels.shape[-2:], mode='bilinear')
        return dict(loss=F.cross_entropy(logits, labels, ignore_index=-1))


@pytest.fixture
def make_segmentor():
    """Build an :class:`OVSegmentor`; keyword arguments replace its own."""

    def make(vocabulary=('sky', 'grass', 'red circle'), **changes) -> OVSegmentor:
        settings = dict(
            backbone=dict(type='openvocab.CLIPBackbone', arch='ov-shapes-u'),
            text_bank=dict(type='openvocab.TextBank', vocabulary=vocabulary),
            decode_head=dict(type=CosineHead),
        )
        return OVSegmentor(**{**settings, **changes}).eval()

    return make
