import pytest
import torch
from mmengine.model import ImgDataPreprocessor

from openvocab.models.recognizers import ImagePreprocessor

STATISTICS = dict(mean=[10.0, 20.0, 30.0], std=[2.0, 4.0, 5.0], bgr_to_rgb=True)


def images(*sizes):
    generator = torch.Generator().manual_seed(0)
    shapes = [(3, *size) for size in sizes]
    return [
        torch.randint(256, shape, generator=generator).to(torch.uint8)
        for shape in shapes
    ]


@pytest.mark.parametrize('as_tensor', [True, False])
def test_equals_mmengine_on_images_of_one_size(as_tensor):
    batch = images((7, 10), (7, 10), (7, 10))
    batch = torch.stack(batch) if as_tensor else batch
    ours = ImagePreprocessor(**STATISTICS)(dict(inputs=batch))
    theirs = ImgDataPreprocessor(**STATISTICS)(dict(inputs=batch))
    assert ours['data_samples'] is None
    assert torch.equal(ours['inputs'], theirs['inputs'])


def test_other_sizes_are_padded_with_black():
    small, large = images((4, 6), (7, 5))
    preprocessor = ImagePreprocessor(**STATISTICS, pad_size_divisor=4)
    out = preprocessor(dict(inputs=[small, large], data_samples=['a', 'b']))
    assert out['data_samples'] == ['a', 'b']
    assert out['inputs'].shape == (2, 3, 8, 8)
    black = torch.tensor([-5.0, -5.0, -6.0])  # (0 - mean) / std
    assert torch.equal(out['inputs'][0, :, 7, 0], black)
    assert torch.equal(out['inputs'][1, :, 0, 7], black)
    expected = (small.flip(0)[:, 3, 5] - torch.tensor([10, 20, 30])) / torch.tensor(
        [2.0, 4, 5]
    )
    assert torch.equal(out['inputs'][0, :, 3, 5], expected)
