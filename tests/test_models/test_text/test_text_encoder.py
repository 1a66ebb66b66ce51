import json

import pytest
import torch
from safetensors.torch import save_file

from openvocab.models.clip_factory import create_clip, get_tokenizer
from openvocab.models.text import TextBank, TextEncoder

TINY = dict(
    embed_dim=16,
    vision_cfg=dict(image_size=32, layers=1, width=16, patch_size=16, head_width=8),
    text_cfg=dict(context_length=16, vocab_size=49408, width=8, heads=2, layers=2),
)


@pytest.fixture
def arch(tmp_path):
    file = tmp_path / 'tiny.json'
    file.write_text(json.dumps(TINY))
    return str(file)


@pytest.fixture
def checkpoint(arch, tmp_path):
    torch.manual_seed(7)
    file = tmp_path / 'tiny.safetensors'
    save_file(create_clip(arch).state_dict(), str(file))
    return str(file)


def test_encode_equals_open_clip(arch, checkpoint):
    encoder = TextEncoder(arch, checkpoint)
    texts = ['a photo of a cat.', 'grass', 'a red circle', 'sky', 'brick wall']
    model = create_clip(arch, checkpoint)
    with torch.no_grad():
        expected = model.encode_text(get_tokenizer(arch)(texts))
    assert encoder.embed_dim == 16
    for batch_size in (1, 2, 5, 256):
        got = encoder.encode(texts, batch_size)
        assert got.dtype == torch.float32 and not got.requires_grad
        torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-6)
    assert encoder.encode([]).shape == (0, 16)


def test_encoder_is_frozen_and_has_no_image_tower(arch):
    encoder = TextEncoder(arch)
    encoder.train()
    assert not encoder.training and not encoder.model.training
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    assert not any('visual' in key for key in encoder.state_dict())


def test_rows_do_not_depend_on_autocast(arch):
    encoder = TextEncoder(arch)
    plain = encoder.encode(['a cat'])
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(encoder.encode(['a cat']), plain)


def test_random_weights_are_reproducible_and_leave_the_generator(arch):
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    first = TextEncoder(arch)
    assert torch.equal(torch.rand(3), expected)
    second = TextEncoder(arch)
    assert first.fingerprint == second.fingerprint
    assert torch.equal(first.encode(['cat']), second.encode(['cat']))
    assert TextEncoder.find_fingerprint(arch) is None


def test_fingerprint_is_known_without_building(arch, checkpoint, tmp_path):
    encoder = TextEncoder(arch, checkpoint)
    assert TextEncoder.find_fingerprint(arch, checkpoint) == encoder.fingerprint
    torch.manual_seed(8)
    other = tmp_path / 'other.safetensors'
    save_file(create_clip(arch).state_dict(), str(other))
    assert TextEncoder.find_fingerprint(arch, str(other)) != encoder.fingerprint


def test_missing_checkpoint_is_named(arch):
    with pytest.raises(FileNotFoundError, match=r'nowhere\.pt'):
        TextBank(['cat'], dict(arch=arch, checkpoint='/nowhere.pt'))


def test_long_prompt_is_cut_with_a_warning(arch, monkeypatch):
    from mmengine.logging import MMLogger

    messages = []
    logger = MMLogger.get_current_instance()
    monkeypatch.setattr(logger, 'warning', messages.append)
    encoder = TextEncoder(arch)
    encoder.encode(['cat', ' '.join(['cat'] * 14)])
    assert messages == []
    encoder.encode(['cat', ' '.join(['dog'] * 15)])
    assert len(messages) == 1 and 'cut to 16 of 17' in messages[0]


def test_bank_from_config_and_cache_hit_builds_nothing(
    arch, checkpoint, tmp_path, monkeypatch
):
    options = dict(
        vocabulary=['cat', 'brick wall', 'sky'],
        encoder=dict(arch=arch, checkpoint=checkpoint),
        prompts='vild14',
        cache_dir=tmp_path / 'cache',
    )
    first = TextBank(**options)
    assert first.rows.shape == (3, 16) and first.embed_dim == 16
    assert list(first.children()) == [] and first.state_dict() == {}
    files = list((tmp_path / 'cache').iterdir())
    assert [file.suffix for file in files] == ['.safetensors']

    def fail(*args, **kwargs):
        raise AssertionError('the encoder was built on a cache hit')

    monkeypatch.setattr(TextEncoder, '__init__', fail)
    second = TextBank(**options)
    assert torch.equal(first.rows, second.rows)
    assert second.fingerprint == first.fingerprint
    # A permutation of the vocabulary is a hit as well.
    second.set_vocabulary(['sky', 'cat', 'brick wall'])
    assert torch.equal(second.rows, first.rows[[2, 0, 1]])
    with pytest.raises(AssertionError, match='cache hit'):
        second.set_vocabulary(['dog'])


def test_packaged_vocabulary_through_a_config(arch, checkpoint, tmp_path):
    bank = TextBank(
        dict(merge=['coco_stuff_171', 'ade20k_150']),
        dict(type='openvocab.TextEncoder', arch=arch, checkpoint=checkpoint),
        cache_dir=tmp_path / 'cache',
    )
    assert bank().shape == (260, 16)
    assert bank.is_thing.sum() == 141
    torch.testing.assert_close(bank().norm(dim=1), torch.ones(260))
