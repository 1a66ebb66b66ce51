import pytest
import torch
from mmengine import hub
from mmengine.config import Config

from openvocab.apis import get_model, list_models
from openvocab.apis import model_zoo as zoo
from openvocab.zoo import ModelIndex

SMALL = 'training_free_ov-shapes-u_ov-shapes'
UNTRAINED = 'fvit_ov-shapes-u_1xb8-1e_ov-shapes'


def test_list_models():
    everything = list_models()
    assert len(everything) == len(ModelIndex.load().models)
    assert everything == sorted(everything)
    assert list_models('fvit*_ov-lvis', task='Instance Segmentation')
    assert not list_models('fvit*_ov-lvis', task='Object Detection')
    densevlm = list_models('-densevlm_')
    assert {name.split('_')[0] for name in densevlm} >= {'fvit', 'cat', 'san'}
    assert list_models('densevlm_eva02-b16_4xb48-6e_coco-51[23]') == [
        'densevlm_eva02-b16_4xb48-6e_coco-512'
    ]
    assert list_models('no such name') == []
    with pytest.raises(ValueError, match=r"task='Flying': the zoo has Instance"):
        list_models(task='Flying')


def weight(model):
    return next(model.backbone.parameters()).detach().clone()


def test_weights_by_kind_of_pretrained(tmp_path):
    torch.manual_seed(0)
    drawn, again = get_model(SMALL), get_model(SMALL)
    assert not drawn.training and not torch.equal(weight(drawn), weight(again))
    shipped = get_model(SMALL, pretrained=True)
    assert torch.equal(weight(shipped), weight(get_model(SMALL, pretrained=True)))
    assert shipped.cfg.model.backbone.checkpoint == 'openvocab://ov-shapes-u'

    options = {'model.backbone.checkpoint': 'openvocab://ov-shapes-u'}
    trained = get_model(UNTRAINED, pretrained=False)
    path = tmp_path / 'epoch_1.pth'
    torch.save({'state_dict': checkpoint_of(trained, options)}, path)
    loaded = get_model(UNTRAINED, pretrained=path)
    assert torch.equal(weight(loaded), weight(shipped))  # not in the checkpoint
    bias = 'rpn_head.rpn_cls.bias'
    assert (loaded.state_dict()[bias] == 7).all()


def checkpoint_of(model, options):
    """What training on the shipped encoder would have written."""
    cfg = Config(model.cfg.to_dict())
    cfg.merge_from_dict(options)
    state = zoo.build_model(cfg).state_dict()
    state['rpn_head.rpn_cls.bias'].fill_(7)
    return state


def test_weights_that_the_zoo_lists(monkeypatch, tmp_path):
    seen = []
    model = next(entry for entry in ModelIndex.load() if entry.name == UNTRAINED)
    listed = type(model)(**{**vars(model), 'weights': 'openvocab://ov-shapes-u'})
    monkeypatch.setattr(zoo, '_find', lambda name: (listed, ModelIndex.load().root))
    monkeypatch.setattr(zoo, 'build_model', lambda *args, **kw: seen.append(args))
    get_model(UNTRAINED, pretrained=True)
    ((_, checkpoint, _),) = seen
    assert checkpoint.name == 'ov-shapes-u.safetensors' and checkpoint.is_file()


def test_options_and_errors(tmp_path):
    options = {'model.text_bank.vocabulary': ['cat', 'dog']}
    model = get_model(SMALL, cfg_options=options)
    assert list(model.text_bank.vocabulary.names) == ['cat', 'dog']
    with pytest.raises(ValueError, match=r'fvit_ov-shapes-u.*lists no weights; train'):
        get_model(UNTRAINED, pretrained=True)
    with pytest.raises(ValueError, match=r"'fvit_ov-shapes'.*near: .*fvit_ov-shapes-u"):
        get_model('fvit_ov-shapes')
    with pytest.raises(FileNotFoundError, match=r'no\.pth'):
        get_model(UNTRAINED, pretrained=tmp_path / 'no.pth')


@pytest.mark.parametrize('name', [UNTRAINED, 'san_ov-shapes-u_1xb8-450i_ov-shapes'])
def test_mmengine_builds_the_same(name):
    """By its own scope table and defaults, which are not those of the config."""
    folder = name.split('_')[0]
    model = hub.get_model(f'openvocab::{folder}/{name}.py')
    assert type(model) is type(get_model(name))
