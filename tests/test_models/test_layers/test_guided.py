import pytest
import torch
import torch.nn.functional as F

from openvocab.models.layers import GuidedConv, GuidedLinear, GuidedUpsampling


@torch.no_grad()
def test_linear_in_two_halves_equals_the_concatenation():
    layer = GuidedLinear(5, 3, 4)
    features, guidance = torch.randn(2, 7, 6, 5), torch.randn(2, 6, 3)
    both = torch.cat([features, guidance[:, None].expand(-1, 7, -1, -1)], dim=-1)
    got = layer(features, layer.guide(guidance)[:, None])
    torch.testing.assert_close(got, F.linear(both, layer.weight, layer.bias))


@torch.no_grad()
def test_convolution_in_two_halves_equals_the_concatenation():
    layer = GuidedConv(5, 3, 4)
    maps, guidance = torch.randn(2, 7, 5, 6, 9), torch.randn(2, 3, 6, 9)
    both = torch.cat([maps, guidance[:, None].expand(-1, 7, -1, -1, -1)], dim=2)
    got = layer(maps.flatten(0, 1), layer.guide(guidance))
    expected = F.conv2d(both.flatten(0, 1), layer.weight, padding=1)
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-4)


def test_guidance_must_leave_channels():
    with pytest.raises(ValueError, match='leaves none of 8 to the map'):
        GuidedUpsampling(8, 4, 8)
