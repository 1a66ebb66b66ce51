import pytest
import torch
import torch.nn.functional as F

from openvocab.models.layers import (
    ChannelAdaptation,
    ContextualFusion,
    DirectionalAttention,
    LanguageQueries,
)

C = 8


def plain_stripes(module, x):
    """One image (h, w, C); every token looks at the tokens of its stripe."""
    height, width, _ = x.shape
    heads, size = module.num_heads, C // module.num_heads
    q, k, v = module.qkv(module.norm(x)).chunk(3, dim=-1)
    out = torch.zeros_like(x)
    for i in range(height):
        for j in range(width):
            own = i // module.stripe if module.horizontal else j // module.stripe
            seen = [
                (a, b)
                for a in range(height)
                for b in range(width)
                if (a if module.horizontal else b) // module.stripe == own
            ]
            for head in range(heads):
                part = slice(head * size, (head + 1) * size)
                scores = torch.stack(
                    [q[i, j, part] @ k[a, b, part] / size**0.5 for a, b in seen]
                ).softmax(0)
                out[i, j, part] = sum(
                    s * v[a, b, part] for s, (a, b) in zip(scores, seen, strict=True)
                )
    return x + module.proj(out)


@torch.no_grad()
@pytest.mark.parametrize('grid', [(4, 4), (5, 3), (1, 7)])
@pytest.mark.parametrize('stripe', [1, 2, 9])
def test_local_branch_equals_a_loop(grid, stripe):
    module = DirectionalAttention(C, num_heads=2, stripe=stripe)
    middle, guidance = torch.randn(2, 2, *grid, C)
    got = module(middle, guidance)
    for b in range(2):
        parts = []
        for half, branch in enumerate(module.branches):
            cut = slice(half * C // 2, (half + 1) * C // 2)
            x = torch.cat([middle[b, ..., cut], guidance[b, ..., cut]], dim=-1)
            parts.append(plain_stripes(branch, x))
        torch.testing.assert_close(
            got[b], torch.cat(parts, dim=-1), atol=1e-5, rtol=1e-4
        )


def test_branches_can_be_narrowed():
    module = DirectionalAttention(C, num_heads=2, branch_dim=3)
    assert module(*torch.randn(2, 1, 4, 4, C)).shape == (1, 4, 4, 6)
    assert module.out_dim == 6


@torch.no_grad()
def test_channel_adaptation_equals_the_equations():
    module = ChannelAdaptation(C)
    x = torch.randn(2, 3, 5, C)
    first, depthwise, gated, last = module.steps
    y = module.norms[0](x + x @ first.weight.T + first.bias)
    pad = F.pad(y, (0, 0, 1, 1, 1, 1))
    conv = torch.zeros_like(y)
    for i in range(3):
        for j in range(3):
            conv += pad[:, i : i + 3, j : j + 5] * depthwise.weight[:, 0, i, j]
    y = module.norms[1](y + conv + depthwise.bias)
    a, b = gated.widen(y).chunk(2, dim=-1)
    y = module.norms[2](y + gated.narrow(a * torch.sigmoid(b)))
    y = module.norms[3](y + last(y))
    torch.testing.assert_close(module(x), y, atol=1e-5, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize('count', [1, 4])
def test_queries_equal_a_loop(count):
    module = LanguageQueries(C, num_heads=2)
    queries, text = torch.randn(2, 1, count, C)
    fused = torch.randn(1, 2, 3, C)
    tokens = [module.key_norm(t) for t in [*fused[0].flatten(0, 1), *text[0]]]
    size = C // 2
    for n in range(count):
        q, out = module.q(queries[0, n]), torch.zeros(C)
        for head in range(2):
            part = slice(head * size, (head + 1) * size)
            weights = [
                (F.elu(q[part]) + 1) @ (F.elu(module.k(t)[part]) + 1) for t in tokens
            ]
            for weight, t in zip(weights, tokens, strict=True):
                out[part] += weight / sum(weights) * module.v(t)[part]
        out = module.proj(out)
        gate = torch.sigmoid(module.gate(torch.cat([queries[0, n], out])))
        new = module.norm1(queries[0, n] + gate * out)
        new = new + module.mlp(module.norm2(new))
        got = module(queries, fused, text)[0, n]
        torch.testing.assert_close(got, new, atol=1e-5, rtol=1e-4)


def fusion(**settings):
    local = dict(type='openvocab.DirectionalAttention', num_heads=2, stripe=2)
    context = dict(type='openvocab.SS2D')
    queries = dict(type='openvocab.LanguageQueries', num_heads=2)
    defaults = dict(local=local, context=context, queries=queries)
    return ContextualFusion(C, **{**defaults, **settings})


def inputs(count=3, grid=(4, 5)):
    middle, guidance = torch.randn(2, 2, *grid, C)
    return middle, guidance, *torch.randn(2, 2, count, C)


@torch.no_grad()
@pytest.mark.parametrize('depth', [1, 2, 3])
@pytest.mark.parametrize('keep_guidance', [False, True])
def test_fusion_equals_its_equations(depth, keep_guidance):
    module = fusion(depth=depth, keep_guidance=keep_guidance)
    middle, guidance, queries, text = inputs()
    x, scanned, q = middle, guidance, queries
    for layer in module.layers:
        local = layer.local(x, guidance)  # Eq. (8)
        both = torch.cat([local, layer.context(scanned)], dim=-1)
        x = layer.adapt(layer.merge(both))  # Eq. (9)
        q = layer.queries(q, x, text)  # Eq. (10)
        scanned = guidance if keep_guidance else x
    got = module(middle, guidance, queries, text)
    torch.testing.assert_close(got, (x, q))


@torch.no_grad()
def test_branches_can_be_removed():
    middle, guidance, queries, text = inputs()
    plain = fusion(depth=1, local=None, context=None)
    layer = plain.layers[0]
    h = C // 2
    parts = [middle[..., :h], guidance[..., :h], middle[..., h:], guidance[..., h:]]
    expected = layer.adapt(layer.merge(torch.cat(parts, dim=-1)))
    got, _ = plain(middle, guidance, queries, text)
    torch.testing.assert_close(got, expected)
    for settings in (dict(local=None), dict(context=None)):
        out, new = fusion(**settings)(middle, guidance, queries, text)
        assert out.shape == middle.shape and new.shape == queries.shape
    with pytest.raises(ValueError, match='fusion=None removes it'):
        fusion(depth=0)


def test_gradient_reaches_everything():
    module = fusion()
    fused, queries = module(*inputs())
    weights = torch.randn_like(fused), torch.randn_like(queries)
    ((fused * weights[0]).sum() + (queries * weights[1]).sum()).backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None and parameter.grad.any(), name
