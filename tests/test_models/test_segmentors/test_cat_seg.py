"""CAT-Seg from its config: what trains, at which rate, and what a checkpoint holds."""

import re
import time
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope

from helpers.head_memory import memory_of_847_classes
from helpers.plain_cat_seg import plain_forward
from openvocab.analysis.parameter_table import count_parameters
from openvocab.registry import MODELS
from openvocab.testing import random_segmentation_batch, without_weights

CONFIGS = Path(__file__).resolve().parents[3] / 'configs'
TINY = CONFIGS / '_base_/models/cat_seg_ov_shapes.py'
LEAF = CONFIGS / 'cat_seg/cat_seg_{}_4xb1-80k_coco-stuff.py'
PAGE = (CONFIGS / 'cat_seg/README.md').read_text()
OPTIONS = PAGE.partition('## Options')[2]
SNIPPETS = re.findall(r'```python\n(.*?)```', OPTIONS, re.DOTALL)


@pytest.fixture
def tiny():
    init_default_scope('mmseg')
    return MODELS.build(Config.fromfile(TINY).model)


def batch_for(model, images=2, size=(64, 96), training=True):
    inputs, samples = random_segmentation_batch(images, size, classes=46)
    data = dict(inputs=inputs, data_samples=samples)
    return model.data_preprocessor(data, training)


def test_a_step_reaches_all_that_trains(tiny):
    model = tiny.train()
    batch = batch_for(model)
    loss, _ = model.parse_losses(model(**batch, mode='loss'))
    loss.backward()
    trained = {n for n, p in model.named_parameters() if p.requires_grad}
    assert trained == {n for n, p in model.named_parameters() if p.grad is not None}
    clip = {n for n in trained if not n.startswith('decode_head.')}
    # q and v of 4 image blocks (the last one's q is not read) and of 2 text blocks
    assert len(clip) == 4 * 2 - 1 + 2 * 2
    assert all(n.endswith(('.q_weight', '.v_weight')) for n in clip)


def test_learning_rates(tiny):
    schedule = Config.fromfile(CONFIGS / '_base_/schedules/seg_80k.py').optim_wrapper
    wrapper = build_optim_wrapper(tiny, schedule)
    rates = {}
    for group in wrapper.optimizer.param_groups:
        for parameter in group['params']:
            rates[id(parameter)] = (group['lr'], group['weight_decay'])
    for name, parameter in tiny.named_parameters():
        if not parameter.requires_grad:
            assert id(parameter) not in rates
            continue
        rate, decay = rates[id(parameter)]
        assert rate == pytest.approx(2e-4 if name.startswith('decode_head') else 2e-6)
        assert decay == (0 if 'norm' in name else 1e-4), name


@pytest.mark.parametrize('text', SNIPPETS, ids=range(len(SNIPPETS)))
def test_options_of_the_page_train_and_test(text, tmp_path):
    path = tmp_path / 'child.py'
    path.write_text(re.sub("_base_ = '.*'", f"_base_ = '{TINY}'", text, count=1))
    init_default_scope('mmseg')
    model = MODELS.build(Config.fromfile(path).model)
    batch = batch_for(model.train())
    loss, _ = model.parse_losses(model(**batch, mode='loss'))
    loss.backward()
    trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
    assert not [n for n, p in trained.items() if p.grad is None]
    batch = batch_for(model.eval(), training=False)
    found = model(**batch, mode='predict')
    assert all(s.pred_sem_seg.data.shape == (1, *s.ori_shape) for s in found)


def test_every_option_that_replaces_a_type_is_on_the_page():
    assert len(SNIPPETS) == 5
    for name in ('TextBank', 'TemplateBank', 'WholeInference', 'WholeTower'):
        assert [text for text in SNIPPETS if f'openvocab.{name}' in text]


def test_a_checkpoint_holds_both_towers(tiny):
    init_default_scope('mmseg')
    other = MODELS.build(without_weights(Config.fromfile(TINY).model)).eval()
    tiny.eval()
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        expected = tiny(images)
        assert not torch.allclose(other(images), expected)
        other.load_state_dict(tiny.state_dict(), strict=True)
        torch.testing.assert_close(other(images), expected)
        for model in (tiny, other):
            model.set_vocabulary(['grass', 'red star', 'a class of yours'])
        torch.testing.assert_close(other(images), tiny(images))
        assert tiny(images).shape == (1, 3, 16, 16)  # 8 x 8 tokens, one stage


def test_predictions_of_a_batch_equal_those_of_its_images(tiny):
    tiny.eval()
    inputs, samples = random_segmentation_batch(
        sizes=[(64, 96), (80, 64)], ori_shapes=[(100, 90), (31, 47)], classes=46
    )
    together = tiny.test_step(dict(inputs=inputs, data_samples=samples))
    for image, sample, found in zip(inputs, samples, together, strict=True):
        (alone,) = tiny.test_step(dict(inputs=[image], data_samples=[sample]))
        labels = found.pred_sem_seg.data
        assert labels.shape == (1, *sample.ori_shape)
        assert torch.equal(alone.pred_sem_seg.data, labels)


@pytest.mark.slow
@pytest.mark.parametrize(
    'encoder, published', [('vit-b16-openai', 25.1), ('vit-l14-336-openai', 70.3)]
)
def test_trainable_parameters_are_the_published_number(encoder, published):
    """The queries of the last block, which nothing reads, count for the authors."""
    init_default_scope('mmseg')
    cfg = Config.fromfile(str(LEAF).format(encoder))
    *_, total = count_parameters(MODELS.build(without_weights(cfg.model)))
    assert round((total.trainable + total.unread) / 1e6, 1) == published


@pytest.mark.slow
def test_memory_of_847_classes_at_real_size():
    """One window of 384 x 384, every class refined, float32; the whole process."""
    head = dict(type='openvocab.CATSegHead', max_classes=None)
    process, model = memory_of_847_classes(head)
    assert process < 2 * 2**30 and model < 1.25 * 2**30, (process, model)


@pytest.mark.slow
@torch.no_grad()
def test_not_slower_than_the_plain_form():
    """Guidance once instead of per class, no attention matrices, maps in the cache."""
    from openvocab.models.decode_heads import CATSegHead

    head = CATSegHead((768, 768, 512), (16, 16, 16)).eval()
    features = [torch.randn(1, width, 24, 24) for width in (768, 768, 512)]
    text = F.normalize(torch.randn(24, 512), dim=-1)

    def seconds(function):
        times = []
        for _ in range(3):
            start = time.process_time()
            out = function()
            times.append(time.process_time() - start)
        return min(times), out

    ours, logits = seconds(lambda: head(features, text))
    plain, expected = seconds(lambda: plain_forward(head, features, text))
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)
    assert ours < plain, f'{ours:.2f} s, the plain form {plain:.2f} s'
