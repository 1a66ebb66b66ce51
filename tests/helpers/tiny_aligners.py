"""Aligners of a few thousand parameters on the real encoders and text banks."""

from pathlib import Path

import torch
from mmengine.structures import InstanceData
from torch import nn
from torch.nn import functional as F

from openvocab.models.clip_factory import CONFIG_DIR
from openvocab.registry import MODELS
from openvocab.structures import RegionDataSample

from .tiny_clip import write_arch

CLASSES = ['cat', 'dog', 'red ball', 'kite', 'sky', 'grass', 'wooden floor']
IS_THING = [True] * 4 + [False] * 3
CROP = 32
# the small tokenizer of OV-Shapes: a full one would be most of the model
TEXT = dict(
    context_length=40,
    vocab_size=759,
    width=16,
    heads=2,
    layers=1,
    tokenizer_kwargs=dict(bpe_path=str(CONFIG_DIR / 'ov_shapes_bpe.txt.gz')),
)
TOWERS = {
    'tiny-u': (24, dict(image_size=CROP, patch_size=8, width=32, layers=2)),
    'tiny-p': (40, dict(image_size=42, patch_size=14, width=48, layers=2)),
}


def vocabulary(count: int = len(CLASSES)) -> list[dict]:
    return [
        dict(name=name, is_thing=thing)
        for name, thing in list(zip(CLASSES, IS_THING, strict=True))[:count]
    ]


def arch(folder: Path, name: str) -> str:
    embed_dim, vision = TOWERS[name]
    path = Path(folder) / f'{name}.json'
    return write_arch(path, dict(vision, head_width=16), TEXT, embed_dim)


def encoder(folder: Path, name: str, **kwargs) -> dict:
    kwargs = dict(readout=dict(type='openvocab.ValueReadout')) | kwargs
    return dict(type='openvocab.CLIPBackbone', arch=arch(folder, name), **kwargs)


def text(folder: Path, name: str, classes=None) -> dict:
    return dict(
        type='openvocab.TextBank',
        vocabulary=classes or vocabulary(),
        encoder=dict(type='openvocab.TextEncoder', arch=arch(folder, name)),
        prompts='single',
        cache_dir=str(folder),
    )


def densevlm(folder: Path, loss: dict | None = None, **kwargs) -> nn.Module:
    """Student with 8 px patches, teacher with 14 px patches and another width.

    A random text tower gives all classes nearly the same row, so that every region
    would be of one class: the alignment rows are replaced by random directions.
    """
    torch.manual_seed(0)
    config = dict(
        type='openvocab.DenseVLMAligner',
        backbone=encoder(folder, 'tiny-u', trainable_blocks=-1),
        teacher=encoder(folder, 'tiny-p'),
        student_text=text(folder, 'tiny-u'),
        teacher_text=text(folder, 'tiny-p'),
        text_bank=text(folder, 'tiny-u'),
        loss=dict(type='openvocab.DecoupledAlignLoss', tau=0.1, theta=0.0)
        | (loss or {}),
    )
    model = MODELS.build(config | kwargs)
    for bank in (model.student_text, model.teacher_text):
        bank.rows = F.normalize(torch.randn(bank.rows.shape), dim=1)
    return model


def clipself(folder: Path, **kwargs) -> nn.Module:
    torch.manual_seed(0)
    config = dict(
        type='openvocab.CLIPSelfAligner',
        backbone=encoder(folder, 'tiny-u', trainable_blocks=-1),
        text_bank=text(folder, 'tiny-u'),
    )
    return MODELS.build(config | kwargs)


def vfm(**kwargs) -> dict:
    """14 px patches and a position table of 8 x 8, where the students have 8 px."""
    config = dict(
        type='openvocab.TimmViT',
        arch='vit_small_patch16_224.dino',
        img_size=112,
        patch_size=14,
        embed_dim=16,
        depth=1,
        num_heads=2,
    )
    return config | kwargs


def declip(folder: Path, readout: dict | None = None, **kwargs) -> nn.Module:
    torch.manual_seed(0)
    readout = dict(type='openvocab.SelfSelfReadout') | (readout or {})
    config = dict(
        type='openvocab.DeCLIPAligner',
        backbone=encoder(folder, 'tiny-u', trainable_blocks=-1, readout=readout),
        text_bank=text(folder, 'tiny-u'),
        vfm=vfm(),
    )
    model = MODELS.build(config | kwargs)
    # what timm draws is so small that all tokens of the VFM would be alike
    for name, parameter in model.vfm.named_parameters():
        if 'weight' in name and parameter.dim() > 1:
            nn.init.normal_(parameter, std=0.2)
    return model


def make_batch(
    counts: tuple[int, ...] = (3, 0, 5), size: tuple[int, int] = (40, 56), seed: int = 0
) -> dict:
    """Raw batch as the loader gives it; ``counts[i]`` regions in image i."""
    generator = torch.Generator().manual_seed(seed)
    height, width = size
    inputs, samples = [], []
    for count in counts:
        corner = torch.rand(count, 2, generator=generator) / 2
        side = torch.rand(count, 2, generator=generator) / 4 + 0.25
        scale = torch.tensor([width, height] * 2)
        crops = torch.randint(256, (count, 3, CROP, CROP), generator=generator)
        samples.append(
            RegionDataSample(
                regions=InstanceData(
                    bboxes=torch.cat((corner, corner + side), 1) * scale,
                    is_thing=torch.arange(count) % 2 == 0,
                    crops=crops.to(torch.uint8),
                    crop_valid=torch.arange(count) != 1,
                )
            )
        )
        colours = torch.randint(256, (3, 3, 4), generator=generator).float()
        image = F.interpolate(colours[None], (height, width))[0]  # patches of colour
        inputs.append(image.to(torch.uint8))
    return dict(inputs=inputs, data_samples=samples)


def compute_loss(model: nn.Module, batch: dict) -> dict:
    data = model.data_preprocessor(batch, True)
    return model(**data, mode='loss')
