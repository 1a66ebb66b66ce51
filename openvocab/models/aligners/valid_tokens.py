"""Which tokens of a letter-boxed batch show a picture."""

from collections.abc import Sequence

import torch
from torch import Tensor


def valid_tokens(
    shapes: Sequence[tuple[int, int]],
    size: tuple[int, int],
    grid: tuple[int, int],
    device: torch.device,
) -> Tensor:
    """Marks tokens whose centre lies in the picture.

    Pictures stand at the top left, padding at the bottom and the right. The result is
    made on the host and copied without waiting for the device.

    Args:
        shapes: Height and width of every picture without padding, in pixels.
        size: Height and width of the padded images, in pixels.
        grid: Tokens (h, w) of the padded images.
        device: Where the result lives.

    Returns:
        (B, h * w) bool; all true where there is no padding.
    """
    inside = []
    for axis in (0, 1):
        centres = (torch.arange(grid[axis]) + 0.5) * (size[axis] / grid[axis])
        ends = torch.tensor([float(shape[axis]) for shape in shapes])
        inside.append(centres < ends[:, None])
    valid = inside[0][:, :, None] & inside[1][:, None]
    return valid.flatten(1).to(device, non_blocking=True)
