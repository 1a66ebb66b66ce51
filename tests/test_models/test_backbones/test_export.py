import pytest
import torch
from mmengine.logging import MMLogger
from safetensors import safe_open
from torch import nn

from openvocab.checkpoints.reading import read_metadata, read_state_dict
from openvocab.models.backbones import CLIPBackbone, CLIPSelf, save_encoder
from openvocab.models.clip_factory import checkpoint_sha256, create_image_tower


@pytest.fixture
def student(arch, make_checkpoint) -> CLIPBackbone:
    """A backbone that was trained a little."""
    backbone = CLIPSelf(arch, make_checkpoint(arch), trainable_blocks=-1)
    with torch.no_grad():
        for parameter in backbone.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    return backbone


@pytest.fixture
def warnings(monkeypatch) -> list[str]:
    seen: list[str] = []
    monkeypatch.setattr(
        MMLogger.get_current_instance(), 'warning', lambda text: seen.append(text)
    )
    return seen


def tensors_equal(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(
        torch.equal(first[key], second[key]) for key in first
    )


def test_round_trip(arch, student, tmp_path, warnings):
    path = tmp_path / 'new' / 'folder' / 'student.safetensors'
    digest = save_encoder(student, path)
    assert digest == checkpoint_sha256(path)
    assert [file.name for file in path.parent.iterdir()] == ['student.safetensors']

    init_cfg = dict(type='Pretrained', checkpoint=str(path))
    loaded = CLIPSelf(arch, init_cfg=init_cfg)
    loaded.init_weights()
    loaded.init_weights()
    images = torch.randn(1, 3, 64, 96)
    torch.testing.assert_close(loaded(images)[-1], student.eval()(images)[-1])
    assert loaded.record()['checkpoint'] == digest
    assert loaded.logit_scale == pytest.approx(student.logit_scale)
    by_name = CLIPSelf(arch, path)
    assert tensors_equal(by_name.export_state_dict(), student.export_state_dict())
    assert not warnings


def test_record_is_written(student, tmp_path):
    path = tmp_path / 'e.safetensors'
    save_encoder(student, path, alpha=0.75)
    record = read_metadata(path)
    assert record == dict(student.record(), alpha=0.75)
    with safe_open(path, framework='pt') as file:
        assert set(file.metadata()) == {'openvocab'}


def test_alpha_interpolates_weights(arch, student, tmp_path):
    original = CLIPBackbone(arch, student.checkpoint).export_state_dict()
    files = {}
    for alpha in (0.0, 0.25, 1.0):
        save_encoder(student, tmp_path / 'e.safetensors', alpha=alpha)
        files[alpha] = read_state_dict(tmp_path / 'e.safetensors')
    assert tensors_equal(files[0.0], original)
    assert tensors_equal(files[1.0], student.export_state_dict())
    for key, value in files[0.25].items():
        if value.is_floating_point():
            mixed = 0.25 * files[1.0][key] + 0.75 * files[0.0][key]
            torch.testing.assert_close(value, mixed)
    save_encoder(student, tmp_path / 'f.safetensors', 0.25, original=original)
    assert tensors_equal(read_state_dict(tmp_path / 'f.safetensors'), files[0.25])
    assert not tensors_equal(files[0.0], files[1.0])


def test_export_of_random_weights_needs_an_original(vit, tmp_path):
    torch.manual_seed(0)
    backbone = CLIPBackbone(vit, trainable_blocks=-1)
    save_encoder(backbone, tmp_path / 'e.safetensors')
    with pytest.raises(ValueError, match='needs `original`'):
        save_encoder(backbone, tmp_path / 'e.safetensors', alpha=0.5)
    torch.manual_seed(0)
    save_encoder(
        backbone, tmp_path / 'e.safetensors', alpha=0.5, original=CLIPBackbone(vit)
    )


@pytest.mark.parametrize('alpha', [-0.1, 1.5])
def test_wrong_alpha(vit, tmp_path, alpha):
    with pytest.raises(ValueError, match='not between 0 and 1'):
        save_encoder(CLIPBackbone(vit), tmp_path / 'e.safetensors', alpha)


def test_wrong_suffix(vit, tmp_path):
    with pytest.raises(ValueError, match='safetensors'):
        save_encoder(CLIPBackbone(vit), tmp_path / 'e.pth')


@pytest.mark.parametrize('way', ['checkpoint', 'init_cfg'])
def test_another_readout_warns_loudly(student, arch, tmp_path, warnings, way):
    path = str(tmp_path / 'e.safetensors')
    save_encoder(student, path)
    if way == 'checkpoint':
        CLIPBackbone(arch, path)
    else:
        init_cfg = dict(type='Pretrained', checkpoint=path)
        CLIPBackbone(arch, init_cfg=init_cfg).init_weights()
    assert len(warnings) == 1 and warnings[0].startswith('READOUT MISMATCH')


@pytest.mark.parametrize('way', ['checkpoint', 'init_cfg'])
def test_another_architecture_is_refused(vit, eva, tmp_path, way):
    path = str(tmp_path / 'e.safetensors')
    save_encoder(CLIPBackbone(vit), path)
    with pytest.raises(ValueError, match=r'e\.safetensors is of vit, .* into eva'):
        if way == 'checkpoint':
            CLIPBackbone(eva, path)
        else:
            init_cfg = dict(type='Pretrained', checkpoint=path)
            CLIPBackbone(eva, init_cfg=init_cfg).init_weights()


def test_wrong_width_names_the_key(vit, write_arch, tmp_path):
    path = tmp_path / 'e.pth'
    torch.save(CLIPBackbone(vit).export_state_dict(), path)
    vision = dict(image_size=32, patch_size=8, width=48, head_width=16, layers=3)
    init_cfg = dict(type='Pretrained', checkpoint=str(path))
    wide = CLIPBackbone(write_arch(vision, 'wide'), init_cfg=init_cfg)
    message = r"e\.pth is not for .*wide\.json: 'visual\.class_embedding' has shape"
    with pytest.raises(ValueError, match=message) as caught:
        wide.init_weights()
    assert '\n' not in str(caught.value)


def test_one_backbone_out_of_a_whole_model(vit, tmp_path, make_checkpoint):
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            checkpoint = make_checkpoint(vit)
            self.student = CLIPBackbone(vit, checkpoint, trainable_blocks=-1)
            self.head = nn.Linear(2, 2)

    model, path = Model(), str(tmp_path / 'epoch_1.pth')
    torch.save(dict(state_dict=model.state_dict(), meta=dict(epoch=1)), path)
    init_cfg = dict(type='Pretrained', checkpoint=path, prefix='student.')
    loaded = CLIPBackbone(vit, init_cfg=init_cfg)
    loaded.init_weights()
    assert tensors_equal(loaded.visual.state_dict(), model.student.visual.state_dict())
    init_cfg['prefix'] = 'teacher.'
    with pytest.raises(ValueError, match=r"no key starts with 'teacher\.'"):
        CLIPBackbone(vit, init_cfg=init_cfg).init_weights()


def test_image_tower_without_logit_scale_warns(vit, tmp_path, warnings):
    state = CLIPBackbone(vit).export_state_dict()
    del state['logit_scale']
    torch.save(state, tmp_path / 'v.pt')
    create_image_tower(vit, tmp_path / 'v.pt')
    assert len(warnings) == 1 and 'logit_scale' in warnings[0]
