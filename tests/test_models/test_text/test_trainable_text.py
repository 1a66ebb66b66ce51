import copy

import pytest
import torch

from helpers.tiny_clip import write_arch
from openvocab.models.clip_factory import create_clip
from openvocab.models.text import TemplateBank, TextBank, TrainableText
from openvocab.registry import MODELS

TEXT = dict(context_length=24, vocab_size=49408, width=8, heads=2, layers=2)
NAMES = ['cat', 'brick wall', 'sky', 'a rather long name of a class']
WHOLE = dict(type='openvocab.WholeTower')


@pytest.fixture(params=[False, True], ids=['clip', 'custom'])
def arch(tmp_path, request):
    """Both of open_clip's layouts of a text tower."""
    vision = dict(image_size=32, layers=1, width=16, patch_size=16, head_width=8)
    file = tmp_path / 'tiny.json'
    return write_arch(file, vision, TEXT, custom_text=request.param)


def make(arch, vocabulary=NAMES, **settings):
    return TrainableText(vocabulary, dict(arch=arch), **settings)


@pytest.mark.parametrize('prompts', ['single', 'vild14'])
def test_rows_equal_the_frozen_bank(arch, prompts):
    """Truncating the context to the longest sentence is exact."""
    bank = TextBank(NAMES, dict(arch=arch), prompts)
    text = make(arch, prompts=prompts)
    assert text._tokens.shape[1] < 24
    for rows in (text(), text.eval()(), make(arch, prompts=prompts, batch_size=3)()):
        torch.testing.assert_close(rows, bank(), rtol=0, atol=1e-5)
    assert text.embed_dim == bank.embed_dim == 16 and len(text) == 4
    record, other = text.record(), bank.record()
    assert record['vocabulary'] == other['vocabulary']
    assert record['prompts'] == other['prompts']
    assert record['encoder'] == other['encoder'] + ' (fine-tuned)'


def test_templates_apart(arch):
    text = make(arch, prompts='vild14', average_templates=False)
    bank = TemplateBank(NAMES, dict(arch=arch), 'vild14')
    assert text().shape == bank().shape == (4, 14, 16) and bank.embed_dim == 16
    torch.testing.assert_close(text(), bank(), rtol=0, atol=1e-5)
    means = torch.nn.functional.normalize(bank().mean(1), dim=-1)
    averaged = TextBank(NAMES, dict(arch=arch), 'vild14')()
    torch.testing.assert_close(means, averaged)
    bank.set_vocabulary(NAMES[::-1])
    torch.testing.assert_close(bank(), text().flip(0), rtol=0, atol=1e-5)


def test_only_query_and_value_weights_get_gradient(arch):
    text = make(arch)
    text().sum().backward()
    reached = {n for n, p in text.named_parameters() if p.grad is not None}
    assert reached == {n for n, p in text.named_parameters() if p.requires_grad}
    assert {name.split('.')[-1] for name in reached} == {'q_weight', 'v_weight'}
    assert len(reached) == 2 * 2
    whole = make(arch, trainable=WHOLE)
    whole().sum().backward()
    still = {n for n, p in whole.named_parameters() if p.grad is None}
    assert still <= {'text.logit_scale'}
    assert not any(n in still for n, p in whole.named_parameters() if p.requires_grad)


def test_kept_rows_are_dropped_when_weights_change(arch):
    text = make(arch).eval()
    with torch.no_grad():
        first = text()
        assert text() is first
    optimizer = torch.optim.AdamW([p for p in text.parameters() if p.requires_grad])
    text().sum().backward()
    optimizer.step()
    with torch.no_grad():
        second = text()
        assert not torch.allclose(first, second) and text() is second
        text.train().eval()
        assert text() is not second and torch.equal(text(), second)
        text.load_state_dict(make(arch).state_dict())
        assert torch.equal(text(), first)
        text.set_vocabulary(['dog', 'cat'])
        torch.testing.assert_close(text()[1], first[0])
    with torch.inference_mode():
        text.train()
        kept = text()
    assert not kept.is_inference()


def test_autocast_changes_no_kept_row(arch):
    text = make(arch).eval()
    with torch.no_grad():
        plain = text()
        text.train().eval()
        with torch.autocast('cpu', torch.bfloat16):
            assert torch.equal(text(), plain)
    with torch.autocast('cpu', torch.bfloat16):
        text().sum().backward()


def test_permuting_the_vocabulary_permutes_the_rows_exactly(arch):
    classes = [*NAMES, 'feline']
    plain = make(arch, classes)()
    order = [3, 0, 4, 1, 2]
    permuted = make(arch, [classes[i] for i in order])()
    assert torch.equal(permuted, plain[order])


def test_state_dict_round_trip_has_open_clip_names(arch):
    text = make(arch)
    with torch.no_grad():
        for parameter in text.parameters():
            parameter.add_(0.1)
    state = text.state_dict()
    assert not any('_tokens' in key or '_order' in key for key in state)
    model = create_clip(arch)
    own = getattr(model, 'text', model).state_dict()
    names = {key.removeprefix('text.') for key in state}
    assert names == {key for key in own if not key.startswith('visual.')}
    other = make(arch)
    other.load_state_dict(state, strict=True)
    assert torch.equal(other(), text())
    twin = copy.deepcopy(text)
    with torch.no_grad():
        next(twin.parameters()).zero_()
        assert torch.equal(text(), other())


def test_towers_without_causal_mask_keep_the_context(tmp_path):
    vision = dict(image_size=32, layers=1, width=16, patch_size=16, head_width=8)
    text_cfg = dict(TEXT, no_causal_mask=True, pool_type='last')
    arch = write_arch(tmp_path / 'tiny.json', vision, text_cfg, custom_text=True)
    text = make(arch)
    assert text._tokens.shape[1] == 24
    bank = TextBank(NAMES, dict(arch=arch), 'single')
    torch.testing.assert_close(text(), bank(), rtol=0, atol=1e-5)


def test_registered(arch):
    text = MODELS.build(
        dict(type='openvocab.TrainableText', vocabulary=NAMES, encoder=dict(arch=arch))
    )
    assert isinstance(text, TrainableText)
    assert 'prompts' in repr(text)
