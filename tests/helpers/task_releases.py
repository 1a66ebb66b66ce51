"""Released detectors and segmentors, made up: every key at its published shape."""

from typing import NamedTuple

from helpers.clip_releases import SIZES, Shapes, _linear, _norm, eva02, openai_vit


class Size(NamedTuple):
    """What a CLIP of OpenAI or BAAI differs in."""

    embed_dim: int = 512
    width: int = 768
    layers: int = 12
    patch: int = 16
    grid: int = 14
    text_width: int = 512
    text_layers: int = 12


B16 = Size()
L14_336 = Size(768, 1024, 24, 14, 24, 768, 12)
# open_clip's EVA02 sizes, hidden width and heads beside
EVA = {B16: (2048, 12), L14_336: (2730, 16)}
SMALL = Size(16, 64, 4, 8, 4, 32, 1)
# the sizes of the tiny CLIPs of OV-Shapes
TINY = Size(96, 128, 4, 8, 8, 64, 2)
EVA |= {SMALL: (128, 2), TINY: (256, 2)}


def _conv(name: str, out: int, inp: int, size: int, bias: bool = True) -> Shapes:
    shapes = {f'{name}.weight': (out, inp, size, size)}
    return shapes | ({f'{name}.bias': (out,)} if bias else {})


def _batch_norm(name: str, width: int) -> Shapes:
    return {
        **_norm(name, width),
        f'{name}.running_mean': (width,),
        f'{name}.running_var': (width,),
        f'{name}.num_batches_tracked': (),
    }


def _conv_module(name: str, out: int, inp: int, size: int) -> Shapes:
    conv = _conv(f'{name}.conv', out, inp, size, bias=False)
    return conv | _batch_norm(f'{name}.bn', out)


def fvit(size: Size = B16, masks: bool = True, classes: int = 1203) -> Shapes:
    """F-ViT: mmdet 2.x on EVA-CLIP; with masks it is the OV-LVIS one."""
    hidden, heads = EVA[size]
    clip = eva02(*size[:3], hidden, size.patch, size.grid, heads, *size[5:])
    width, joint = size.width, size.embed_dim
    box = 'roi_head.bbox_head.'
    shapes: Shapes = {
        f'backbone.{key}': shape
        for key, shape in clip.items()
        if key.startswith('visual.')
    }
    # transposed convolutions: equal widths, so the order of axes does not show
    for name in ('interpolate1.0', 'interpolate1.3', 'interpolate2.0'):
        shapes |= _conv(f'backbone.{name}', width, width, 2)
    shapes |= _batch_norm('backbone.interpolate1.1', width)
    for i in range(4):
        shapes |= _conv_module(f'neck.lateral_convs.{i}', 256, width, 1)
        shapes |= _conv_module(f'neck.fpn_convs.{i}', 256, 256, 3)
    for i in range(2):
        name = f'rpn_head.rpn_conv.{i}'
        with_norm = _conv_module(name, 256, 256, 3)
        shapes |= with_norm if masks else _conv(f'{name}.conv', 256, 256, 3)
    shapes |= _conv('rpn_head.rpn_cls', 3, 256, 1)
    shapes |= _conv('rpn_head.rpn_reg', 12, 256, 1)
    shapes |= {
        f'{box}detect_temperature': (),
        f'{box}all_embeddings': (joint, classes + 1),
    }
    for i in range(4):
        shapes |= _conv_module(f'{box}shared_convs.{i}', 256, 256, 3)
    shapes |= _linear(f'{box}fc_cls', classes + 1, joint)
    shapes |= _linear(f'{box}fc_reg', 4, joint)
    shapes |= _linear(f'{box}shared_fcs.0', joint, 256 * 49)
    for name in ('shared_fcs.1', 'cls_fcs.0', 'reg_fcs.0'):
        shapes |= _linear(f'{box}{name}', joint, joint)
    if masks:
        for i in range(4):
            shapes |= _conv_module(f'roi_head.mask_head.convs.{i}', 256, 256, 3)
        shapes |= _conv('roi_head.mask_head.upsample', 256, 256, 2)
        shapes |= _conv('roi_head.mask_head.conv_logits', 1, 256, 1)
    return shapes


def cat_seg(size: Size = B16) -> Shapes:
    """CAT-Seg: detectron2, q, k and v of the CLIP apart."""
    prefix = 'sem_seg_head.predictor.'
    shapes: Shapes = {}
    for key, shape in openai_vit(*size).items():
        if key in SIZES:
            continue
        key = f'{prefix}clip_model.{key}'
        if key.endswith('in_proj_weight'):
            part = (shape[0] // 3, shape[1])
            stem = key.removesuffix('in_proj_weight')
            shapes |= {f'{stem}{letter}_proj_weight': part for letter in 'qkv'}
        else:
            shapes[key] = shape
    return shapes | _cat_seg_head(size)


def cat_seg_declip(size: Size = B16) -> Shapes:
    """CAT-Seg of DeCLIP: the same head on BAAI's CLIP."""
    hidden, heads = EVA[size]
    clip = eva02(*size[:3], hidden, size.patch, size.grid, heads, *size[5:])
    shapes = {f'sem_seg_head.predictor.clip_model.{k}': v for k, v in clip.items()}
    return shapes | _cat_seg_head(size)


def _cat_seg_head(size: Size) -> Shapes:
    shapes: Shapes = {}
    head = 'sem_seg_head.predictor.transformer.'
    for i in range(2):
        shapes |= _aggregator_layer(f'{head}layers.{i}.')
    shapes |= _conv(f'{head}conv1', 128, 1, 7)
    shapes |= _conv(f'{head}guidance_projection.0', 128, size.embed_dim, 3)
    shapes |= _linear(f'{head}text_guidance_projection.0', 128, size.embed_dim)
    shapes |= _conv(f'{head}decoder_guidance_projection.0.0', 32, 256, 3)
    shapes |= _conv(f'{head}decoder_guidance_projection.1.0', 16, 128, 3)
    for name, inp, out, guide in (('decoder1', 128, 64, 32), ('decoder2', 64, 32, 16)):
        kept = inp - guide
        shapes |= {
            f'{head}{name}.up.weight': (inp, kept, 2, 2),
            f'{head}{name}.up.bias': (kept,),
            f'{head}{name}.conv.double_conv.0.weight': (out, inp, 3, 3),
            f'{head}{name}.conv.double_conv.3.weight': (out, out, 3, 3),
            **_norm(f'{head}{name}.conv.double_conv.1', out),
            **_norm(f'{head}{name}.conv.double_conv.4', out),
        }
    shapes |= _conv(f'{head}head', 1, 32, 3)
    return {
        **shapes,
        'upsample1.weight': (size.width, 256, 2, 2),
        'upsample1.bias': (256,),
        'upsample2.weight': (size.width, 128, 4, 4),
        'upsample2.bias': (128,),
    }


def _aggregator_layer(layer: str) -> Shapes:
    swin, classes = f'{layer}swin_block.', f'{layer}attention.'
    shapes = _norm(f'{swin}guidance_norm', 128)
    for block in (f'{swin}block_1.', f'{swin}block_2.'):
        shapes |= _norm(f'{block}norm1', 128) | _norm(f'{block}norm2', 128)
        for name, inp in (('q', 256), ('k', 256), ('v', 128), ('proj', 128)):
            shapes |= _linear(f'{block}attn.{name}', 128, inp)
        shapes |= _linear(f'{block}mlp.fc1', 512, 128)
        shapes |= _linear(f'{block}mlp.fc2', 128, 512)
    shapes[f'{swin}block_2.attn_mask'] = (4, 144, 144)
    for name, inp in (('q', 256), ('k', 256), ('v', 128)):
        shapes |= _linear(f'{classes}attention.{name}', 128, inp)
    shapes |= _linear(f'{classes}MLP.0', 512, 128) | _linear(
        f'{classes}MLP.2', 128, 512
    )
    shapes |= _norm(f'{classes}norm1', 128) | _norm(f'{classes}norm2', 128)
    return shapes | {
        f'{classes}padding_tokens': (1, 1, 128),
        f'{classes}padding_guidance': (1, 1, 128),
    }


def san(size: Size = B16) -> Shapes:
    """SAN: detectron2, the CLIP of open_clip cut after three quarters."""
    split, heads = size.layers * 3 // 4, size.width // 64
    shapes: Shapes = {'criterion.empty_weight': (172,)}
    for key, shape in openai_vit(*size).items():
        if key in SIZES:
            continue
        name, found = key.removeprefix('visual.'), key.partition('resblocks.')[2]
        if not key.startswith('visual.'):
            key = f'ov_classifier.{key}'
        elif found:
            index, _, rest = found.partition('.')
            inside = int(index) < split
            module = 'clip_visual_extractor' if inside else 'clip_rec_head'
            index = int(index) - (0 if inside else split)
            key = f'{module}.resblocks.{index}.{rest}'
        else:
            last = name == 'proj' or name.startswith('ln_post.')
            key = ('clip_rec_head.' if last else 'clip_visual_extractor.') + name
        shapes[key] = shape
    shapes |= {
        'ov_classifier.attn_mask': (77, 77),
        'ov_classifier.bg_embed': (1, size.embed_dim),
    }
    side = 'side_adapter_network.'
    vit = f'{side}vit_model.'
    shapes |= {
        f'{side}query_embed': (1, 100, 240),
        f'{side}query_pos_embed': (1, 100, 240),
        f'{vit}pos_embed': (1, 1600, 240),
        **_conv(f'{vit}patch_embed.proj', 240, 3, 16),
    }
    for i in range(8):
        block = f'{vit}blocks.{i}.'
        shapes |= _norm(f'{block}norm1', 240) | _norm(f'{block}norm2', 240)
        for name, out, inp in (
            ('attn.qkv', 720, 240),
            ('attn.proj', 240, 240),
            ('mlp.fc1', 960, 240),
            ('mlp.fc2', 240, 960),
        ):
            shapes |= _linear(f'{block}{name}', out, inp)
    for i in range(4):
        fusion = f'{side}fusion_layers.layer_{i}.input_proj.'
        shapes |= _norm(f'{fusion}0', size.width)
        shapes |= _conv(f'{fusion}1', 240, size.width, 1)
    decoder = f'{side}mask_decoder.'
    for i, inp in enumerate((240, 256, 256)):
        shapes |= _linear(f'{decoder}query_mlp.layers.{i}', 256, inp)
        shapes |= _conv(f'{decoder}pix_mlp.layers.{i}', 256, inp, 1)
        out = 256 * heads if i == 2 else 256
        shapes |= _conv(f'{decoder}attn_mlp.layers.{i}', out, inp, 1)
    return shapes | _linear(f'{decoder}bias_scaling', 1, 1)


# what the file holds, family, architecture, config
TASK_RELEASES = {
    'fvit B/16 OV-LVIS': (
        fvit(),
        'fvit',
        'EVA02-B-16',
        'fvit/fvit_eva02-b16_8xb8-48e_ov-lvis.py',
    ),
    'fvit B/16 OV-COCO': (
        fvit(B16, False, 65),
        'fvit',
        'EVA02-B-16',
        'fvit/fvit_eva02-b16_8xb8-3e_ov-coco.py',
    ),
    'fvit L/14 OV-LVIS': (
        fvit(L14_336),
        'fvit',
        'EVA02-L-14-336',
        'fvit/fvit_eva02-l14-336_8xb8-48e_ov-lvis.py',
    ),
    'cat_seg B/16': (
        cat_seg(),
        'cat_seg',
        'ViT-B-16-quickgelu',
        'cat_seg/cat_seg_vit-b16-openai_4xb1-80k_coco-stuff.py',
    ),
    'cat_seg L/14': (
        cat_seg(L14_336),
        'cat_seg',
        'ViT-L-14-336-quickgelu',
        'cat_seg/cat_seg_vit-l14-336-openai_4xb1-80k_coco-stuff.py',
    ),
    'cat_seg_declip B/16': (
        cat_seg_declip(),
        'cat_seg_declip',
        'EVA02-B-16',
        'cat_seg/cat_seg_eva02-b16-declip_4xb1-80k_coco-stuff.py',
    ),
    'san B/16': (
        san(),
        'san',
        'ViT-B-16-quickgelu',
        'san/san_vit-b16-openai_8xb4-60k_coco-stuff.py',
    ),
    'san L/14': (
        san(L14_336),
        'san',
        'ViT-L-14-336-quickgelu',
        'san/san_vit-l14-336-openai_8xb4-60k_coco-stuff.py',
    ),
}
