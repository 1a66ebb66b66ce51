from mmengine.config import ConfigDict

from openvocab.config_parts import checkpoints_in, dicts_in, drop_weights


def test_dicts_come_before_those_they_hold():
    config = dict(number=0, a=dict(number=1, b=({'number': 2}, [{'number': 3}, 4])))
    assert [part['number'] for part in dicts_in(config)] == [0, 1, 2, 3]
    assert list(dicts_in('text')) == []


def test_weights_are_found_and_dropped_and_drawn_values_stay():
    drawn = dict(type='Normal', std=0.01)
    loaded = dict(type='Pretrained', checkpoint='a.pth')
    model = ConfigDict(
        backbone=dict(checkpoint='b.pt', init_cfg=loaded),
        heads=[dict(init_cfg=drawn), dict(init_cfg=[drawn, loaded])],
    )
    assert list(checkpoints_in(model, 'm')) == [
        ('m.backbone.checkpoint', 'b.pt'),
        ('m.backbone.init_cfg.checkpoint', 'a.pth'),
        ('m.heads.1.init_cfg.1.checkpoint', 'a.pth'),
    ]
    drop_weights(model)
    assert list(checkpoints_in(model, 'm')) == []
    assert model == dict(
        backbone=dict(checkpoint=None, init_cfg=None),
        heads=[dict(init_cfg=drawn), dict(init_cfg=None)],
    )
