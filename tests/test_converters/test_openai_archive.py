"""OpenAI's archives: read without running them, and what they are then worth."""

import zipfile

import pytest
import torch
from mmpretrain.models.backbones import VisionTransformer
from open_clip.model import build_model_from_openai_state_dict

from helpers.clip_releases import openai_resnet, openai_vit, save_archive, with_values
from helpers.tiny_clip import write_arch
from openvocab.checkpoints import CheckpointError
from openvocab.checkpoints.reading import read_state_dict
from openvocab.converters import ADAPTERS
from openvocab.converters.conversion import inspect_file, write_conversion
from openvocab.models.backbones import CLIPBackbone
from openvocab.models.clip_factory import create_clip
from openvocab.models.teachers import DINOv2

TEXT = dict(context_length=77, vocab_size=49408, width=64, heads=1, layers=1)
CASES = {
    'vit': (
        openai_vit(32, 64, 2, 8, 4, 64, 1),
        dict(image_size=32, patch_size=8, width=64, head_width=64, layers=2),
    ),
    'resnet': (
        openai_resnet(32, 64, (1, 1, 1, 1), 2, 64, 1),
        dict(image_size=64, layers=[1, 1, 1, 1], width=64, head_width=64),
    ),
}


@pytest.fixture(scope='module', params=CASES)
def archive(request, tmp_path_factory):
    """Architecture, archive and its tensors."""
    torch.manual_seed(0)
    shapes, vision = CASES[request.param]
    state = with_values(shapes, lambda shape: torch.randn(shape) * 0.1)
    for key, value in state.items():
        if key.endswith('running_var'):
            value.abs_().add_(0.5)
    sizes = dict(input_resolution=vision['image_size'], context_length=77)
    for key, number in dict(sizes, vocab_size=49408).items():
        state[key] = torch.tensor(number)
    # All values are those of half precision; as in the release, some are stored so.
    state = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    state = {k: v.float() if '.ln_' in k or '.bn' in k else v for k, v in state.items()}
    folder = tmp_path_factory.mktemp(request.param)
    path = folder / f'{request.param}.pt'
    save_archive(state, path)
    file = folder / f'{request.param}.json'
    arch = write_arch(file, vision, TEXT, embed_dim=32, quick_gelu=True)
    return arch, path, state


def test_tensors_are_those_of_the_program(archive):
    _, path, state = archive
    read = read_state_dict(path)
    assert read.keys() == state.keys()
    for key, value in state.items():
        assert read[key].dtype == value.dtype and torch.equal(read[key], value), key


@torch.no_grad()
def test_forward_equals_open_clips_own_reading(archive):
    arch, path, state = archive
    theirs = build_model_from_openai_state_dict(dict(state), cast_dtype=torch.float32)
    theirs = theirs.float().eval()
    ours = create_clip(arch, path)
    side = int(state['input_resolution'])
    images, tokens = torch.randn(2, 3, side, side), torch.randint(1, 49407, (2, 77))
    assert torch.equal(ours.encode_image(images), theirs.encode_image(images))
    assert torch.equal(ours.encode_text(tokens), theirs.encode_text(tokens))
    assert ours.encode_image(images).std() > 1e-3


@torch.no_grad()
def test_converted_archive_drives_a_backbone(archive, tmp_path):
    arch, path, _ = archive
    out = tmp_path / 'clip.safetensors'
    write_conversion(inspect_file(path, arch=arch), out)
    images = torch.randn(1, 3, 64, 128)
    dense = CLIPBackbone(arch, out)(images)[-1]
    assert torch.equal(dense, CLIPBackbone(arch, path)(images)[-1])


def test_the_program_is_never_opened(archive, tmp_path):
    copy = tmp_path / 'copy.pt'
    with zipfile.ZipFile(archive[1]) as old, zipfile.ZipFile(copy, 'w') as new:
        for item in old.infolist():
            code = '/code/' in item.filename
            new.writestr(item.filename, b'import os; 1/0' if code else old.read(item))
    assert read_state_dict(copy).keys() == archive[2].keys()


@pytest.mark.parametrize(
    'pickled, message',
    [
        (
            b'\x80\x02cos\nsystem\nX\x04\x00\x00\x00exit\x85R.',
            r'carries code.*os\.system',
        ),
        (b'\x80\x02cbuiltins\neval\nX\x01\x00\x00\x001\x85R.', r'builtins\.eval'),
        (b'\x80\x02ctorch\nload\n.', r'torch\.load'),
        (b'\x80\x02i', 'cannot be read|carries code'),
        (b"\x80\x02(S'x'\nios\nsystem\n.", 'opcode'),
        (b'\x80\x04\x8c\x02os\x8c\x06system\x93.', 'opcode STACK_GLOBAL'),
        (b'\x80\x02}r\xff\xff\xff\x7f.', 'cannot be read'),
        (b'', 'cannot be read'),
        (b'\x80\x02c__torch__.M\nN\n)\x81(K\x01K\x02tb.', 'no table'),
    ],
)
def test_pickles_that_ask_for_more_are_refused(tmp_path, pickled, message):
    path = tmp_path / 'evil.pt'
    with zipfile.ZipFile(path, 'w') as file:
        file.writestr('evil/data.pkl', pickled)
        file.writestr('evil/constants.pkl', b'\x80\x02).')
    with pytest.raises(CheckpointError, match=message) as caught:
        read_state_dict(path)
    assert '\n' not in str(caught.value)


def test_values_outside_of_the_file_are_refused(archive, tmp_path):
    path = tmp_path / 'short.pt'
    for change in ('short', 'compressed', 'order'):
        with zipfile.ZipFile(archive[1]) as old, zipfile.ZipFile(path, 'w') as new:
            for item in old.infolist():
                content, kind = old.read(item), zipfile.ZIP_STORED
                if change == 'short' and item.filename.endswith('/data/3'):
                    content = content[:1]
                if change == 'order' and item.filename.endswith('/byteorder'):
                    content = b'big'
                if change == 'compressed':
                    kind = zipfile.ZIP_DEFLATED
                new.writestr(item.filename, content, kind)
        with pytest.raises(CheckpointError, match='cannot be read'):
            read_state_dict(path)


def test_sizes_mark_the_family(archive):
    assert ADAPTERS['openai'].matches(archive[2])
    assert not ADAPTERS['open_clip'].matches(archive[2])


@torch.no_grad()
@pytest.mark.parametrize('size', [(56, 56), (56, 84)])
def test_dinov2_equals_mmpretrains(tmp_path, size):
    torch.manual_seed(0)
    theirs = VisionTransformer(
        dict(embed_dims=32, num_layers=2, num_heads=2, feedforward_channels=128),
        img_size=56,
        patch_size=14,
        layer_scale_init_value=1.0,
        out_type='featmap',
        norm_cfg=dict(type='LN', eps=1e-6),
    )
    theirs.eval()
    for value in theirs.parameters():
        value.add_(torch.randn_like(value) * 0.05)
    theirs.interpolate_mode = 'bicubic'
    torch.save(dinov2_names(theirs.state_dict()), tmp_path / 'dinov2.pth')
    name = 'vit_small_patch14_dinov2.lvd142m'
    small = dict(depth=2, embed_dim=32, num_heads=2, img_size=56)
    ours = DINOv2(name, tmp_path / 'dinov2.pth', **small)
    images = torch.randn(1, 3, *size)
    tolerance = 1e-4 if size == (56, 56) else 0.1  # they do not antialias the table
    (expected,) = theirs(images)
    found = ours.encode(images)
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


def dinov2_names(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Names of the authors' file, which has a mask token besides."""
    names = (
        ('ffn.layers.0.0', 'mlp.fc1'),
        ('ffn.layers.1', 'mlp.fc2'),
        ('layers.', 'blocks.'),
        ('attn.gamma1.weight', 'ls1.gamma'),
        ('ffn.gamma2.weight', 'ls2.gamma'),
        ('.ln1.', '.norm1.'),
        ('.ln2.', '.norm2.'),
        ('projection', 'proj'),
    )
    out = {'mask_token': torch.zeros(1, 32)}
    for key, value in state.items():
        for old, new in names:
            key = key.replace(old, new)
        out[key.replace('ln1.', 'norm.')] = value
    return out
