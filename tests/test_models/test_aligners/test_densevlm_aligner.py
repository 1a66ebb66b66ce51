import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.runner.checkpoint import get_state_dict
from torch import nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from helpers import tiny_aligners as tiny
from openvocab.models.aligners import BaseAligner, DenseVLMAligner
from openvocab.models.aligners.multiscale import ScaleSampler
from openvocab.models.recognizers import RegionRecognizer


def test_loss_and_monitors(tmp_path):
    model = tiny.densevlm(tmp_path)
    assert isinstance(model, BaseAligner) and isinstance(model, RegionRecognizer)
    out = tiny.compute_loss(model, tiny.make_batch())
    assert set(out) == {'loss_align', 'keep_ratio', 'thing_ratio', 'agreement'}
    assert out['loss_align'] > 0 and out['keep_ratio'] == 1
    total, logged = model.parse_losses(out)
    assert total == out['loss_align'] and 'agreement' in logged


def test_gradient_reaches_the_student_alone(tmp_path):
    model = tiny.densevlm(tmp_path).train()
    tiny.compute_loss(model, tiny.make_batch())['loss_align'].backward()
    trainable = {n: p for n, p in model.named_parameters() if p.requires_grad}
    assert trainable and all(name.startswith('backbone.') for name in trainable)
    without = [n for n, p in trainable.items() if p.grad is None]
    assert not without, 'distributed training needs every trainable parameter'
    assert any(p.grad.any() for p in trainable.values())
    assert not any(p.grad is not None for p in model.teacher.parameters())
    assert not model.student_text().requires_grad
    assert not model.teacher.training and not model.teacher.encoder.visual.training


def test_checkpoint_holds_the_student_only(tmp_path):
    model = tiny.densevlm(tmp_path)
    for state in (model.state_dict(), get_state_dict(model)):
        assert state.pop('teacher.encoder.encoder_record').numel() < 1000
        assert state and all(key.startswith('backbone.') for key in state)
    other = tiny.densevlm(tmp_path)
    nn.init.zeros_(other.backbone.visual.conv1.weight)
    before = {k: v.clone() for k, v in other.teacher.encoder.state_dict().items()}
    other.load_state_dict(model.state_dict(), strict=True)
    for key, value in other.teacher.encoder.state_dict().items():
        assert torch.equal(value, before[key])
    weights = [m.backbone.visual.conv1.weight for m in (model, other)]
    assert torch.equal(*weights)


class MeanColour(nn.Module):
    embed_dim, mean, std = 3, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    normalize_before_pooling = False

    def __init__(self, patch_size):
        super().__init__()
        self.patch_size, self.strides = patch_size, (patch_size,)

    def forward(self, images):
        return (F.avg_pool2d(images, self.patch_size),)


class Capture(nn.Module):
    def forward(self, *args):
        self.args = args
        return dict(loss_align=args[0].sum())


class Rows(nn.Module):
    embed_dim = 3

    def __init__(self, count=2, fingerprint='a'):
        super().__init__()
        self.rows, self.is_thing = torch.eye(3)[:count], torch.ones(count).bool()
        self.vocabulary = type('V', (), dict(hash=fingerprint, name='v'))
        self.vocabulary.__len__ = lambda self: count
        self.vocabulary = self.vocabulary()

    def forward(self):
        return self.rows


@pytest.mark.parametrize('scales', [None, [128]])
@pytest.mark.parametrize('size', [(80, 80), (64, 96), (88, 71)])
def test_both_models_see_the_same_regions(scales, size):
    """Smooth colours: whatever patch and size, a box has the colour of its centre."""
    height, width = size
    y = (torch.arange(height) + 0.5).expand(width, height).T / height
    x = (torch.arange(width) + 0.5).expand(height, width) / width
    image = torch.stack((x, y, torch.full_like(x, 0.5)))
    boxes = torch.tensor([[0.2, 0.25, 0.7, 0.8], [0.3, 0.2, 0.9, 0.5]])
    sample = tiny.make_batch(counts=(2,))['data_samples'][0]
    sample.regions.bboxes = boxes * torch.tensor([width, height] * 2)
    model = DenseVLMAligner(
        MeanColour(4), MeanColour(14), Rows(), Rows(), Rows(), Capture(), scales=scales
    )
    model(image[None], [sample], mode='loss')
    student, teacher, *_, index, images = model.criterion.args
    centre = torch.cat(((boxes[:, :2] + boxes[:, 2:]) / 2, torch.full((2, 1), 0.5)), 1)
    expected = F.normalize(centre, dim=1)
    torch.testing.assert_close(student, expected, atol=2e-2, rtol=0)
    torch.testing.assert_close(teacher, expected, atol=2e-2, rtol=0)
    assert index.tolist() == [0, 0] and images == 1


def test_image_without_regions_changes_nothing(tmp_path):
    model = tiny.densevlm(tmp_path)
    batch = tiny.make_batch(counts=(3, 0, 5))
    three = tiny.compute_loss(model, batch)
    two = {key: [values[0], values[2]] for key, values in batch.items()}
    torch.testing.assert_close(three, tiny.compute_loss(model, two))


def test_no_regions_at_all(tmp_path):
    model = tiny.densevlm(tmp_path)
    loss = tiny.compute_loss(model, tiny.make_batch(counts=(0, 0)))['loss_align']
    assert loss.item() == 0
    loss.backward()
    trainable = [p for p in model.parameters() if p.requires_grad]
    assert all(p.grad is not None and not p.grad.any() for p in trainable)


def test_one_class(tmp_path):
    one = tiny.vocabulary(1)
    model = tiny.densevlm(
        tmp_path,
        student_text=tiny.text(tmp_path, 'tiny-u', one),
        teacher_text=tiny.text(tmp_path, 'tiny-p', one),
    )
    assert tiny.compute_loss(model, tiny.make_batch())['loss_align'].item() == 0


def test_scales_change_the_size_per_step(tmp_path):
    model = tiny.densevlm(tmp_path, scales=[32, 56, 80])
    seen = []
    for encoder in (model.backbone, model.teacher.encoder):
        encoder.register_forward_pre_hook(lambda m, a: seen.append(a[0].shape[-2:]))
    hub = MessageHub.get_instance('scales')  # as the runner keeps it
    for step in range(8):
        hub.update_info('iter', step)
        tiny.compute_loss(model, tiny.make_batch(size=(56, 56)))
    sizes = {28: 32, 56: 56, 70: 80}  # patch 14 against patch 8
    teacher, student = seen[0::2], seen[1::2]
    assert [(sizes[h], sizes[w]) for h, w in teacher] == [tuple(s) for s in student]
    assert len(set(student)) > 1
    # a run that resumes at step 5, in another process
    seen.clear()
    model = tiny.densevlm(tmp_path, scales=[32, 56, 80])
    model.backbone.register_forward_pre_hook(lambda m, a: seen.append(a[0].shape[-2:]))
    for step in range(5, 8):
        hub.update_info('iter', step)
        tiny.compute_loss(model, tiny.make_batch(size=(56, 56)))
    assert seen == student[5:]


def test_scale_sampler_is_the_same_on_every_rank():
    scales = (320, 512, 672, 896)
    first, second = ScaleSampler(scales), ScaleSampler(scales)
    torch.manual_seed(5)
    draws = [first(step) for step in range(200)]
    torch.manual_seed(6)
    assert draws[50:] == [second(step) for step in range(50, 200)]
    assert draws != [ScaleSampler(scales, seed=1)(step) for step in range(200)]
    assert all(draws.count(scale) > 25 for scale in scales)
    with pytest.raises(ValueError, match='scales must be positive'):
        ScaleSampler([])


class ForbidHostReads(TorchDispatchMode):
    """Raises at every operator whose result the host must wait for."""

    NAMES = ('_local_scalar_dense', 'nonzero', 'masked_select', 'unique')

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        boolean = name.startswith('index') and any(
            isinstance(i, torch.Tensor) and i.dtype == torch.bool
            for i in (args[1] if isinstance(args[1], (list, tuple)) else ())
        )
        assert not boolean and not any(n in name for n in self.NAMES), name
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize('reduction', ['group', 'region'])
def test_step_reads_nothing_back_to_the_host(tmp_path, reduction):
    model = tiny.densevlm(tmp_path, loss=dict(reduction=reduction), scales=[56])
    with ForbidHostReads():
        data = model.data_preprocessor(tiny.make_batch(), True)
        model(**data, mode='loss')['loss_align'].backward()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
@pytest.mark.parametrize('reduction', ['group', 'region'])
def test_step_never_waits_for_the_device(tmp_path, reduction):
    pooler = dict(type='openvocab.RoIPooler', use_torchvision=True)
    model = tiny.densevlm(tmp_path, loss=dict(reduction=reduction), pooler=pooler)
    model.cuda().train()
    data = tiny.make_batch()
    for mode in ('default', 'error'):  # the first step may initialise libraries
        torch.cuda.set_sync_debug_mode(mode)
        try:
            with torch.autocast('cuda', dtype=torch.bfloat16):
                loss = tiny.compute_loss(model, data)['loss_align']
            loss.backward()
        finally:
            torch.cuda.set_sync_debug_mode('default')
    assert torch.isfinite(loss)


def test_autocast(tmp_path):
    model = tiny.densevlm(tmp_path)
    full = tiny.compute_loss(model, tiny.make_batch())['loss_align']
    with torch.autocast('cpu', dtype=torch.bfloat16):
        half = tiny.compute_loss(model, tiny.make_batch())['loss_align']
    half.backward()
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, full, rtol=0.2, atol=0)


def test_training_lowers_the_loss(tmp_path):
    model = tiny.densevlm(tmp_path).train()
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=1e-3)
    losses = []
    for _ in range(15):
        loss = tiny.compute_loss(model, tiny.make_batch())['loss_align']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


def test_predict_on_another_vocabulary(tmp_path):
    model = tiny.densevlm(tmp_path)
    model.set_vocabulary(['horse', 'road'])
    assert len(model.text_bank()) == 2 and len(model.student_text()) == 7
    samples = model.val_step(tiny.make_batch(size=(37, 59)))
    assert [len(s.predictions['boxes'].region) for s in samples] == [2, 0, 3]
    assert samples[0].predictions['boxes'].topk.shape == (2, 2)


def test_text_banks_take_the_tower_of_their_encoder(tmp_path):
    banks = {
        name: {k: v for k, v in tiny.text(tmp_path, tower).items() if k != 'encoder'}
        for name, tower in (
            ('student_text', 'tiny-u'),
            ('teacher_text', 'tiny-p'),
            ('text_bank', 'tiny-u'),
        )
    }
    given, derived = tiny.densevlm(tmp_path), tiny.densevlm(tmp_path, **banks)
    for name in banks:
        ours, theirs = getattr(derived, name), getattr(given, name)
        assert ours.fingerprint == theirs.fingerprint
    assert torch.equal(derived.text_bank(), given.text_bank())


def test_contradictory_parts_are_refused(tmp_path):
    with pytest.raises(ValueError, match='teacher_text has rows of width 24'):
        tiny.densevlm(tmp_path, teacher_text=tiny.text(tmp_path, 'tiny-u'))
    with pytest.raises(ValueError, match='both must be the same'):
        other = tiny.text(tmp_path, 'tiny-p', tiny.vocabulary(3))
        tiny.densevlm(tmp_path, teacher_text=other)
    teacher = MeanColour(14)
    teacher.std = (0.5, 0.5, 0.5)
    with pytest.raises(ValueError, match='mean and std differ'):
        DenseVLMAligner(MeanColour(4), teacher, Rows(), Rows(), Rows())
