import math

import pytest
import torch
from mmengine.structures import InstanceData

from openvocab.converters.pack_vfm import pack_vfm
from openvocab.models.pretraining import SegmentPretrainer
from openvocab.models.pretraining.segment_pretrainer import token_shares
from openvocab.models.teachers import TimmViT
from openvocab.structures import RegionDataSample

VFM = dict(
    type='openvocab.TimmViT',
    arch='vit_small_patch16_224.dino',
    img_size=32,
    patch_size=8,
    embed_dim=32,
    depth=1,
    num_heads=2,
)


def batch(seed=0):
    """Images of two halves in random colours, side by side or one above the other."""
    generator = torch.Generator().manual_seed(seed)
    inputs, samples = [], []
    for index in range(4):
        colours = torch.randint(256, (2, 3, 1, 1), generator=generator)
        image = colours[0].expand(3, 32, 32).clone()
        segments = torch.ones(32, 32, dtype=torch.int32)
        part = (slice(None), slice(16, None)) if index % 2 else (slice(16, None),)
        image[(slice(None), *part)], segments[part] = colours[1], 2
        sample = RegionDataSample(segment_map=segments)
        sample.regions = InstanceData(bboxes=torch.zeros(2, 4))
        inputs.append(image.to(torch.uint8))
        samples.append(sample)
    return dict(inputs=inputs, data_samples=samples)


def test_shares_by_hand():
    segments = torch.tensor([[[1, 1, 2, 2], [1, 2, 2, 0], [3, 3, 0, 0], [3, 3, 0, 0]]])
    expected = [[0.75, 0.25, 0], [0, 0.75, 0], [0, 0, 1], [0, 0, 0]]
    assert token_shares(segments, 2)[0].tolist() == expected


def test_loss_by_hand():
    """Two tokens of two segments whose features have the cosine 1, 0 and -1."""

    class Fixed(torch.nn.Module):
        mean, std, patch_size = (0.5,) * 3, (0.5,) * 3, 8

        def encode(self, images):
            return self.features

    model = SegmentPretrainer(VFM, scale=4.0, threshold=0.5)
    model.vfm = Fixed()
    sample = RegionDataSample(segment_map=torch.ones(8, 16, dtype=torch.int32))
    sample.segment_map[:, 8:] = 2
    for angle, cosine in ((0, 1), (math.pi / 2, 0), (math.pi, -1)):
        second = (math.cos(angle), math.sin(angle))
        model.vfm.features = 3 * torch.tensor([(1.0, 0.0), second]).T.view(1, 2, 1, 2)
        losses = model(torch.zeros(1, 3, 8, 16), [sample])
        same = math.log1p(math.exp(-4 * 0.5))
        other = math.log1p(math.exp(4 * (cosine - 0.5)))
        assert losses['loss_segment'].item() == pytest.approx((same + other) / 2)
        assert losses['pair_accuracy'] == (0.5 if cosine == 1 else 1.0)


def test_training_packing_and_reading(tmp_path):
    torch.manual_seed(0)
    model = SegmentPretrainer(VFM).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for step in range(25):
        data = model.data_preprocessor(batch(step), True)
        loss = model(**data)['loss_segment']
        optimizer.zero_grad()
        loss.backward()
        assert all(p.grad is not None for p in model.parameters())
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'epoch_1.pth')
    packed = tmp_path / 'vfm.safetensors'
    assert len(pack_vfm(tmp_path / 'epoch_1.pth', packed)) == 64
    config = {k: v for k, v in VFM.items() if k != 'type'}
    vfm = TimmViT(**config, checkpoint=packed)
    images = model.data_preprocessor(batch(), True)['inputs']
    features, expected = vfm(images), model.vfm(images)
    assert torch.nn.functional.cosine_similarity(features, expected).min() > 0.999


def test_refusals(tmp_path):
    with pytest.raises(
        ValueError, match=r"no mode 'predict'; use its VFM as a teacher"
    ):
        SegmentPretrainer(VFM)(torch.zeros(1, 3, 8, 8), None, 'predict')
    torch.save(dict(a=torch.zeros(1)), tmp_path / 'other.pth')
    with pytest.raises(ValueError, match=r"no key starts with 'vfm\.trunk\.'"):
        pack_vfm(tmp_path / 'other.pth', tmp_path / 'out.safetensors')
    torch.save({'vfm.trunk.a': torch.zeros(1)}, tmp_path / 'vfm.pth')
    with pytest.raises(ValueError, match=r'written to a \.safetensors file'):
        pack_vfm(tmp_path / 'vfm.pth', tmp_path / 'out.pth')
