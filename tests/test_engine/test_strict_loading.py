"""A checkpoint of another model is refused; one that lacks frozen encoders is not."""

import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from torch import nn
from torch.utils.data import Dataset

from helpers.configs import CONFIGS, read_config
from helpers.tiny_configs import write_detector, write_segmentor
from openvocab.apis.model import build_model
from openvocab.checkpoints.reading import CheckpointError
from openvocab.engine.runner import StrictRunner


@pytest.fixture
def config(tmp_path) -> str:
    return write_detector(tmp_path / 'detector.py')


def saved(model: nn.Module, path, **changes) -> str:
    torch.save(dict(state_dict={**model.state_dict(), **changes}, meta={}), path)
    return str(path)


def test_weights_of_another_model(config, tmp_path):
    other = build_model(write_segmentor(tmp_path / 'segmentor.py'))
    path = saved(other, tmp_path / 'other.pth')
    wanted = (
        r'checkpoint .*other\.pth does not fit .*detector\.py: '
        r'missing: neck\.\S+, neck\.\S+ and \d+ more; unknown: decode_head\.'
    )
    with pytest.raises(CheckpointError, match=wanted) as error:
        build_model(config, path)
    assert len(str(error.value)) < 600 and '\n' not in str(error.value)


def test_weights_of_other_shapes(config, tmp_path):
    model = build_model(config)
    key = 'rpn_head.rpn_cls.bias'
    path = saved(model, tmp_path / 'wide.pth', **{key: torch.zeros(50)})
    with pytest.raises(CheckpointError, match=rf'shape: {key} \(\[50\] for \[\d+\]\)'):
        build_model(config, path)


def test_an_encoder_is_no_detector(config, tmp_path):
    path = tmp_path / 'encoder.pth'
    torch.save(build_model(config).backbone.export_state_dict(), path)
    with pytest.raises(CheckpointError, match='does not fit'):
        build_model(config, path)


def test_what_a_checkpoint_may_lack(config, tmp_path):
    """A frozen encoder, its record too, and whatever depends on the classes."""
    model = build_model(config)
    model.rpn_head.rpn_cls.weight.data.add_(1)
    model.set_vocabulary(['a', 'b', 'c', 'd', 'e'])
    state = {k: v for k, v in model.state_dict().items() if 'backbone' not in k}
    torch.save(dict(state_dict=state), tmp_path / 'bare.pth')
    for path in (saved(model, tmp_path / 'all.pth'), tmp_path / 'bare.pth'):
        loaded = build_model(config, path)
        for key, value in loaded.state_dict().items():
            assert torch.equal(value, model.state_dict()[key])


def test_what_a_config_leaves_out(config, tmp_path):
    path = saved(build_model(config), tmp_path / 'mask.pth', **{
        'roi_head.mask_head.conv.weight': torch.ones(1)
    })  # fmt: skip
    with pytest.raises(CheckpointError, match=r'mask_head\.\S+; `unused_weights`'):
        build_model(config, path)
    build_model(config, path, cfg_options=dict(unused_weights=['roi_head.mask_head.']))


def test_transfer_takes_the_checkpoint_of_the_detector_with_masks(tmp_path):
    def small(leaf: str):
        cfg = read_config(CONFIGS / 'fvit' / leaf)
        encoder = dict(arch='ov-shapes-u', checkpoint=None, init_cfg=None)
        cfg.model.backbone.update(encoder, out_indices=(0, 1, 2, 3))
        cfg.model.text_bank.update(vocabulary=['red circle'], prompts='single')
        return cfg

    torch.manual_seed(0)
    model = build_model(small('fvit_eva02-l14-336-declip_8xb8-48e_ov-lvis.py'))
    path = saved(model, tmp_path / 'epoch_48.pth')
    torch.manual_seed(0)
    loaded = build_model(small('fvit_eva02-l14-336-declip_coco.py'), path)
    weight = model.rpn_head.rpn_cls.weight
    assert torch.equal(loaded.rpn_head.rpn_cls.weight, weight)


class Numbers(Dataset):
    metainfo = dict(classes=('a',))

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> dict:
        return dict(inputs=torch.full((3,), float(index)))


class Headed(BaseModel):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(3, 3), nn.Linear(3, width)

    def forward(self, inputs, mode='tensor'):
        out = self.head(self.body(inputs))
        return dict(loss=out.mean()) if mode == 'loss' else list(out)


class Count(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results += data_samples

    def compute_metrics(self, results):
        return dict(count=len(results))


@pytest.fixture
def make_runner(tmp_path):
    def make(width: int, **kwargs) -> StrictRunner:
        loader = dict(
            batch_size=2,
            dataset=Numbers(),
            sampler=dict(type='DefaultSampler', shuffle=False),
            collate_fn=dict(type='default_collate'),
        )
        return StrictRunner(
            model=Headed(width),
            work_dir=str(tmp_path / 'work'),
            train_dataloader=loader,
            test_dataloader=loader,
            train_cfg=dict(by_epoch=True, max_epochs=1),
            test_cfg={},
            test_evaluator=dict(type=Count),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.0)),
            cfg=Config({}),
            default_scope='mmengine',
            experiment_name=f'strict-{width}-{torch.rand(1).item()}',
            **kwargs,
        )

    return make


def test_the_runner_tests_and_resumes_the_same_model_only(make_runner, tmp_path):
    make_runner(2).train()
    path = str(tmp_path / 'work/epoch_1.pth')
    assert make_runner(2, load_from=path).test()['count'] == 2
    make_runner(2, load_from=path, resume=True).train()
    refused = r'epoch_1\.pth does not fit .*shape: head\.weight'
    with pytest.raises(CheckpointError, match=refused):
        make_runner(5, load_from=path).test()
    with pytest.raises(CheckpointError, match=refused):
        make_runner(5, load_from=path, resume=True).train()


def test_fine_tuning_may_begin_with_another_head(make_runner, tmp_path):
    first = make_runner(2)
    first.train()
    path = str(tmp_path / 'work/epoch_1.pth')
    runner = make_runner(5, load_from=path)
    runner.train()
    assert torch.equal(runner.model.body.weight, first.model.body.weight)
