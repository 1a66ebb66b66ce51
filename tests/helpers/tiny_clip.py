"""Tiny CLIPs of the four families, as config files of open_clip."""

import json
from pathlib import Path

from timm.models import register_model
from timm.models.eva import Eva

TEXT = dict(context_length=8, vocab_size=64, width=16, heads=2, layers=1)
VISION = dict(
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


def write_arch(
    path: Path, vision: dict, text: dict = TEXT, embed_dim: int = 16, **extra
) -> str:
    """Writes the config of a CLIP; returns the name that it is built by."""
    config = dict(embed_dim=embed_dim, vision_cfg=vision, text_cfg=text)
    if 'timm_model_name' in vision:
        config['custom_text'] = True  # open_clip's class for towers of timm
    path.write_text(json.dumps({**config, **extra}))
    return str(path)


def eva02_tower(**settings) -> Eva:
    """The structure of eva02_base_patch16_clip_224 in a few thousand parameters.

    Args:
        settings: Those of timm's class; of timm's loader they may come along, too.
    """
    for name in ('pretrained_cfg', 'pretrained_cfg_overlay', 'cache_dir'):
        settings.pop(name, None)
    defaults = dict(
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
    return Eva(**{**defaults, **settings})


@register_model
def eva02_openvocab_test(pretrained: bool = False, **kwargs) -> Eva:
    """The tower of ``VISION['eva']``."""
    return eva02_tower(**kwargs)
