"""CLIP models by name: architecture, weights, tokenizer and preprocessing.

An architecture is an open_clip name (``'EVA02-B-16'``), a name of ours (a json file in
``clip_configs/``) or a path to such a json file. A checkpoint is anything that
:mod:`openvocab.checkpoints.source` takes (a file, ``openvocab://``,
``hf-hub:``, ``https://``), of any family of CLIPs that has an adapter, or an open_clip
pretrained tag of the architecture.
"""

import hashlib
import json
import math
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import open_clip
import torch
from mmengine.logging import MMLogger
from open_clip.pretrained import (
    get_pretrained_cfg,
    list_pretrained_tags_by_model,
)
from open_clip.transform import PreprocessCfg
from torch import Tensor, nn

from openvocab.checkpoints.download import check_sha256
from openvocab.checkpoints.key_check import check_keys
from openvocab.checkpoints.reading import (
    CheckpointError,
    checkpoint_sha256,
    read_state_dict,
    under,
)
from openvocab.checkpoints.source import (
    find_checkpoint,
    is_location,
    parse_source,
)
from openvocab.converters.open_clip_keys import to_open_clip

from .timm_tower import make_dynamic

__all__ = [
    'ImageTower',
    'arch_name',
    'checkpoint_sha256',
    'clip_embed_dim',
    'clip_fingerprint',
    'clip_image_size',
    'clip_mean_std',
    'create_clip',
    'create_image_tower',
    'get_tokenizer',
    'image_tower_state',
    'resolve_checkpoint',
]

CONFIG_DIR = Path(__file__).parent / 'clip_configs'
# What open_clip calls the files of a repository, in the order of its preference.
_HUB_DEFAULTS = ('open_clip_model.safetensors', 'open_clip_pytorch_model.bin')
# A text tower so small that building it costs nothing, where only images are encoded.
_STUB_TEXT = dict(context_length=4, vocab_size=8, width=8, heads=1, layers=1)


class ImageTower(NamedTuple):
    """The image half of a CLIP."""

    visual: nn.Module
    """open_clip's image tower."""
    logit_scale: float
    """Factor on cosines before the softmax (the exponential of the stored value)."""


def create_clip(arch: str, checkpoint: str | Path | None = None) -> nn.Module:
    """Build a CLIP: both towers, float32, on the CPU, in eval mode.

    Timm image towers (EVA-02-CLIP) are built to take any image size.

    Args:
        arch: Architecture, see the module's docstring.
        checkpoint: Weights, see the module's docstring; ``None`` leaves random ones.

    Returns:
        Open_clip's ``CLIP`` or ``CustomTextCLIP``.

    Raises:
        KeyError: No such architecture.
        FileNotFoundError: No such checkpoint.
        ValueError: The checkpoint is damaged, carries code, is of another architecture
            or lacks a tower.
    """
    config, _ = clip_config(arch)
    model = build_clip(config, 'cpu')
    path = resolve_checkpoint(checkpoint, arch)
    if path is not None:
        state = to_open_clip(read_state_dict(path), hasattr(model, 'text'))
        check_keys(state, model.state_dict(), path, arch)
        model.load_state_dict(state)
    return model.eval()


def create_image_tower(arch: str, checkpoint: str | Path | None = None) -> ImageTower:
    """Build only the image half; the checkpoint may lack a text tower.

    With random weights and one seed, the tower equals that of :func:`create_clip`.

    Args:
        arch: Architecture, as for :func:`create_clip`.
        checkpoint: Weights, as for :func:`create_clip`.

    Returns:
        The tower (float32, CPU, eval mode) and its logit scale.
    """
    config, _ = clip_config(arch)
    config.update(text_cfg=dict(_STUB_TEXT))
    model = build_clip(config, 'cpu')
    path = resolve_checkpoint(checkpoint, arch)
    if path is not None:
        state = to_open_clip(read_state_dict(path), hasattr(model, 'text'))
        load_image_tower(model.visual, state, path, arch)
        if 'logit_scale' in state:
            scale = state['logit_scale'].reshape(model.logit_scale.shape)
            model.logit_scale.data.copy_(scale)
        else:
            MMLogger.get_current_instance().warning(
                f'checkpoint {path} states no logit_scale; {arch} keeps its initial '
                f'value {model.logit_scale.exp().item():.2f}'
            )
    # In double precision, so that its logarithm is the stored value again.
    return ImageTower(model.visual.eval(), model.logit_scale.double().exp().item())


def load_image_tower(
    visual: nn.Module, state: dict[str, Tensor], path: str | Path, arch: str
) -> None:
    """Load the ``visual.*`` entries of a state dict into an image tower.

    Args:
        visual: Open_clip's image tower.
        state: State dict in open_clip's names; other entries are ignored.
        path: Where it came from, for the error.
        arch: The tower's architecture, for the error.

    Raises:
        CheckpointError: A key is missing, unknown or of another shape.
    """
    image = {key: value for key, value in state.items() if key.startswith('visual.')}
    if not image:
        first = next(iter(state), None)
        raise CheckpointError(
            f'checkpoint {path} is not for {arch}: it has no image tower, only keys '
            f'like {first!r}'
        )
    wanted = {'visual.' + key: value for key, value in visual.state_dict().items()}
    check_keys(image, wanted, path, arch)
    visual.load_state_dict(under(image, 'visual.'))


def image_tower_state(visual: nn.Module, logit_scale: float) -> dict[str, Tensor]:
    """State dict of an image tower and its scale; :func:`create_image_tower` reads it.

    Tensors are detached; most share memory with the tower.
    """
    state = {f'visual.{key}': value for key, value in visual.state_dict().items()}
    return {**state, 'logit_scale': torch.tensor(math.log(logit_scale))}


def resolve_checkpoint(checkpoint: str | Path | None, arch: str) -> Path | None:
    """Find the file of a checkpoint, downloading it where that is needed.

    Args:
        checkpoint: Weights, see the module's docstring.
        arch: Architecture; says which pretrained tags exist.

    Raises:
        FileNotFoundError: No such file, or no such packaged weights.
        ValueError: Neither a file nor a tag of this architecture, a tag that was
            trained with another activation than the architecture has, or another
            sha256 than the name states.
        KeyError: No such architecture.
    """
    if checkpoint is None:
        return None
    name = str(checkpoint)
    if is_location(name):
        return find_checkpoint(name)
    name, sha256 = parse_source(name)
    if tag := get_pretrained_cfg(arch, name):
        _check_activation(arch, name, tag)
        path = _find_tag(tag)
        if sha256:
            check_sha256(path, sha256, name)
        return path
    clip_config(arch)  # where there is no such architecture, that is what is wrong
    tags = ', '.join(list_pretrained_tags_by_model(arch)) or 'none'
    raise CheckpointError(
        f'checkpoint {name!r} is neither a file nor a pretrained tag of {arch} '
        f'(tags: {tags})'
    )


def clip_fingerprint(
    arch: str, checkpoint: str | Path | None, model: nn.Module | None = None
) -> str:
    """Identify weights: sha256 of the file, or of the tensors of a random model.

    Args:
        arch: Architecture.
        checkpoint: Weights, as for :func:`create_clip`.
        model: The model; needed where ``checkpoint`` is ``None``.

    Returns:
        64 hex digits.
    """
    path = resolve_checkpoint(checkpoint, arch)
    if path is not None:
        return checkpoint_sha256(path)
    if model is None:
        raise ValueError(f'{arch}: random weights have no fingerprint without a model')
    digest = hashlib.sha256()
    for key, value in model.state_dict().items():
        digest.update(f'{key}{tuple(value.shape)}{value.dtype}'.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def clip_mean_std(
    arch: str, checkpoint: str | Path | None = None
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Channel mean and standard deviation (RGB, images in [0, 1]) of a CLIP's input.

    Args:
        arch: Architecture; its config may state them under ``preprocess_cfg``, else
            they are those that all pretrained tags of it share (SigLIP's are not
            OpenAI's).
        checkpoint: Where it is an open_clip tag, the tag's own values come first.
    """
    default = PreprocessCfg()
    stated = dict(clip_config(arch)[0].get('preprocess_cfg', {}))
    if not stated:
        tags = list_pretrained_tags_by_model(arch)
        known = [_mean_std(get_pretrained_cfg(arch, tag)) for tag in tags]
        if known and all(values == known[0] for values in known):
            stated.update(known[0])
    if checkpoint is not None:
        name = parse_source(checkpoint).location
        stated.update(_mean_std(get_pretrained_cfg(arch, name)))
    mean, std = stated.get('mean', default.mean), stated.get('std', default.std)
    return tuple(mean), tuple(std)


def _mean_std(config: dict[str, Any]) -> dict[str, Any]:
    return {key: config[key] for key in ('mean', 'std') if key in config}


def arch_name(arch: str) -> str:
    """Name of an architecture as written into records: a json file's is its stem."""
    return Path(arch).stem if arch.endswith('.json') else arch


def clip_image_size(arch: str) -> int:
    """Side of the square images that a CLIP was trained on, in pixels."""
    size = clip_config(arch)[0]['vision_cfg'].get('image_size', 224)
    sides = {size} if isinstance(size, int) else set(size)
    if len(sides) > 1:
        raise ValueError(f'{arch}: image_size {size} is not square')
    return sides.pop()


def clip_embed_dim(arch: str) -> int:
    """Width of a CLIP's joint space."""
    return clip_config(arch)[0]['embed_dim']


def get_tokenizer(arch: str) -> Any:
    """Tokenizer of a CLIP: list of strings to (N, context_length) int64.

    For our own configs ``text_cfg.tokenizer_kwargs.bpe_path`` is relative to the json.
    """
    config, path = clip_config(arch)
    if path is None:
        return open_clip.get_tokenizer(arch)
    text = config['text_cfg']
    kwargs = dict(text.get('tokenizer_kwargs', {}))
    if 'bpe_path' in kwargs:
        kwargs['bpe_path'] = str(path.parent / kwargs['bpe_path'])
        if not Path(kwargs['bpe_path']).is_file():
            raise FileNotFoundError(f'{path}: no tokenizer file {kwargs["bpe_path"]}')
    return open_clip.SimpleTokenizer(
        context_length=text.get('context_length', 77), **kwargs
    )


def _find_tag(tag: dict[str, Any]) -> Path:
    """Find the file of an open_clip tag, the way open_clip itself prefers."""
    first = None
    for name in _tag_names(tag):
        try:
            return find_checkpoint(name)
        except FileNotFoundError as error:
            first = first or error
    raise first


def _tag_names(tag: dict[str, Any]) -> list[str]:
    """Where the file of a tag may be, safetensors first."""
    if hub := tag.get('hf_hub'):
        folder, _, file = hub.rpartition('/')
        names = (f'{Path(file).stem}.safetensors', file)
        if file in ('', _HUB_DEFAULTS[-1]):
            names = _HUB_DEFAULTS
        return [f'hf-hub:{folder}/{name}' for name in dict.fromkeys(names)]
    url = tag['url']
    # OpenAI's addresses state the sha256 before the name.
    return [f'{url}#sha256={url.split("/")[-2]}' if 'openaipublic' in url else url]


def _check_activation(arch: str, name: str, tag: dict[str, Any]) -> None:
    """Refuse a tag whose QuickGELU differs from the architecture's: wrong features."""
    has = bool(clip_config(arch)[0].get('quick_gelu', False))
    wants = bool(tag.get('quick_gelu', False))
    if has != wants:
        fitting = f'{arch}-quickgelu' if wants else arch.removesuffix('-quickgelu')
        raise CheckpointError(
            f'checkpoint {name!r} was trained with{"" if wants else "out"} QuickGELU, '
            f'{arch} has {"it" if has else "GELU"}: use the architecture {fitting!r}'
        )


def clip_config(arch: str) -> tuple[dict[str, Any], Path | None]:
    """Config of an architecture, in open_clip's form.

    Args:
        arch: Architecture, see the module's docstring.

    Returns:
        A fresh copy, and the json file that it came from, if it is one of ours.

    Raises:
        KeyError: No such architecture.
    """
    path = Path(arch) if arch.endswith('.json') else CONFIG_DIR / f'{arch}.json'
    if path.is_file():
        return json.loads(_read_text(path, path.stat().st_mtime_ns)), path
    config = open_clip.get_model_config(arch) if not arch.endswith('.json') else None
    if config is None:
        ours = ', '.join(sorted(file.stem for file in CONFIG_DIR.glob('*.json')))
        raise KeyError(
            f'unknown CLIP architecture {arch!r}: neither an open_clip model nor one '
            f'of ours ({ours or "none"}) nor a json file'
        )
    return config, None


@lru_cache(maxsize=32)
def _read_text(path: Path, mtime_ns: int) -> str:
    return path.read_text(encoding='utf-8')


def build_clip(config: dict[str, Any], device: torch.device | str) -> nn.Module:
    """Build both towers of a CLIP with random weights, float32.

    Args:
        config: From :func:`clip_config`.
        device: Where the weights are; ``'meta'`` gives names and shapes alone.
    """
    config = {k: v for k, v in config.items() if k != 'preprocess_cfg'}
    custom_text = config.pop('custom_text', False)
    text, vision = dict(config['text_cfg']), dict(config['vision_cfg'])
    if 'multimodal_cfg' in config:
        raise ValueError('CoCa models are not supported: they have no CLIP text tower')
    if 'hf_model_name' in text:
        custom_text = True
        text['hf_model_pretrained'] = False
    config.update(text_cfg=text, vision_cfg=vision)
    model_class = open_clip.CustomTextCLIP if custom_text else open_clip.CLIP
    with torch.device(device):
        model = model_class(**config)
        make_dynamic(model.visual, vision)
    return model.float()
