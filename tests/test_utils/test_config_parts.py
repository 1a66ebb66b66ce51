from mmengine.config import ConfigDict

from openvocab.utils.config_parts import dicts_in, drop_weights


def test_dicts_come_before_those_they_hold():
    config = dict(number=0, a=dict(number=1, b=({'number': 2}, [{'number': 3}, 4])))
    assert [part['number'] for part in dicts_in(config)] == [0, 1, 2, 3]
    assert list(dicts_in('text')) == []


def test_drop_weights_keeps_drawn_values():
    drawn = dict(type='Normal', std=0.01)
    loaded = dict(type='Pretrained', checkpoint='a.pth')
    model = ConfigDict(
        backbone=dict(checkpoint='b.pt', init_cfg=loaded),
        heads=[dict(init_cfg=drawn), dict(init_cfg=[drawn, loaded])],
    )
    drop_weights(model)
    assert model == dict(
        backbone=dict(checkpoint=None, init_cfg=None),
        heads=[dict(init_cfg=drawn), dict(init_cfg=None)],
    )
