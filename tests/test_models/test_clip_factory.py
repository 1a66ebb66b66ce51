import re
from pathlib import Path

import pytest
import torch
from open_clip.tokenizer import default_bpe
from safetensors.torch import save_file

from helpers import tiny_clip
from openvocab.checkpoints import source
from openvocab.models import clip_factory
from openvocab.models.clip_factory import (
    checkpoint_sha256,
    clip_fingerprint,
    clip_image_size,
    clip_mean_std,
    create_clip,
    create_image_tower,
    get_tokenizer,
    resolve_checkpoint,
)

VISION = dict(image_size=32, patch_size=8, width=32, head_width=16, layers=2)


@pytest.fixture
def write_arch(tmp_path: Path):
    def write(name: str = 'tiny', vision: dict = VISION, **extra) -> str:
        return tiny_clip.write_arch(tmp_path / f'{name}.json', vision, **extra)

    return write


@pytest.fixture
def arch(write_arch) -> str:
    return write_arch()


@pytest.fixture
def state(arch) -> dict[str, torch.Tensor]:
    torch.manual_seed(7)
    return create_clip(arch).state_dict()


def assert_loaded(model: torch.nn.Module, state: dict[str, torch.Tensor]) -> None:
    loaded = model.state_dict()
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[key], state[key]) for key in state)


def test_model_is_float32_in_eval_mode(arch):
    model = create_clip(arch)
    assert not model.training
    assert {p.dtype for p in model.parameters()} == {torch.float32}


@pytest.mark.parametrize('suffix', ['.pt', '.pth', '.bin', '.safetensors'])
def test_every_suffix_loads(arch, state, tmp_path, suffix):
    path = tmp_path / f'clip{suffix}'
    (save_file if suffix == '.safetensors' else torch.save)(state, path)
    assert_loaded(create_clip(arch, path), state)
    assert_loaded(create_clip(arch, str(path)), state)


def test_nested_prefixed_and_half_precision(arch, state, tmp_path):
    content = {f'module.{key}': value for key, value in state.items()}
    content['module.visual.attn_mask'] = torch.zeros(2, 2)
    torch.save(dict(epoch=3, name='x', state_dict=content), tmp_path / 'a.pt')
    assert_loaded(create_clip(arch, tmp_path / 'a.pt'), state)
    half = {key: value.half() for key, value in state.items()}
    torch.save(dict(model=half), tmp_path / 'b.pt')
    loaded = create_clip(arch, tmp_path / 'b.pt').state_dict()
    assert loaded['visual.proj'].dtype == torch.float32
    torch.testing.assert_close(loaded, state, atol=1e-3, rtol=1e-3)


def test_text_tower_at_the_root_or_apart(write_arch, state, tmp_path):
    root = write_arch('root')
    apart = write_arch('apart', custom_text=True)
    torch.save(state, tmp_path / 'root.pt')
    model = create_clip(apart, tmp_path / 'root.pt')
    torch.save(model.state_dict(), tmp_path / 'apart.pt')
    assert 'text.token_embedding.weight' in model.state_dict()
    assert_loaded(create_clip(root, tmp_path / 'apart.pt'), state)


def test_image_tower_alone(arch, state, tmp_path):
    image = {k: v for k, v in state.items() if k.startswith(('visual.', 'logit'))}
    torch.save(image, tmp_path / 'image.pt')
    visual, scale = create_image_tower(arch, tmp_path / 'image.pt')
    assert torch.equal(visual.proj, state['visual.proj'])
    assert scale == pytest.approx(state['logit_scale'].exp().item())
    with pytest.raises(ValueError, match=r'image\.pt is not .* no text tower'):
        create_clip(arch, tmp_path / 'image.pt')


def test_image_tower_equals_the_whole_models(arch):
    torch.manual_seed(3)
    visual = create_clip(arch).visual
    torch.manual_seed(3)
    alone, scale = create_image_tower(arch)
    assert_loaded(alone, visual.state_dict())
    assert scale == pytest.approx(1 / 0.07)


@torch.no_grad()
def test_eva_takes_any_image_size(write_arch):
    vision = dict(
        image_size=224,
        timm_model_name='eva02_tiny_patch14_224',
        timm_pool='token',
        timm_proj=None,
    )
    model = create_clip(write_arch('eva', vision))
    assert model.encode_image(torch.zeros(1, 3, 42, 28)).shape == (1, 16)


def test_names_of_open_clip_and_ours():
    assert clip_image_size('EVA02-L-14-336') == 336
    assert clip_image_size('ov-shapes-u') == 64
    with pytest.raises(KeyError, match=r"unknown CLIP architecture 'ViT-Z'.*ov-shapes"):
        create_clip('ViT-Z')
    with pytest.raises(KeyError, match='nowhere'):
        create_clip('/nowhere/else.json')


def test_mean_and_std(write_arch):
    mean, std = clip_mean_std('ViT-B-16')
    assert mean == pytest.approx((0.48145466, 0.4578275, 0.40821073))
    assert std == pytest.approx((0.26862954, 0.26130258, 0.27577711))
    cfg = dict(mean=[0.5, 0.4, 0.3], std=[0.2, 0.2, 0.1])
    arch = write_arch('own', preprocess_cfg=cfg)
    assert clip_mean_std(arch) == ((0.5, 0.4, 0.3), (0.2, 0.2, 0.1))
    create_clip(arch)
    assert clip_mean_std('ViT-B-16-SigLIP', 'webli')[0] == (0.5, 0.5, 0.5)
    assert clip_mean_std('ViT-B-16-SigLIP', 'checkpoints/a.pt')[0] == (0.5, 0.5, 0.5)
    assert clip_mean_std('ViT-L-14', 'laion2b_s32b_b82k')[0] == (0.5, 0.5, 0.5)
    assert clip_mean_std('ViT-L-14')[0] == pytest.approx(mean)


def test_image_size_must_be_square(write_arch):
    arch = write_arch('wide', dict(VISION, image_size=[32, 64]))
    with pytest.raises(ValueError, match='not square'):
        clip_image_size(arch)


def test_tokenizer_file_is_relative_to_the_json(tmp_path):
    (tmp_path / 'bpe').mkdir()
    Path(tmp_path / 'bpe' / 'words.txt.gz').write_bytes(
        Path(default_bpe()).read_bytes()
    )
    text = dict(tiny_clip.TEXT, tokenizer_kwargs=dict(bpe_path='bpe/words.txt.gz'))
    path = tiny_clip.write_arch(tmp_path / 'tok.json', VISION, text)
    tokens = get_tokenizer(path)(['a red circle', ''])
    assert tokens.shape == (2, 8) and tokens.dtype == torch.int64
    create_clip(path)
    (tmp_path / 'bpe' / 'words.txt.gz').unlink()
    with pytest.raises(FileNotFoundError, match=r'tok\.json: no tokenizer file'):
        get_tokenizer(path)


def test_tokenizers_by_name():
    assert get_tokenizer('ViT-B-16')(['a']).shape == (1, 77)
    assert get_tokenizer('ov-shapes-u')(['red circle']).shape == (1, 32)


def test_fingerprints(arch, state, tmp_path):
    for name in ('a.pt', 'b.pt'):
        torch.save(state, tmp_path / name)
    path = tmp_path / 'a.pt'
    assert clip_fingerprint(arch, path) == checkpoint_sha256(path)
    first, second = create_clip(arch), create_clip(arch)
    assert clip_fingerprint(arch, None, first) == clip_fingerprint(arch, None, first)
    assert clip_fingerprint(arch, None, first) != clip_fingerprint(arch, None, second)
    with pytest.raises(ValueError, match='random weights'):
        clip_fingerprint(arch, None)
    before = checkpoint_sha256(path)
    path.write_bytes(path.read_bytes() + b' ')
    assert checkpoint_sha256(path) != before


def test_packaged_weights(arch, state, tmp_path, monkeypatch):
    monkeypatch.setattr(source, 'WEIGHTS_DIR', tmp_path)
    save_file(state, tmp_path / 'ours.safetensors')
    assert_loaded(create_clip(arch, 'openvocab://ours'), state)
    with pytest.raises(FileNotFoundError, match=r'openvocab://theirs.*\bours\b'):
        create_clip(arch, 'openvocab://theirs')


@pytest.mark.parametrize(
    'checkpoint, error, message',
    [
        ('no/such/file.pt', FileNotFoundError, 'no/such/file.pt does not exist'),
        ('file.safetensors', FileNotFoundError, 'file.safetensors does not exist'),
        ('no_tag', ValueError, r"'no_tag' is neither .* \(tags: openai, .*laion2b"),
    ],
)
def test_checkpoints_that_are_not_there(checkpoint, error, message):
    with pytest.raises(error, match=message):
        resolve_checkpoint(checkpoint, 'ViT-B-16')


def test_a_tag_of_no_architecture():
    with pytest.raises(KeyError, match="unknown CLIP architecture 'ViT-B16'"):
        resolve_checkpoint('openai', 'ViT-B16')


def test_a_file_without_an_image_tower(arch, state, tmp_path):
    text = {key: value for key, value in state.items() if 'visual.' not in key}
    torch.save(text, tmp_path / 'text.pt')
    first = re.escape(repr(next(iter(text))))
    with pytest.raises(ValueError, match=f'no image tower, only keys like {first}'):
        create_image_tower(arch, tmp_path / 'text.pt')


@pytest.mark.parametrize(
    'arch, tag, names',
    [
        (
            'ViT-B-16',
            'laion2b_s34b_b88k',
            [
                'hf-hub:laion/CLIP-ViT-B-16-laion2B-s34B-b88K/open_clip_model.safetensors',
                'hf-hub:laion/CLIP-ViT-B-16-laion2B-s34B-b88K/open_clip_pytorch_model.bin',
            ],
        ),
        (
            'EVA02-B-16',
            'merged2b_s8b_b131k',
            [
                'hf-hub:timm/eva02_base_patch16_clip_224.merged2b_s8b_b131k/'
                'open_clip_model.safetensors',
                'hf-hub:timm/eva02_base_patch16_clip_224.merged2b_s8b_b131k/'
                'open_clip_pytorch_model.bin',
            ],
        ),
    ],
)
def test_a_tag_is_looked_for_on_the_hub(arch, tag, names, monkeypatch, tmp_path):
    asked = []

    def absent(name):
        asked.append(name)
        raise FileNotFoundError(f'{name} is not here')

    monkeypatch.setattr(clip_factory, 'find_checkpoint', absent)
    with pytest.raises(FileNotFoundError, match=re.escape(names[0])):
        resolve_checkpoint(tag, arch)
    assert asked == names
    (tmp_path / 'x.bin').write_bytes(b'x')
    monkeypatch.setattr(clip_factory, 'find_checkpoint', lambda _: tmp_path / 'x.bin')
    assert resolve_checkpoint(tag, arch) == tmp_path / 'x.bin'
    digest = '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881'
    assert resolve_checkpoint(f'{tag}#sha256={digest}', arch) == tmp_path / 'x.bin'
    with pytest.raises(ValueError, match='expected 12345678'):
        resolve_checkpoint(f'{tag}#sha256=12345678', arch)


def test_the_address_of_a_tag_states_its_sha256():
    url = 'https://openaipublic.azureedge.net/clip/models/0123abcd/RN50.pt'
    assert clip_factory._tag_names(dict(url=url)) == [f'{url}#sha256=0123abcd']
    other = 'https://host/x.pt'
    assert clip_factory._tag_names(dict(url=other)) == [other]


@pytest.mark.parametrize(
    'arch, tag, fitting',
    [
        ('ViT-B-16', 'openai', 'ViT-B-16-quickgelu'),
        ('RN50x4', 'openai', 'RN50x4-quickgelu'),
        ('ViT-B-32-quickgelu', 'laion2b_s34b_b79k', 'ViT-B-32'),
    ],
)
def test_activation_of_a_tag_must_fit(arch, tag, fitting, monkeypatch):
    tags = clip_factory.get_pretrained_cfg
    monkeypatch.setattr(
        clip_factory,
        'get_pretrained_cfg',
        lambda arch, name: tags(arch.removesuffix('-quickgelu'), name),
    )
    with pytest.raises(ValueError, match=rf"use the architecture '{fitting}'"):
        resolve_checkpoint(tag, arch)


def edit(state: dict, how: str) -> dict:
    if how == 'missing':
        del state['visual.proj']
    elif how == 'unknown':
        state['visual.extra'] = torch.zeros(1)
    elif how == 'width':
        state['text_projection'] = torch.zeros(16, 12)
    elif how == 'other':
        state = {'backbone.conv.weight': torch.zeros(1)}
    return state


@pytest.mark.parametrize(
    'how, message',
    [
        ('missing', r"no 'visual\.proj'"),
        ('unknown', r"unknown key 'visual\.extra'"),
        ('width', r"'text_projection' has shape \(16, 12\), expected \(16, 16\)"),
        ('other', r"no key in common \(it has 'backbone\.conv\.weight'\)"),
    ],
)
def test_checkpoint_of_another_model(arch, state, tmp_path, how, message):
    path = tmp_path / 'other.pt'
    torch.save(edit(dict(state), how), path)
    with pytest.raises(ValueError, match=message) as caught:
        create_clip(arch, path)
    assert str(path) in str(caught.value) and '\n' not in str(caught.value)
