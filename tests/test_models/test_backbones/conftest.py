"""Tiny CLIPs of the four families; their configs are written to json files."""

import json
from pathlib import Path

import pytest
import torch
from timm.models import register_model
from timm.models.eva import Eva

from openvocab.models.clip_factory import create_clip

TEXT = dict(context_length=8, vocab_size=64, width=16, heads=2, layers=1)
CONFIGS = dict(
    vit=dict(image_size=32, patch_size=8, width=32, head_width=16, layers=3),
    eva=dict(
        image_size=32,
        timm_model_name='eva02_openvocab_test',
        timm_pool='token',
        timm_proj=None,
    ),
    resnet=dict(image_size=64, layers=[1, 1, 1, 1], width=8, head_width=8),
    convnext=dict(
        image_size=64,
        timm_model_name='test_convnext',
        timm_pool='',
        timm_proj='linear',
        timm_drop_path=0.1,
    ),
)


@register_model
def eva02_openvocab_test(pretrained: bool = False, **kwargs) -> Eva:
    """The structure of eva02_base_patch16_clip_224 in a few thousand parameters."""
    for name in ('pretrained_cfg', 'pretrained_cfg_overlay', 'cache_dir'):
        kwargs.pop(name, None)
    settings = dict(
        img_size=32,
        patch_size=8,
        embed_dim=32,
        depth=3,
        num_heads=2,
        qkv_fused=False,
        mlp_ratio=4 * 2 / 3,
        swiglu_mlp=True,
        scale_mlp=True,
        scale_attn_inner=True,
        use_rot_pos_emb=True,
        ref_feat_shape=(4, 4),
    )
    return Eva(**{**settings, **kwargs})


@pytest.fixture
def write_arch(tmp_path: Path):
    """Write a model config, return the path that serves as architecture name."""

    def write(vision: dict, name: str = 'tiny', **extra) -> str:
        path = tmp_path / f'{name}.json'
        custom = dict(custom_text=True) if 'timm_model_name' in vision else {}
        config = dict(embed_dim=16, vision_cfg=vision, text_cfg=TEXT)
        path.write_text(json.dumps({**config, **custom, **extra}))
        return str(path)

    return write


@pytest.fixture(params=list(CONFIGS))
def family(request) -> str:
    return request.param


@pytest.fixture
def arch(family: str, write_arch) -> str:
    return write_arch(CONFIGS[family], family)


@pytest.fixture
def vit(write_arch) -> str:
    return write_arch(CONFIGS['vit'], 'vit')


@pytest.fixture
def eva(write_arch) -> str:
    return write_arch(CONFIGS['eva'], 'eva')


@pytest.fixture
def resnet(write_arch) -> str:
    return write_arch(CONFIGS['resnet'], 'resnet')


@pytest.fixture
def make_checkpoint(tmp_path: Path):
    """Save a CLIP with random (and in no tensor trivial) weights."""

    def make(arch: str, name: str = 'clip.pt', seed: int = 1) -> str:
        torch.manual_seed(seed)
        model = create_clip(arch)
        for value in model.state_dict().values():
            if value.is_floating_point() and value.dim():
                value.add_(torch.rand_like(value) * 0.1)
        torch.save(model.state_dict(), tmp_path / name)
        return str(tmp_path / name)

    return make
