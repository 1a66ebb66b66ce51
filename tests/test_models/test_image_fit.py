import torch

from openvocab.models.image_fit import fit_images


def test_fitting_batch_is_returned_untouched():
    images = torch.randn(2, 3, 32, 48)
    fitted = fit_images(images, 16)
    assert fitted.images is images and fitted.scale == (1.0, 1.0)
    boxes = [torch.rand(3, 4)]
    assert fitted.scale_boxes(boxes) is boxes


def test_rounds_down_to_the_patch():
    fitted = fit_images(torch.randn(1, 3, 512, 512), 14)
    assert fitted.images.shape[-2:] == (504, 504)


def test_boxes_follow_each_axis():
    fitted = fit_images(torch.randn(1, 3, 30, 45), 14)
    assert fitted.images.shape[-2:] == (28, 42)
    (box,) = fitted.scale_boxes([torch.tensor([[0.0, 0, 45, 30], [9, 15, 45, 30]])])
    expected = torch.tensor([[0.0, 0, 42, 28], [8.4, 14, 42, 28]])
    torch.testing.assert_close(box, expected)


def test_long_side_keeps_the_aspect_and_the_content():
    # a linear ramp stays the same ramp, up to the border
    ramp = torch.arange(64.0).expand(1, 3, 32, 64)
    fitted = fit_images(ramp, 16, long_side=128)
    assert fitted.images.shape[-2:] == (64, 128) and fitted.scale == (2.0, 2.0)
    expected = (torch.arange(128) + 0.5) / 2 - 0.5
    torch.testing.assert_close(fitted.images[0, 0, 5, 2:-2], expected[2:-2])


def test_small_image_keeps_one_patch():
    assert fit_images(torch.randn(1, 3, 5, 40), 16).images.shape[-2:] == (16, 32)
