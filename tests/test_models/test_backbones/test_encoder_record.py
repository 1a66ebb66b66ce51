import copy
import itertools
import uuid

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.model import BaseModel, ExponentialMovingAverage
from mmengine.runner import Runner
from mmengine.runner.checkpoint import (
    get_state_dict,
    load_checkpoint,
    save_checkpoint,
    weights_to_cpu,
)
from torch import Tensor, nn

from openvocab.models.backbones import CLIPBackbone, save_encoder
from openvocab.models.clip_factory import checkpoint_sha256
from openvocab.models.freezing import freeze
from openvocab.models.records import record_from_tensor, record_to_tensor
from openvocab.models.teachers import DenseTeacher

RECORD = 'backbone.encoder_record'


class Task(BaseModel):
    """A model with an encoder and a head that trains."""

    def __init__(self, backbone: CLIPBackbone) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(backbone.embed_dim, 1)

    def forward(self, inputs: Tensor, mode: str = 'tensor') -> dict | Tensor:
        out = self.head(self.backbone(inputs)[-1].mean((2, 3)))
        return dict(loss=out.square().mean()) if mode == 'loss' else out

    def train_step(self, data: Tensor, optim_wrapper) -> dict:
        losses = self(data, mode='loss')
        optim_wrapper.update_params(losses['loss'])
        return losses


@pytest.fixture
def first(vit, make_checkpoint) -> str:
    return make_checkpoint(vit, 'first.pt', seed=1)


@pytest.fixture
def second(vit, make_checkpoint) -> str:
    return make_checkpoint(vit, 'second.pt', seed=2)


@pytest.fixture
def exported(vit, second, tmp_path) -> str:
    """The file that an alignment exported, of other weights than `first`."""
    path = tmp_path / 'encoder.safetensors'
    save_encoder(CLIPBackbone(vit, second), path)
    return str(path)


@pytest.fixture
def log(monkeypatch) -> dict[str, list[str]]:
    seen: dict[str, list[str]] = dict(info=[], warning=[])
    logger = MMLogger.get_current_instance()
    for level, texts in seen.items():
        monkeypatch.setattr(logger, level, texts.append)
    return seen


def weights_equal(left: CLIPBackbone, right: CLIPBackbone) -> bool:
    left, right = left.state_dict(), right.state_dict()
    return left.keys() == right.keys() and all(
        torch.equal(left[key], right[key]) for key in left
    )


def torch_load(model: nn.Module, state: dict, path) -> None:
    model.load_state_dict(state, strict=True)


def torch_load_loosely(model: nn.Module, state: dict, path) -> None:
    model.load_state_dict(state, strict=False)


def mmengine_load(model: nn.Module, state: dict, path) -> None:
    save_checkpoint(dict(state_dict=weights_to_cpu(state)), str(path))
    load_checkpoint(model, str(path), map_location='cpu', strict=True)


LOADERS = [torch_load, torch_load_loosely, mmengine_load]


@pytest.mark.parametrize('state_dict', [nn.Module.state_dict, get_state_dict])
def test_a_record_stands_for_the_frozen_encoder(vit, first, state_dict):
    backbone = CLIPBackbone(vit, first)
    state = state_dict(Task(backbone).to('cpu'))
    assert set(state) == {RECORD, 'head.weight', 'head.bias'}
    record = state[RECORD]
    assert record.dtype == torch.uint8 and record.device.type == 'cpu'
    assert record.numel() < 1000
    assert record_from_tensor(record) == backbone.record()
    assert record_from_tensor(record)['checkpoint'] == checkpoint_sha256(first)
    # on its own the encoder is complete and needs no record
    assert set(state_dict(backbone)) == {
        f'visual.{k}' for k in backbone.visual.state_dict()
    }


def test_an_encoder_that_trains_leaves_its_tensors(vit, first):
    model = Task(CLIPBackbone(vit, first, trainable_blocks=1))
    assert RECORD not in model.state_dict()
    assert 'backbone.visual.conv1.weight' in model.state_dict()


@pytest.mark.parametrize('load', LOADERS)
def test_the_same_encoder_passes(vit, first, load, tmp_path, log):
    trained, fresh = (Task(CLIPBackbone(vit, first)) for _ in range(2))
    load(fresh, get_state_dict(trained), tmp_path / 'task.pth')
    assert torch.equal(fresh.head.weight, trained.head.weight)
    assert weights_equal(fresh.backbone, trained.backbone)
    assert not log['warning']


@pytest.mark.parametrize('load', LOADERS)
def test_other_weights_are_an_error_that_names_both(vit, first, second, load, tmp_path):
    state = get_state_dict(Task(CLIPBackbone(vit, first)))
    fresh = Task(CLIPBackbone(vit, second))
    with pytest.raises(ValueError) as error:
        load(fresh, state, tmp_path / 'task.pth')
    text = str(error.value)
    assert len(text.splitlines()) <= 2
    for part in (
        checkpoint_sha256(first)[:12],
        checkpoint_sha256(second)[:12],
        second,
        'model.backbone.checkpoint',
        'model.backbone.init_cfg',
    ):
        assert part in text


def test_another_architecture_is_an_error(vit, eva, first):
    state = Task(CLIPBackbone(vit, first)).state_dict()
    with pytest.raises(ValueError, match=r'encoder vit .*this model has eva '):
        Task(CLIPBackbone(eva)).load_state_dict(state)


def test_another_readout_is_a_loud_warning(vit, first, log):
    value = dict(type='openvocab.ValueReadout')
    state = Task(CLIPBackbone(vit, first, value)).state_dict()
    Task(CLIPBackbone(vit, first)).load_state_dict(state)
    (text,) = log['warning']
    assert text.startswith('READOUT MISMATCH: the checkpoint of model.backbone')
    assert 'ValueReadout' in text and 'VanillaReadout' in text


@pytest.mark.parametrize('load', LOADERS)
def test_a_checkpoint_without_a_record_loads(vit, first, load, tmp_path, log):
    state = get_state_dict(Task(CLIPBackbone(vit, first)))
    del state[RECORD]
    fresh = Task(CLIPBackbone(vit, first))
    before = copy.deepcopy(fresh.backbone)
    load(fresh, state, tmp_path / 'task.pth')
    assert torch.equal(fresh.head.weight, state['head.weight'])
    assert weights_equal(fresh.backbone, before)
    (text,) = (text for text in log['info'] if 'encoder' in text)
    assert 'model.backbone' in text and checkpoint_sha256(first)[:12] in text


def test_a_damaged_record_is_an_error(vit, first):
    model = Task(CLIPBackbone(vit, first))
    state = model.state_dict()
    state[RECORD] = state[RECORD][:-3]
    with pytest.raises(ValueError, match=r'backbone\.encoder_record is damaged'):
        model.load_state_dict(state)


def test_bytes_survive_a_round_trip():
    record = dict(arch='ViT-é', checkpoint='ab', readout=dict(type='X', scale=0.5))
    assert record_from_tensor(record_to_tensor(record)) == record
    with pytest.raises(ValueError):
        record_from_tensor(torch.tensor([91, 93], dtype=torch.uint8))  # '[]'


def test_the_record_follows_init_cfg(vit, first, exported):
    init_cfg = dict(type='Pretrained', checkpoint=exported)
    model = Task(CLIPBackbone(vit, first, init_cfg=init_cfg))
    model.init_weights()
    record = record_from_tensor(model.state_dict()[RECORD])
    assert record['checkpoint'] == checkpoint_sha256(exported)
    with pytest.raises(ValueError, match=checkpoint_sha256(exported)[:12]):
        Task(CLIPBackbone(vit, first)).load_state_dict(model.state_dict())


@pytest.mark.parametrize('load', LOADERS)
def test_loading_applies_a_pending_init_cfg(vit, first, exported, load, tmp_path):
    init_cfg = dict(type='Pretrained', checkpoint=exported)
    trained = Task(CLIPBackbone(vit, first, init_cfg=init_cfg))
    trained.init_weights()
    fresh = Task(CLIPBackbone(vit, first, init_cfg=init_cfg))
    load(fresh, get_state_dict(trained), tmp_path / 'task.pth')
    assert weights_equal(fresh.backbone, trained.backbone)
    # and without a record just as well
    fresh = Task(CLIPBackbone(vit, first, init_cfg=init_cfg))
    state = get_state_dict(trained)
    del state[RECORD]
    load(fresh, state, tmp_path / 'task.pth')
    assert weights_equal(fresh.backbone, trained.backbone)


def test_tensors_of_a_trainable_encoder_load_and_are_what_is_recorded(
    vit, first, second, tmp_path
):
    trained = Task(CLIPBackbone(vit, second, trainable_blocks=-1))
    init_cfg = dict(type='Pretrained', checkpoint='file that is not needed.pt')
    frozen = Task(CLIPBackbone(vit, first, init_cfg=init_cfg))
    frozen.load_state_dict(trained.state_dict())
    assert weights_equal(frozen.backbone, trained.backbone)
    # the encoder is neither of the two files any more
    record = record_from_tensor(frozen.state_dict()[RECORD])
    assert record['checkpoint'] not in (
        checkpoint_sha256(first),
        checkpoint_sha256(second),
    )
    with pytest.raises(ValueError, match=record['checkpoint'][:12]):
        Task(CLIPBackbone(vit, first)).load_state_dict(frozen.state_dict())
    # a copy, which initialises, keeps what was loaded
    assert weights_equal(copy.deepcopy(frozen).backbone, trained.backbone)


def test_equal_tensors_leave_the_fingerprint(vit, first):
    trained = Task(CLIPBackbone(vit, first, trainable_blocks=-1))
    frozen = Task(CLIPBackbone(vit, first))
    frozen.load_state_dict(trained.state_dict())
    assert frozen.backbone.fingerprint == checkpoint_sha256(first)
    # one that trains is known by what training began with
    with torch.no_grad():
        trained.backbone.visual.conv1.weight.add_(1)
    resumed = Task(CLIPBackbone(vit, first, trainable_blocks=-1))
    resumed.load_state_dict(trained.state_dict())
    assert resumed.backbone.fingerprint == checkpoint_sha256(first)


def test_a_checkpoint_of_a_frozen_encoder_loads_into_one_that_trains(
    vit, first, second
):
    state = Task(CLIPBackbone(vit, first)).state_dict()
    Task(CLIPBackbone(vit, first, trainable_blocks=1)).load_state_dict(state)
    with pytest.raises(ValueError, match='was trained with the encoder'):
        Task(CLIPBackbone(vit, second, trainable_blocks=1)).load_state_dict(state)


class Pair(nn.Module):
    """Two frozen encoders: one directly, one within a frozen teacher."""

    def __init__(self, student: CLIPBackbone, teacher: CLIPBackbone) -> None:
        super().__init__()
        self.student = student
        self.teacher = DenseTeacher(teacher)
        self.head = nn.Linear(2, 2)


@pytest.mark.parametrize('trainable_blocks', [0, -1])
def test_several_encoders_are_told_apart(vit, first, second, trainable_blocks):
    """The teacher is frozen by its wrapper, whether it is frozen itself or not."""
    kwargs = dict(trainable_blocks=trainable_blocks)
    pair = Pair(CLIPBackbone(vit, first), CLIPBackbone(vit, second, **kwargs))
    state = pair.state_dict()
    assert set(state) == {
        'student.encoder_record',
        'teacher.encoder.encoder_record',
        'head.weight',
        'head.bias',
    }
    twin = Pair(CLIPBackbone(vit, first), CLIPBackbone(vit, second, **kwargs))
    twin.load_state_dict(state)
    assert weights_equal(twin.teacher.encoder, pair.teacher.encoder)
    swapped = Pair(CLIPBackbone(vit, second), CLIPBackbone(vit, second, **kwargs))
    with pytest.raises(ValueError, match=r'^model\.student: '):
        swapped.load_state_dict(state)
    swapped = Pair(CLIPBackbone(vit, first), CLIPBackbone(vit, first, **kwargs))
    with pytest.raises(ValueError, match=r'^model\.teacher\.encoder: '):
        swapped.load_state_dict(state)


@pytest.mark.parametrize('trainable_blocks', [0, -1])
def test_a_pending_init_cfg_within_a_frozen_teacher(
    vit, first, exported, trainable_blocks
):
    kwargs = dict(
        trainable_blocks=trainable_blocks,
        init_cfg=dict(type='Pretrained', checkpoint=exported),
    )
    pair, fresh = (
        Pair(CLIPBackbone(vit, first), CLIPBackbone(vit, first, **kwargs))
        for _ in range(2)
    )
    pair.teacher.encoder.init_weights()
    fresh.load_state_dict(pair.state_dict())
    assert weights_equal(fresh.teacher.encoder, pair.teacher.encoder)
    assert fresh.teacher.encoder.fingerprint == checkpoint_sha256(exported)


def test_the_order_of_freezing_and_of_hooks_does_not_matter(vit, first):
    """Outer and inner modules frozen in any order, a third hook among them."""

    class Wrapper(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.encoder = CLIPBackbone(vit, first, trainable_blocks=-1)
            self.extra = nn.Linear(2, 2)

    steps = [
        lambda wrapper: freeze(wrapper),
        lambda wrapper: freeze(wrapper.encoder),
        lambda wrapper: wrapper.register_state_dict_post_hook(lambda *args: None),
    ]
    states = []
    for order in itertools.permutations(steps):
        wrapper = Wrapper()
        for step in order:
            step(wrapper)
        parent = nn.ModuleDict(dict(teacher=wrapper))
        states.append(parent.state_dict())
        parent.load_state_dict(states[0], strict=True)
    assert {tuple(state) for state in states} == {('teacher.encoder.encoder_record',)}
    assert len({bytes(next(iter(state.values()))) for state in states}) == 1


def test_copies_are_initialised_and_independent(vit, first, exported):
    init_cfg = dict(type='Pretrained', checkpoint=exported)
    model = Task(CLIPBackbone(vit, first, init_cfg=init_cfg))
    twin = copy.deepcopy(model)
    assert twin.backbone.record()['checkpoint'] == checkpoint_sha256(exported)
    assert weights_equal(twin.backbone, model.backbone)
    twin.load_state_dict(Task(CLIPBackbone(vit, first, None, (), -1)).state_dict())
    assert model.backbone.record()['checkpoint'] == checkpoint_sha256(exported)
    assert twin.backbone.record() != model.backbone.record()
    assert record_from_tensor(twin.state_dict()[RECORD]) == twin.backbone.record()


def test_distributed_wrapper(vit, first, second, tmp_path):
    rendezvous = (tmp_path / 'rendezvous').as_uri()
    torch.distributed.init_process_group(
        'gloo', init_method=rendezvous, rank=0, world_size=1
    )
    try:
        wrapped = nn.parallel.DistributedDataParallel(Task(CLIPBackbone(vit, first)))
        state = wrapped.state_dict()
        assert f'module.{RECORD}' in state
        assert set(get_state_dict(wrapped)) == {RECORD, 'head.weight', 'head.bias'}
        wrapped.load_state_dict(state)
        other = nn.parallel.DistributedDataParallel(Task(CLIPBackbone(vit, second)))
        with pytest.raises(ValueError, match=r'^model\.backbone: '):
            other.load_state_dict(state)
    finally:
        torch.distributed.destroy_process_group()


@pytest.mark.parametrize('update_buffers', [False, True])
def test_averaged_model(vit, first, exported, update_buffers):
    init_cfg = dict(type='Pretrained', checkpoint=exported)
    model = Task(CLIPBackbone(vit, first, init_cfg=init_cfg))
    average = ExponentialMovingAverage(model, update_buffers=update_buffers)
    model.init_weights()
    for _ in range(2):
        average.update_parameters(model)
    assert torch.equal(
        average.state_dict()[f'module.{RECORD}'], model.state_dict()[RECORD]
    )
    assert weights_equal(average.module.backbone, model.backbone)
    average.load_state_dict(average.state_dict())


def run(work_dir, backbone: CLIPBackbone, epochs: int, **kwargs) -> Runner:
    """Trains with EMA and a checkpoint per epoch."""
    loader = dict(
        dataset=[torch.ones(3, 32, 32)],
        batch_size=1,
        sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=dict(type='default_collate'),
    )
    runner = Runner(
        Task(backbone),
        str(work_dir),
        train_dataloader=loader,
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        custom_hooks=[dict(type='EMAHook', **kwargs.pop('ema', {}))],
        default_hooks=dict(logger=None),
        experiment_name=f'record-{uuid.uuid4().hex}',
        cfg=Config(dict()),
        log_level='ERROR',
        **kwargs,
    )
    runner.train()
    return runner


@pytest.mark.parametrize('ema', [{}, dict(begin_epoch=2), dict(update_buffers=True)])
def test_runner_resumes_with_the_same_encoder_only(vit, first, second, tmp_path, ema):
    from openvocab.engine.safe_loading import refuse_code_in_checkpoints

    refuse_code_in_checkpoints()
    init_cfg = dict(type='Pretrained', checkpoint=second)
    run(tmp_path, CLIPBackbone(vit, first, init_cfg=init_cfg), 2, ema=ema)
    saved = torch.load(tmp_path / 'epoch_1.pth', weights_only=False)
    for state, prefix in (
        (saved['state_dict'], ''),
        (saved['ema_state_dict'], 'module.'),
    ):
        assert not any('visual' in key for key in state)
        record = record_from_tensor(state[prefix + RECORD])
        assert record['checkpoint'] == checkpoint_sha256(second)
    resume = dict(resume=True, load_from=str(tmp_path / 'epoch_1.pth'), ema=ema)
    runner = run(tmp_path, CLIPBackbone(vit, first, init_cfg=init_cfg), 3, **resume)
    assert runner.epoch == 3
    with pytest.raises(ValueError, match=checkpoint_sha256(second)[:12]):
        run(tmp_path, CLIPBackbone(vit, first), 3, **resume)


def test_a_task_checkpoint_is_no_encoder(vit, first, tmp_path):
    path = str(tmp_path / 'task.pth')
    torch.save(dict(state_dict=Task(CLIPBackbone(vit, first)).state_dict()), path)
    init_cfg = dict(type='Pretrained', checkpoint=path, prefix='backbone.')
    with pytest.raises(ValueError, match='frozen encoder that is not in this file'):
        CLIPBackbone(vit, init_cfg=init_cfg).init_weights()


def test_an_encoder_beside_a_frozen_one_loads_by_prefix(vit, first, second, tmp_path):
    pair = Pair(CLIPBackbone(vit, first, None, (), -1), CLIPBackbone(vit, second))
    path = str(tmp_path / 'aligner.pth')
    torch.save(dict(state_dict=pair.state_dict()), path)
    init_cfg = dict(type='Pretrained', checkpoint=path, prefix='student.')
    loaded = CLIPBackbone(vit, init_cfg=init_cfg)
    loaded.init_weights()
    assert weights_equal(loaded, pair.student)
