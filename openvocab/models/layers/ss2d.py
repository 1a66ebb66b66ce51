"""SS2D: a selective state space that scans a map in four directions.

Shape legend: B images, h x w tokens, L = h * w, C channels in and out, E channels
inside, M = 4 directions, N states per channel, R rank of the step sizes.
"""

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from openvocab.registry import MODELS

from .linear_recurrence import linear_recurrence

_DIRECTIONS = 4
_MIN_STEP, _MAX_STEP = 1e-3, 0.1


@MODELS.register_module()
class SS2D(nn.Module):
    """Long-range context of maps of any size, at a cost linear in their tokens.

    Along each of four sequences (row by row, column by column, and both backwards), a
    token x_t updates a state and reads it::

        step_t = softplus(W_step W_low x_t + b)       B_t, C_t linear in x_t
        h_t    = exp(-step_t exp(a)) h_{t-1} + step_t B_t x_t
        y_t    = <C_t, h_t> + skip x_t

    Each channel has N states. The four readings are put back in place and summed.
    Steps, states and readings are float32, also under autocast. There is no loop over
    tokens, see :func:`linear_recurrence`; kernels of other libraries are not needed.

    Args:
        dim: C.
        state: N.
        expand: E in multiples of C.
        step_rank: R; by default C / 16, rounded up.
        kernel: Side of the depth-wise convolution before the scan, odd.
        gate: Multiply what was read by a gate of the input.

    Source: Liu et al., "VMamba: Visual State Space Model", NeurIPS 2024, which LoGoSeg
    cites (Eq. 9) without sizes. Ours: one state and no gate are VMamba's final base
    configuration, 16 states with a gate its first; no widening.
    """

    def __init__(
        self,
        dim: int,
        state: int = 1,
        expand: float = 1.0,
        step_rank: int | None = None,
        kernel: int = 3,
        gate: bool = False,
    ) -> None:
        super().__init__()
        if kernel % 2 == 0:
            raise ValueError(f'kernel={kernel} must be odd: the map keeps its size')
        inner, rank = int(dim * expand), step_rank or math.ceil(dim / 16)
        self.state, self.rank, self.gate = state, rank, gate
        self.project_in = nn.Linear(dim, inner * (2 if gate else 1), bias=False)
        self.conv = nn.Conv2d(inner, inner, kernel, padding=kernel // 2, groups=inner)
        self.select = nn.Parameter(torch.empty(_DIRECTIONS, inner, rank + 2 * state))
        self.step_weight = nn.Parameter(torch.empty(_DIRECTIONS, rank, inner))
        self.step_bias = nn.Parameter(torch.empty(_DIRECTIONS, inner))
        self.decay_log = nn.Parameter(torch.empty(_DIRECTIONS, inner, state))
        self.skip_weight = nn.Parameter(torch.ones(_DIRECTIONS, inner))
        self.norm = nn.LayerNorm(inner)
        self.project_out = nn.Linear(inner, dim, bias=False)
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Steps begin log-uniform in [0.001, 0.1], the n-th state decays n-fold."""
        bound = self.select.shape[1] ** -0.5
        self.select.uniform_(-bound, bound)
        self.step_weight.uniform_(-(self.rank**-0.5), self.rank**-0.5)
        low, high = math.log(_MIN_STEP), math.log(_MAX_STEP)
        steps = torch.empty_like(self.step_bias).uniform_(low, high).exp()
        self.step_bias.copy_(steps + (-(-steps).expm1()).log())  # softplus inverted
        speeds = torch.arange(1, self.state + 1, dtype=torch.float32)
        self.decay_log.copy_(speeds.log().expand_as(self.decay_log))

    def forward(self, maps: Tensor) -> Tensor:
        """Mix all tokens, (B, h, w, C) to the same."""
        x = self.project_in(maps)
        gate = None
        if self.gate:
            x, gate = x.chunk(2, dim=-1)
        x = self.conv(rearrange(x, 'b h w e -> b e h w'))
        x = F.silu(rearrange(x, 'b e h w -> b h w e'))
        with torch.autocast(x.device.type, enabled=False):
            read = self.scan(to_sequences(x.float()))
            y = F.layer_norm(
                from_sequences(read, x.shape[1:3]),
                self.norm.normalized_shape,
                self.norm.weight.float(),
                self.norm.bias.float(),
                self.norm.eps,
            ).to(x.dtype)
        if gate is not None:
            y = y * F.silu(gate)
        return self.project_out(y)

    def scan(self, x: Tensor) -> Tensor:
        """Run the four recurrences, (L, B, M, E) to the same, in float32."""
        chosen = torch.einsum('lbme,mef->lbmf', x, self.select.float())
        step, write, read = chosen.split([self.rank, self.state, self.state], dim=-1)
        step = torch.einsum('lbmr,mre->lbme', step, self.step_weight.float())
        step = F.softplus(step + self.step_bias.float())
        decay = (step[..., None] * -self.decay_log.float().exp()).exp()
        states = linear_recurrence(decay, (step * x)[..., None] * write[..., None, :])
        read = (states * read[..., None, :]).sum(dim=-1)
        return read + self.skip_weight.float() * x


def to_sequences(maps: Tensor) -> Tensor:
    """Lay out maps (B, h, w, E) in four directions, (L, B, 4, E)."""
    forward = torch.stack(
        [
            rearrange(maps, 'b h w e -> (h w) b e'),
            rearrange(maps, 'b h w e -> (w h) b e'),
        ],
        dim=2,
    )
    return torch.cat([forward, forward.flip(0)], dim=2)


def from_sequences(sequences: Tensor, grid: tuple[int, int]) -> Tensor:
    """Put four sequences (L, B, 4, E) back in place and add up, (B, h, w, E)."""
    height, width = grid
    both = sequences[:, :, :2] + sequences[:, :, 2:].flip(0)
    rows = rearrange(both[:, :, 0], '(h w) b e -> b h w e', h=height)
    columns = rearrange(both[:, :, 1], '(w h) b e -> b h w e', w=width)
    return rows + columns
