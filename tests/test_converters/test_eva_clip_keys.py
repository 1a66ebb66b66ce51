"""CLIPSelf and DenseVLM checkpoints: EVA-CLIP names to open_clip's and back."""

import pytest
import torch
from timm.models.eva import Eva, checkpoint_filter_fn

from openvocab.converters import clipself, densevlm

MODULES = [clipself, densevlm]


@pytest.fixture
def trunk() -> Eva:
    torch.manual_seed(0)
    return Eva(
        img_size=16,
        patch_size=8,
        embed_dim=32,
        depth=2,
        num_heads=2,
        num_classes=16,
        global_pool='token',
        qkv_fused=False,
        swiglu_mlp=True,
        scale_mlp=True,
        scale_attn_inner=True,
        use_rot_pos_emb=True,
    )


@pytest.fixture
def upstream() -> dict[str, torch.Tensor]:
    """A state dict as the authors' code writes it, names and shapes by hand."""
    torch.manual_seed(0)
    hidden = 4 * 32
    shapes = {
        'visual.cls_token': (1, 1, 32),
        'visual.pos_embed': (1, 5, 32),
        'visual.patch_embed.proj.weight': (32, 3, 8, 8),
        'visual.patch_embed.proj.bias': (32,),
        'visual.rope.freqs_cos': (4, 16),
        'visual.rope.freqs_sin': (4, 16),
        'visual.norm.weight': (32,),
        'visual.norm.bias': (32,),
        'visual.head.weight': (16, 32),
        'visual.head.bias': (16,),
        'logit_scale': (),
        'text.positional_embedding': (8, 16),
        'text.token_embedding.weight': (64, 16),
        'text.transformer.resblocks.0.attn.in_proj_weight': (48, 16),
        'text.text_projection': (16, 16),
    }
    for block in ('visual.blocks.0.', 'visual.blocks.1.'):
        for norm in ('norm1', 'norm2', 'attn.inner_attn_ln'):
            shapes |= {f'{block}{norm}.{p}': (32,) for p in ('weight', 'bias')}
        for name in ('q_proj', 'k_proj', 'v_proj', 'proj'):
            shapes[f'{block}attn.{name}.weight'] = (32, 32)
        for name in ('q_bias', 'v_bias', 'proj.bias'):
            shapes[f'{block}attn.{name}'] = (32,)
        for name, size in (('w1', (hidden, 32)), ('w2', (hidden, 32))):
            shapes[f'{block}mlp.{name}.weight'] = size
            shapes[f'{block}mlp.{name}.bias'] = (hidden,)
        shapes[f'{block}mlp.w3.weight'] = (32, hidden)
        shapes[f'{block}mlp.w3.bias'] = (32,)
        shapes |= {f'{block}mlp.ffn_ln.{p}': (hidden,) for p in ('weight', 'bias')}
        shapes[f'{block}attn.rope.freqs_cos'] = (4, 16)
    return {key: torch.randn(shape) for key, shape in shapes.items()}


@pytest.mark.parametrize('module', MODULES)
def test_equals_timms_own_filter(module, trunk, upstream):
    ours = module.from_upstream(upstream)
    timms = checkpoint_filter_fn(dict(upstream), trunk)
    prefix = 'visual.trunk.'
    image = {k.removeprefix(prefix): v for k, v in ours.items() if prefix in k}
    assert image.keys() == timms.keys() == trunk.state_dict().keys()
    assert all(torch.equal(image[key], timms[key]) for key in timms)
    trunk.load_state_dict(image, strict=True)


@pytest.mark.parametrize('module', MODULES)
def test_text_tower_and_scale_keep_their_names(module, upstream):
    ours = module.from_upstream(upstream)
    for key in upstream:
        if not key.startswith('visual.'):
            assert ours[key] is upstream[key]


@pytest.mark.parametrize('module', MODULES)
def test_round_trip(module, upstream):
    computed = [key for key in upstream if 'rope' in key]
    assert len(computed) == 4
    back = module.to_upstream(module.from_upstream(upstream))
    assert back.keys() == upstream.keys() - set(computed)
    assert all(back[key] is upstream[key] for key in back)
    ours = module.from_upstream(upstream)
    again = module.from_upstream(module.to_upstream(ours))
    assert again.keys() == ours.keys()


def test_whole_training_file(upstream):
    state = {f'module.{key}': value for key, value in upstream.items()}
    file = dict(epoch=6, name='x', state_dict=state, optimizer={}, scaler={})
    assert (
        densevlm.from_upstream(file).keys() == densevlm.from_upstream(upstream).keys()
    )


def test_fused_attention_biases_keep_their_names():
    state = {
        'visual.cls_token': torch.zeros(1, 1, 4),
        'visual.blocks.0.attn.qkv.weight': torch.zeros(12, 4),
        'visual.blocks.0.attn.q_bias': torch.zeros(4),
    }
    assert set(clipself.from_upstream(state)) == {
        'visual.trunk.cls_token',
        'visual.trunk.blocks.0.attn.qkv.weight',
        'visual.trunk.blocks.0.attn.q_bias',
    }


def test_open_clip_names_pass_unchanged():
    state = {'visual.conv1.weight': torch.zeros(1), 'logit_scale': torch.zeros(())}
    assert clipself.from_upstream(state) == state
    assert clipself.to_upstream(state) == state
