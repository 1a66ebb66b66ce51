"""CAT-Seg's head written out plainly: slow, memory-hungry, and easy to check.

Guidance is repeated for every class and concatenated, attention matrices are explicit,
fillers are real tokens, and all classes run at once. Batches of one image.
"""

import torch
import torch.nn.functional as F
from einops import rearrange, repeat


def plain_forward(head, features, text):
    """(B, K, s h, s w) logits with the weights of a ``CATSegHead``."""
    *taps, dense = features
    outputs = []
    for index in range(len(dense)):
        one = [tap[index] for tap in taps]
        outputs.append(_one_image(head, one, dense[index], text))
    return torch.stack(outputs)


def _one_image(head, taps, dense, text):
    text = text if text.ndim == 3 else text[:, None]
    mean = F.normalize(text.mean(1), dim=-1)
    if head.num_prompts == 1:
        text = mean[:, None]
    unit = dense / dense.norm(dim=0, keepdim=True)
    cost = torch.einsum('dhw,kpd->kphw', unit, text)
    kept = torch.arange(len(text))
    if head.max_classes is not None and len(text) > head.max_classes:
        best = cost.flatten(1).max(dim=1).values
        kept = best.topk(head.max_classes).indices
    x = head.embed(cost[kept])
    image = unit if head.normalize_guidance else dense
    image = head.image_guidance(image[None])[0]
    words = head.text_guidance(mean)[kept]
    pool = head.pool if head.training else head.pool_test
    for layer in head.layers:
        guide = layer.spatial.guidance_norm(rearrange(image, 'c h w -> h w c'))
        for block in layer.spatial.blocks:
            x = _window_block(block, x, guide)
        x = _class_layer(layer.classes, x, words, pool)
    for stage, tap, order in zip(head.stages, head.taps, head.order, strict=True):
        guide = tap(taps[order][None])
        x = stage.up(x)
        x = torch.cat([x, guide.expand(len(x), -1, -1, -1)], dim=1)
        x = F.conv2d(x, stage.conv1.weight, padding=1)
        x = F.relu(stage.norm1(x))
        x = F.relu(stage.norm2(stage.conv2(x)))
    logits = head.classify(x)[:, 0]
    every = torch.full((len(text), *logits.shape[1:]), -100.0)
    every[kept] = logits
    return every


def _window_block(block, x, guide):
    """(K, C, h, w) and (h, w, G); every token against every other, then masked."""
    height, width = x.shape[-2:]
    windows = _window_ids(height, width, block.window, block.shifted)
    tokens = rearrange(x, 'k c h w -> k (h w) c')
    both = torch.cat(
        [block.norm1(tokens), guide.flatten(0, 1).expand(len(x), -1, -1)], dim=-1
    )
    q = F.linear(both, block.q.weight, block.q.bias)
    k = F.linear(both, block.k.weight, block.k.bias)
    v = block.v(block.norm1(tokens))
    heads = dict(h=block.num_heads)
    if height % block.window or width % block.window:
        order = [torch.arange(height * width)]
    else:  # as many windows as there are, each with an explicit matrix
        order = _windows(height, width, block.window, block.shifted)
    out = torch.empty_like(tokens)
    for places in order:
        q_, k_, v_ = (
            rearrange(t[:, places], 'k n (h d) -> k h n d', **heads) for t in (q, k, v)
        )
        weights = q_ @ k_.transpose(-1, -2) / q_.shape[-1] ** 0.5
        apart = windows[places][:, None] != windows[places][None]
        weights = (weights - 1e9 * apart).softmax(-1)
        out[:, places] = rearrange(weights @ v_, 'k h n d -> k n (h d)')
    tokens = tokens + block.proj(out)
    tokens = tokens + block.mlp(block.norm2(tokens))
    return rearrange(tokens, 'k (h w) c -> k c h w', h=height)


def _window_ids(height, width, window, shifted):
    """Which window a token falls into; what wraps around is a window of its own."""
    ids = []
    for side in (height, width):
        own = min(window, side)
        shift = own // 2 if shifted and side > own else 0
        # shifted windows begin at shift, so tokens before it are the first one
        ids.append((torch.arange(side) - shift).div(own, rounding_mode='floor'))
    return (ids[0][:, None] * 1000 + ids[1][None]).flatten()


def _windows(height, width, window, shifted):
    """Tokens of every window of the map, moved by half a window."""
    places = torch.arange(height * width).reshape(height, width)
    if shifted:
        shift = [window // 2 if side > window else 0 for side in (height, width)]
        places = places.roll([-each for each in shift], dims=(0, 1))
    return rearrange(places, '(i a) (j b) -> (i j) (a b)', a=window, b=window).unbind()


def _class_layer(layer, x, words, pool):
    """(K, C, h, w) and (K, G)."""
    size, classes = x.shape[-2:], len(x)
    pooled = x
    if pool > 1:
        pooled = F.avg_pool2d(x, pool, ceil_mode=True, count_include_pad=False)
    grid = pooled.shape[-2:]
    tokens = rearrange(pooled, 'k c h w -> (h w) k c')
    fill = max(0, layer.pad_classes - classes)
    tokens = torch.cat([tokens, layer.padding_token.expand(len(tokens), fill, -1)], 1)
    words = torch.cat([words, layer.padding_guidance.expand(fill, -1)])
    normed = layer.norm1(tokens)
    both = torch.cat([normed, words.expand(len(tokens), -1, -1)], dim=-1)
    q = F.linear(both, layer.q.weight, layer.q.bias)
    k = F.linear(both, layer.k.weight, layer.k.bias)
    heads = dict(h=layer.num_heads)
    q, k, v = (
        rearrange(t, 'n k (h d) -> n h k d', **heads) for t in (q, k, layer.v(normed))
    )
    weights = (F.elu(q) + 1) @ (F.elu(k) + 1).transpose(-1, -2)
    out = weights @ v / (weights.sum(-1, keepdim=True) + 1e-6)
    tokens = tokens + rearrange(out, 'n h k d -> n k (h d)')
    tokens = tokens + layer.mlp(layer.norm2(tokens))
    pooled = rearrange(tokens[:, :classes], '(h w) k c -> k c h w', h=grid[0])
    if tuple(grid) != tuple(size):
        pooled = F.interpolate(pooled, size, mode='bilinear', align_corners=True)
    return x + pooled


def repeat_text(text, prompts):
    """(K, D) rows as (K, P, D)."""
    return repeat(text, 'k d -> k p d', p=prompts)
