import time

import pytest
import torch
import torch.nn.functional as F

from openvocab.models.layers import SS2D, linear_recurrence
from openvocab.models.layers.ss2d import from_sequences, to_sequences


def order_of(direction, height, width):
    """Positions in the order in which a direction visits them."""
    if direction % 2 == 0:
        order = [(i, j) for i in range(height) for j in range(width)]
    else:
        order = [(i, j) for j in range(width) for i in range(height)]
    return order if direction < 2 else order[::-1]


def plain_scan(module, x):
    """(h, w, E) of one image: token after token, one direction after the other."""
    height, width = x.shape[:2]
    total = {}
    for direction in range(4):
        state = 0.0
        for i, j in order_of(direction, height, width):
            token = x[i, j]
            chosen = token @ module.select[direction]
            low, write, read = chosen.split([module.rank, module.state, module.state])
            step = low @ module.step_weight[direction] + module.step_bias[direction]
            step = F.softplus(step)[:, None]
            decay = torch.exp(-step * module.decay_log[direction].exp())
            state = decay * state + step * write[None] * token[:, None]
            out = state @ read + module.skip_weight[direction] * token
            total[i, j] = total.get((i, j), 0.0) + out
    rows = [torch.stack([total[i, j] for j in range(width)]) for i in range(height)]
    return torch.stack(rows)


def plain(module, maps):
    out = []
    for image in maps:
        x = module.project_in(image)
        gate = None
        if module.gate:
            x, gate = x.chunk(2, dim=-1)
        x = F.silu(module.conv(x.permute(2, 0, 1)[None])[0]).permute(1, 2, 0)
        y = module.norm(plain_scan(module, x))
        out.append(module.project_out(y if gate is None else y * F.silu(gate)))
    return torch.stack(out)


def awake(**settings):
    """A module whose parameters are all at work."""
    module = SS2D(**settings)
    with torch.no_grad():
        module.decay_log.add_(torch.randn_like(module.decay_log) * 0.3)
        module.skip_weight.normal_()
        module.step_bias.add_(2)
    return module


@pytest.mark.parametrize('length', [1, 2, 3, 4, 7, 16, 37])
def test_recurrence_equals_a_loop(length):
    decay = torch.rand(length, 3, 2, dtype=torch.float64, requires_grad=True)
    drive = torch.randn(length, 3, 2, dtype=torch.float64, requires_grad=True)
    states = [drive[0]]
    for t in range(1, length):
        states.append(decay[t] * states[-1] + drive[t])
    got = linear_recurrence(decay, drive)
    torch.testing.assert_close(got, torch.stack(states))
    assert torch.autograd.gradcheck(linear_recurrence, (decay, drive))


def test_recurrence_never_overflows():
    decay = torch.full((600, 1), 1e-30)
    states = linear_recurrence(decay, torch.ones(600, 1))
    torch.testing.assert_close(states, torch.ones(600, 1))
    kept = linear_recurrence(torch.ones(600, 1), torch.ones(600, 1))
    torch.testing.assert_close(kept[:, 0], torch.arange(1.0, 601))


def test_four_directions():
    maps = torch.arange(6.0).reshape(1, 2, 3, 1)
    sequences = to_sequences(maps)[:, 0, :, 0].T
    assert sequences.tolist() == [
        [0, 1, 2, 3, 4, 5],
        [0, 3, 1, 4, 2, 5],
        [5, 4, 3, 2, 1, 0],
        [5, 2, 4, 1, 3, 0],
    ]
    back = from_sequences(to_sequences(maps), (2, 3))
    torch.testing.assert_close(back, 4 * maps)


@pytest.mark.parametrize('grid', [(1, 1), (5, 3), (2, 7), (9, 9)])
@pytest.mark.parametrize(
    'settings', [{}, dict(state=4, expand=2.0, gate=True, step_rank=3)]
)
def test_equals_the_sequential_scan(grid, settings):
    module = awake(dim=6, **settings)
    maps = torch.randn(2, *grid, 6, requires_grad=True)
    weight = torch.randn(2, *grid, 6)
    results = []
    for function in (module, lambda x: plain(module, x)):
        module.zero_grad()
        maps.grad = None
        out = function(maps)
        (out * weight).sum().backward()
        grads = [p.grad.clone() for p in module.parameters()]
        results.append([out.detach(), maps.grad.clone(), *grads])
    for got, expected in zip(*results, strict=True):
        torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-4)


def test_every_token_sees_every_other():
    module = awake(dim=4)
    maps = torch.randn(1, 5, 6, 4, requires_grad=True)
    grad = torch.autograd.grad(module(maps)[0, 2, 3].sum(), maps)[0]
    assert (grad.abs().sum(dim=-1) > 0).all()


def test_bfloat16_stays_close_to_float32():
    module = awake(dim=16, state=4, gate=True)
    maps = torch.randn(1, 24, 24, 16)
    exact = module(maps)
    with torch.autocast('cpu', torch.bfloat16):
        coarse = module(maps)
    assert coarse.dtype == torch.bfloat16
    assert (coarse.float() - exact).abs().max() < 0.03 * exact.abs().max()
    whole = module.to(torch.bfloat16)(maps.bfloat16())
    assert (whole.float() - exact).abs().max() < 0.1 * exact.abs().max()
    whole.float().sum().backward()
    assert all(p.grad.isfinite().all() for p in module.parameters())


def seconds(function, repeats):
    best = float('inf')
    for _ in range(repeats):
        start = time.process_time()
        function()
        best = min(best, time.process_time() - start)
    return best


@pytest.mark.slow
def test_much_faster_than_the_sequential_scan():
    """On the 24 x 24 tokens of a crop; measured: 31 times, with gradients 135 times."""
    module, maps = SS2D(128), torch.randn(1, 24, 24, 128)

    def train(function):
        return lambda: function(maps).sum().backward()

    def sequential(x):
        return plain(module, x)

    fast, slow = seconds(train(module), 5), seconds(train(sequential), 1)
    assert slow > 20 * fast
    with torch.no_grad():
        fast = seconds(lambda: module(maps), repeats=10)
        slow = seconds(lambda: sequential(maps), repeats=3)
    assert slow > 20 * fast


def test_wrong_settings():
    with pytest.raises(ValueError, match='kernel=4 must be odd'):
        SS2D(8, kernel=4)
