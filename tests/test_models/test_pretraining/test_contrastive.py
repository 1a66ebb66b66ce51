"""Contrastive pre-training: its loss on hand-made towers, and that it learns."""

import math

import pytest
import torch
from safetensors.torch import load_file, save_file

from openvocab.converters.pack_clip import pack_clip
from openvocab.models.backbones import CLIPBackbone
from openvocab.models.backbones.export import save_encoder
from openvocab.models.clip_factory import create_clip
from openvocab.models.pretraining import ContrastivePretrainer


class TableTowers(torch.nn.Module):
    """Towers that look their embeddings up: image i and the caption's last letter."""

    def __init__(self, images, texts, scale):
        super().__init__()
        self.images, self.texts = images, texts
        self.logit_scale = torch.tensor(math.log(scale))

    def encode_image(self, inputs, normalize):
        return self.images

    def encode_text(self, tokens, normalize):
        return self.texts[tokens]


def pretrainer(images, texts, scale=2.0):
    model = ContrastivePretrainer('ov-shapes-u')
    model.clip = TableTowers(images, texts, scale)
    model.tokenizer = lambda captions: torch.tensor(
        [ord(caption[-1]) - ord('a') for caption in captions]
    )
    return model


def test_without_repeats_it_is_the_loss_of_clip():
    torch.manual_seed(0)
    images = torch.nn.functional.normalize(torch.randn(3, 4), dim=1)
    texts = torch.nn.functional.normalize(torch.randn(3, 4), dim=1)
    model = pretrainer(images, texts)
    samples = dict(caption=['a', 'b', 'c'], phrase=['a', 'b', 'c'])
    loss = model(torch.zeros(3, 3, 8, 8), samples)['loss_contrastive']
    logits = 2 * images @ texts.t()
    target = torch.arange(3)
    cross_entropy = torch.nn.functional.cross_entropy
    want = (cross_entropy(logits, target) + cross_entropy(logits.t(), target)) / 2
    assert torch.allclose(loss, want)


def test_repeated_phrases_are_positives_hand_computed():
    images = torch.tensor([[1.0, 0], [1, 0], [0, 1]])
    texts = torch.tensor([[1.0, 0], [0, 1]])
    model = pretrainer(images, texts, scale=1.0)
    samples = dict(caption=['a', 'say a', 'b'], phrase=['a', 'a', 'b'])
    out = model(torch.zeros(3, 3, 8, 8), samples)
    e = math.e
    by_image = -math.log(e / (e + 1))
    # Text a over the three images: logits 1, 1, 0; text b: 0, 0, 1.
    by_text = (-math.log(e / (2 * e + 1)) - math.log(e / (e + 2))) / 2
    assert out['loss_contrastive'].item() == pytest.approx((by_image + by_text) / 2)
    assert out['batch_accuracy'] == 1


def test_a_few_steps_reduce_the_loss_and_reach_both_towers():
    torch.manual_seed(0)
    model = ContrastivePretrainer('ov-shapes-u')
    names = ['red star', 'blue ring', 'grass', 'sky']
    samples = dict(caption=[f'a {n}.' for n in names], phrase=names)
    inputs = torch.randn(4, 3, 64, 64)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(6):
        loss = model(inputs, samples)['loss_contrastive']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    for part in (model.clip.visual, model.clip.transformer):
        assert any(p.grad.abs().sum() > 0 for p in part.parameters())
    assert model.clip.logit_scale.grad is not None


def test_other_modes_say_what_to_do():
    model = ContrastivePretrainer('ov-shapes-u')
    with pytest.raises(ValueError, match='RegionRecognizer'):
        model(torch.zeros(1, 3, 64, 64), mode='predict')


def test_pack_joins_the_text_tower_with_an_aligned_image_tower(tmp_path):
    torch.manual_seed(0)
    model = ContrastivePretrainer('ov-shapes-u')
    torch.save(dict(state_dict=model.state_dict(), meta=dict(epoch=1)),
               tmp_path / 'epoch_1.pth')  # fmt: skip
    backbone = CLIPBackbone('ov-shapes-u')
    save_encoder(backbone, tmp_path / 'encoder.safetensors')
    out = tmp_path / 'packed.safetensors'
    sha = pack_clip('ov-shapes-u', tmp_path / 'epoch_1.pth', out,
                    tmp_path / 'encoder.safetensors')  # fmt: skip
    assert len(sha) == 64
    packed = load_file(out)
    assert {v.dtype for v in packed.values()} == {torch.float16}
    clip = create_clip('ov-shapes-u', out)
    aligned = backbone.export_state_dict()
    for key, value in clip.state_dict().items():
        source = aligned if key in aligned else model.clip.state_dict()
        assert torch.equal(value, source[key].half().float()), key
    save_file({'visual.proj': torch.zeros(3, 3)}, tmp_path / 'odd.safetensors')
    with pytest.raises(ValueError, match=r'odd\.safetensors'):
        pack_clip('ov-shapes-u', tmp_path / 'odd.safetensors', out)
