"""mmseg's SAN and ours, one set of weights: the same masks, the same scores."""

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.logging import MessageHub
from mmengine.registry import DefaultScope
from mmseg.models.backbones import VisionTransformer
from mmseg.models.decode_heads.san_head import SideAdapterCLIPHead
from mmseg.models.text_encoder import CLIPTextEncoder
from torch import nn

from helpers.tiny_clip import write_arch
from openvocab.converters import ADAPTERS, detect
from openvocab.converters.conversion import inspect_file
from openvocab.models.backbones import CLIPBackbone
from openvocab.models.decode_heads import SANHead

WIDTH, HEADS, JOINT, SIDE, QUERIES = 128, 2, 48, 48, 5
CLASSES = 7


class SANOfMMSeg(nn.Module):
    """The modules of mmseg's ``MultimodalEncoderDecoder``, a tenth of their size."""

    def __init__(self) -> None:
        super().__init__()
        self.image_encoder = VisionTransformer(
            img_size=(64, 64),
            patch_size=8,
            patch_pad=0,
            patch_bias=False,
            embed_dims=WIDTH,
            num_layers=6,
            num_heads=HEADS,
            out_origin=True,
            out_indices=(1, 3, 5),
            output_cls_token=True,
            pre_norm=True,
            norm_cfg=dict(type='LN', eps=1e-5),
            act_cfg=dict(type='QuickGELU'),
            interpolate_mode='bicubic',
            frozen_exclude=['pos_embed'],
        )
        self.text_encoder = CLIPTextEncoder(
            dataset_name='voc12aug',
            templates='vild',
            embed_dims=64,
            num_layers=1,
            num_heads=1,
            output_dims=JOINT,
            cat_bg=True,
        )
        self.decode_head = SideAdapterCLIPHead(
            num_classes=CLASSES,
            deep_supervision_idxs=[7],
            san_cfg=ConfigDict(
                in_channels=3,
                clip_channels=WIDTH,
                embed_dims=SIDE,
                num_queries=QUERIES,
                cfg_encoder=dict(num_encode_layer=8, num_heads=4, mlp_ratio=4),
                fusion_index=[0, 1, 2, 3],
                cfg_decoder=dict(
                    num_heads=HEADS,
                    num_layers=1,
                    embed_channels=32,
                    mlp_channels=32,
                    num_mlp=3,
                    rescale=True,
                ),
                norm_cfg=dict(type='LN', eps=1e-6),
            ),
            maskgen_cfg=ConfigDict(
                sos_token_num=QUERIES,
                num_layers=2,
                embed_dims=WIDTH,
                num_heads=HEADS,
                out_dims=JOINT,
                act_cfg=dict(type='QuickGELU'),
                norm_cfg=dict(type='LN', eps=1e-5),
            ),
            train_cfg=None,
        )

    def forward(self, images, smaller, rows):
        return self.decode_head([images, self.image_encoder(smaller), rows], [7])


@pytest.fixture(scope='module')
def theirs() -> SANOfMMSeg:
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmseg'):
        model = SANOfMMSeg().eval()
    for parameter in model.parameters():
        # no zeros and no ones, or a wrong assignment would not show
        noise = (
            torch.randn_like(parameter) * 0.3 / max(parameter.shape[-1:] or (1,)) ** 0.5
        )
        parameter.data.add_(noise)
    return model


@pytest.fixture(scope='module')
def ours(theirs, tmp_path_factory) -> tuple[CLIPBackbone, SANHead]:
    arch = tmp_path_factory.mktemp('arch') / 'tiny.json'
    vision = dict(image_size=64, patch_size=8, width=WIDTH, layers=8, head_width=64)
    text = dict(context_length=8, vocab_size=16, width=8, heads=1, layers=1)
    write_arch(arch, vision, text, JOINT, quick_gelu=True)
    torch.manual_seed(1)
    model = nn.Module()
    model.backbone = CLIPBackbone(str(arch))
    side = dict(width=SIDE, num_heads=4, num_queries=QUERIES, decoder_width=32)
    model.decode_head = SANHead(model.backbone, side=side)
    conversion = ADAPTERS['san_mmseg'].from_upstream(theirs.state_dict())
    assert conversion.problems == ()
    model.load_state_dict(conversion.state, strict=True)
    return model.backbone, model.decode_head.eval()


@pytest.mark.parametrize(
    'size, smaller',
    [((640, 640), (64, 64)), ((96, 160), (48, 80)), ((64, 48), (64, 48))],
)
@torch.no_grad()
def test_same_masks_and_scores(theirs, ours, size, smaller):
    backbone, head = ours
    torch.manual_seed(2)
    images, shown = torch.randn(2, 3, *size), torch.randn(2, 3, *smaller)
    text = nn.functional.normalize(torch.randn(CLASSES, JOINT), dim=1)
    background = nn.functional.normalize(theirs.text_encoder.bg_embed, dim=1)
    rows = backbone.logit_scale * torch.cat([text, background])
    masks, scores = theirs(images, shown, rows)
    found = head(images, shown, backbone, text, with_aux=True)
    assert len(found) == len(masks) == 2
    for ours_, mask, score in zip(found, masks, scores, strict=True):
        assert mask.std() > 1e-2 and score.std() > 1e-2
        torch.testing.assert_close(ours_.masks, mask, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(ours_.scores, score, rtol=1e-4, atol=1e-4)


def test_every_weight_has_a_say(theirs, ours):
    """What was mapped changed nothing by chance: other weights, other output."""
    backbone, head = ours
    before = head(*_inputs(backbone))[-1]
    for name in ('side.query_embed', 'side.fusion.3.1.weight', 'background'):
        parameter = head.get_parameter(name)
        kept = parameter.data.clone()
        parameter.data.add_(0.5)
        after = head(*_inputs(backbone))[-1]
        parameter.data.copy_(kept)
        assert not torch.allclose(before.scores, after.scores)


def _inputs(backbone):
    torch.manual_seed(3)
    text = nn.functional.normalize(torch.randn(CLASSES, JOINT), dim=1)
    return torch.randn(1, 3, 64, 64), torch.randn(1, 3, 32, 32), backbone, text


def test_round_trip(theirs):
    upstream = theirs.state_dict()
    adapter = ADAPTERS['san_mmseg']
    assert detect(upstream) is adapter
    conversion = adapter.from_upstream(dict(state_dict=upstream, meta={}))
    dropped = set(conversion.dropped)
    assert dropped and all(key.startswith('text_encoder.') for key in dropped)
    back = adapter.to_upstream(conversion.state)
    assert back.keys() == upstream.keys() - dropped
    assert all(torch.equal(back[key], upstream[key]) for key in back)


def test_what_mmengine_saved_is_read(theirs, tmp_path):
    """Its checkpoints hold log buffers, which are no plain values."""
    hub = MessageHub('san-of-mmseg')
    hub.update_scalar('train/loss', torch.tensor(0.5))
    hub.update_info('iter', 7)
    content = dict(
        meta=dict(epoch=0, iter=7, cfg='', seed=np.int64(3)),
        state_dict=theirs.state_dict(),
        message_hub=hub.state_dict(),
        optimizer=dict(state={}, param_groups=[dict(lr=1e-4)]),
        param_schedulers=[],
    )
    torch.save(content, tmp_path / 'iter_7.pth')
    found = inspect_file(tmp_path / 'iter_7.pth', family='san_mmseg')
    assert found.conversion.missing == found.conversion.unknown == ()
    assert found.conversion.state.keys() == (
        ADAPTERS['san_mmseg'].from_upstream(theirs.state_dict()).state.keys()
    )


def test_both_families_are_one_model(theirs):
    """mmseg's names to the authors': same tensors, CLIP cut at the same block."""
    state = ADAPTERS['san_mmseg'].from_upstream(theirs.state_dict()).state
    released = ADAPTERS['san'].to_upstream(state)
    again = ADAPTERS['san'].from_upstream(released)
    assert again.missing == ()
    assert again.state.keys() == state.keys()
    assert all(torch.equal(again.state[key], state[key]) for key in state)
