"""Released CLIP files, made up: every key at its published shape, other values."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

Shapes = dict[str, tuple[int, ...]]
SIZES: Shapes = {'input_resolution': (), 'context_length': (), 'vocab_size': ()}


def _norm(name: str, width: int) -> Shapes:
    return {f'{name}.weight': (width,), f'{name}.bias': (width,)}


def _linear(name: str, out: int, inp: int) -> Shapes:
    return {f'{name}.weight': (out, inp), f'{name}.bias': (out,)}


def resblocks(prefix: str, width: int, layers: int) -> Shapes:
    """Transformer blocks as OpenAI wrote them."""
    shapes: Shapes = {}
    for i in range(layers):
        block = f'{prefix}transformer.resblocks.{i}.'
        shapes |= _norm(f'{block}ln_1', width) | _norm(f'{block}ln_2', width)
        shapes |= {
            f'{block}attn.in_proj_weight': (3 * width, width),
            f'{block}attn.in_proj_bias': (3 * width,),
        }
        shapes |= _linear(f'{block}attn.out_proj', width, width)
        shapes |= _linear(f'{block}mlp.c_fc', 4 * width, width)
        shapes |= _linear(f'{block}mlp.c_proj', width, 4 * width)
    return shapes


def text_tower(prefix: str, width: int, layers: int, embed_dim: int) -> Shapes:
    """The text tower, at the root or under ``text.``."""
    return {
        f'{prefix}positional_embedding': (77, width),
        f'{prefix}text_projection': (width, embed_dim),
        f'{prefix}token_embedding.weight': (49408, width),
        **_norm(f'{prefix}ln_final', width),
        **resblocks(prefix, width, layers),
        'logit_scale': (),
    }


def openai_vit(
    embed_dim: int = 512,
    width: int = 768,
    layers: int = 12,
    patch: int = 16,
    grid: int = 14,
    text_width: int = 512,
    text_layers: int = 12,
) -> Shapes:
    """OpenAI's ViT; the defaults are those of ViT-B/16."""
    return {
        **SIZES,
        'visual.class_embedding': (width,),
        'visual.positional_embedding': (grid**2 + 1, width),
        'visual.proj': (width, embed_dim),
        'visual.conv1.weight': (width, 3, patch, patch),
        **_norm('visual.ln_pre', width),
        **_norm('visual.ln_post', width),
        **resblocks('visual.', width, layers),
        **text_tower('', text_width, text_layers, embed_dim),
    }


def openai_resnet(
    embed_dim: int = 640,
    width: int = 80,
    layers: tuple[int, ...] = (4, 6, 10, 6),
    grid: int = 9,
    text_width: int = 640,
    text_layers: int = 12,
) -> Shapes:
    """OpenAI's ResNet; the defaults are those of RN50x4."""
    shapes: Shapes = dict(SIZES)

    def conv(name: str, norm: str, out: int, inp: int, size: int) -> None:
        shapes[f'visual.{name}.weight'] = (out, inp, size, size)
        shapes.update(_norm(f'visual.{norm}', out))
        shapes[f'visual.{norm}.running_mean'] = (out,)
        shapes[f'visual.{norm}.running_var'] = (out,)
        shapes[f'visual.{norm}.num_batches_tracked'] = ()

    half = width // 2
    conv('conv1', 'bn1', half, 3, 3)
    conv('conv2', 'bn2', half, half, 3)
    conv('conv3', 'bn3', width, half, 3)
    inp = width
    for stage, count in enumerate(layers):
        planes = width * 2**stage
        for i in range(count):
            block = f'layer{stage + 1}.{i}.'
            conv(f'{block}conv1', f'{block}bn1', planes, inp, 1)
            conv(f'{block}conv2', f'{block}bn2', planes, planes, 3)
            conv(f'{block}conv3', f'{block}bn3', 4 * planes, planes, 1)
            if i == 0:
                conv(f'{block}downsample.0', f'{block}downsample.1', 4 * planes, inp, 1)
            inp = 4 * planes
    shapes['visual.attnpool.positional_embedding'] = (grid**2 + 1, inp)
    for name in ('q_proj', 'k_proj', 'v_proj'):
        shapes |= _linear(f'visual.attnpool.{name}', inp, inp)
    shapes |= _linear('visual.attnpool.c_proj', embed_dim, inp)
    return shapes | text_tower('', text_width, text_layers, embed_dim)


def eva02(
    embed_dim: int = 512,
    width: int = 768,
    layers: int = 12,
    hidden: int = 2048,
    patch: int = 16,
    grid: int = 14,
    heads: int = 12,
    text_width: int = 512,
    text_layers: int = 12,
) -> Shapes:
    """BAAI's EVA-02-CLIP; the defaults are those of B/16."""
    table = (grid**2, width // heads)
    shapes: Shapes = {
        'visual.cls_token': (1, 1, width),
        'visual.pos_embed': (1, grid**2 + 1, width),
        'visual.patch_embed.proj.weight': (width, 3, patch, patch),
        'visual.patch_embed.proj.bias': (width,),
        'visual.rope.freqs_cos': table,
        'visual.rope.freqs_sin': table,
        **_norm('visual.norm', width),
        **_linear('visual.head', embed_dim, width),
    }
    for i in range(layers):
        block = f'visual.blocks.{i}.'
        shapes |= _norm(f'{block}norm1', width) | _norm(f'{block}norm2', width)
        shapes |= _norm(f'{block}attn.inner_attn_ln', width)
        shapes |= _norm(f'{block}mlp.ffn_ln', hidden)
        shapes |= {f'{block}attn.{n}_proj.weight': (width, width) for n in 'qkv'}
        shapes |= {f'{block}attn.{n}_bias': (width,) for n in 'qv'}
        shapes |= {f'{block}attn.rope.freqs_{n}': table for n in ('cos', 'sin')}
        shapes |= _linear(f'{block}attn.proj', width, width)
        shapes |= _linear(f'{block}mlp.w1', hidden, width)
        shapes |= _linear(f'{block}mlp.w2', hidden, width)
        shapes |= _linear(f'{block}mlp.w3', width, hidden)
    return shapes | text_tower('text.', text_width, text_layers, embed_dim)


def eva_fused(
    embed_dim: int = 1024,
    width: int = 1792,
    layers: int = 64,
    hidden: int = 15360,
    grid: int = 16,
    text_width: int = 1024,
    text_layers: int = 24,
) -> Shapes:
    """EVA-02-CLIP E/14, whose q, k and v stand in one matrix."""
    shapes: Shapes = {
        'visual.cls_token': (1, 1, width),
        'visual.pos_embed': (1, grid**2 + 1, width),
        'visual.patch_embed.proj.weight': (width, 3, 14, 14),
        'visual.patch_embed.proj.bias': (width,),
        **_norm('visual.norm', width),
        **_linear('visual.head', embed_dim, width),
    }
    for i in range(layers):
        block = f'visual.blocks.{i}.'
        shapes |= _norm(f'{block}norm1', width) | _norm(f'{block}norm2', width)
        shapes[f'{block}attn.qkv.weight'] = (3 * width, width)
        shapes |= {f'{block}attn.{n}_bias': (width,) for n in 'qv'}
        shapes |= _linear(f'{block}attn.proj', width, width)
        shapes |= _linear(f'{block}mlp.fc1', hidden, width)
        shapes |= _linear(f'{block}mlp.fc2', width, hidden)
    return shapes | text_tower('text.', text_width, text_layers, embed_dim)


def without_values(shapes: Shapes) -> dict[str, Tensor]:
    """Tensors that have a shape and no values."""
    return {
        key: torch.empty(shape, device='meta', dtype=_dtype(key))
        for key, shape in shapes.items()
    }


def with_values(
    shapes: Shapes, make: Callable[..., Tensor] = torch.randn
) -> dict[str, Tensor]:
    """Tensors with random values."""
    return {key: make(shape).to(_dtype(key)) for key, shape in shapes.items()}


def _dtype(key: str) -> torch.dtype:
    counts = key.endswith('num_batches_tracked') or key in SIZES
    return torch.int64 if counts else torch.float32


def openclip_vit() -> Shapes:
    """OpenCLIP's ViT-B/16: OpenAI's without the sizes."""
    return {k: v for k, v in openai_vit().items() if k not in SIZES}


class _Program(nn.Module):
    """What ``torch.jit.save`` gets: parameters and buffers under their names."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        super().__init__()
        for key, value in state.items():
            owner, _, name = key.rpartition('.')
            module = self
            for part in owner.split('.') if owner else ():
                if part not in module._modules:
                    module.add_module(part, nn.Module())
                module = module._modules[part]
            if value.is_floating_point():
                module.register_parameter(name, nn.Parameter(value))
            else:
                module.register_buffer(name, value)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.logit_scale


def save_archive(state: dict[str, Tensor], path: str | Path) -> None:
    """Writes a TorchScript archive, as OpenAI's are."""
    torch.jit.save(torch.jit.trace(_Program(state), torch.ones(2)), str(path))


# family, what its file holds, architecture
RELEASES = {
    'openai ViT-B/16': ('openai', openai_vit, 'ViT-B-16-quickgelu'),
    'openai ViT-L/14@336': (
        'openai',
        lambda: openai_vit(768, 1024, 24, 14, 24, 768),
        'ViT-L-14-336-quickgelu',
    ),
    'openai RN50': (
        'openai',
        lambda: openai_resnet(1024, 64, (3, 4, 6, 3), 7, 512),
        'RN50-quickgelu',
    ),
    'openai RN50x4': ('openai', openai_resnet, 'RN50x4-quickgelu'),
    'open_clip ViT-B/16': ('open_clip', openclip_vit, 'ViT-B-16'),
    'eva_clip B/16': ('eva_clip', eva02, 'EVA02-B-16'),
    'eva_clip L/14@336': (
        'eva_clip',
        lambda: eva02(768, 1024, 24, 2730, 14, 24, 16, 768),
        'EVA02-L-14-336',
    ),
    'eva_clip E/14': ('eva_clip', eva_fused, 'EVA02-E-14'),
    'clipself B/16': ('clipself', eva02, 'EVA02-B-16'),
    'clipself OpenAI': ('clipself', openclip_vit, 'ViT-B-16-quickgelu'),
    'densevlm B/16': ('densevlm', eva02, 'EVA02-B-16'),
    'declip B/16': ('declip', eva02, 'EVA02-B-16'),
}
