"""Synthetic vocabularies and text rows."""

import copy

import pytest
import torch

from openvocab.analysis.synthetic_classes import (
    SyntheticTextBank,
    use_synthetic_classes,
    use_synthetic_text,
)
from openvocab.registry import MODELS

BANK = dict(type='openvocab.TextBank', vocabulary='ov_shapes', prompts='single')
MODEL = dict(
    type='Model',
    backbone=dict(type='openvocab.CLIPBackbone', arch='ov-shapes-u'),
    text_bank=BANK,
    parts=[dict(other_text=BANK)],
)


@pytest.mark.parametrize(
    ('arch', 'width'), [('EVA02-B-16', 512), ('EVA02-L-14-336', 768), ('RN50x4', 640)]
)
def test_rows_of_the_width_of_the_architecture(arch, width, tmp_path):
    bank = SyntheticTextBank(['cat', 'dog'], dict(arch=arch), cache_dir=tmp_path)
    assert bank.rows.shape == (2, width)
    torch.testing.assert_close(bank.rows.norm(dim=1), torch.ones(2))
    other = SyntheticTextBank(['dog', 'fox'], dict(arch=arch), cache_dir=tmp_path)
    assert torch.equal(bank.rows[1], other.rows[0])
    assert bank.rows[0] @ bank.rows[1] < 0.3


def test_every_text_bank_of_a_config_is_replaced(tmp_path):
    model = copy.deepcopy(MODEL)
    use_synthetic_text(model, tmp_path)
    for bank in (model['text_bank'], model['parts'][0]['other_text']):
        assert bank['type'] == 'openvocab.SyntheticTextBank'
        assert bank['vocabulary'] == 'ov_shapes' and bank['prompts'] == 'single'
    assert model['backbone'] == MODEL['backbone']
    bank = MODELS.build(dict(model['text_bank'], encoder=dict(arch='ov-shapes-u')))
    assert len(bank) == 46 and list(tmp_path.iterdir())


def test_classes_of_model_and_data_set(tmp_path):
    model = copy.deepcopy(MODEL)
    loader = dict(
        dataset=dict(
            type='RepeatDataset',
            dataset=dict(vocabulary='lvis_v1', splits=('c',), drop_unknown='coco_80'),
        )
    )
    use_synthetic_classes(model, loader, 3)
    vocabulary = dict(
        name='3 synthetic classes', classes=['class 0', 'class 1', 'class 2']
    )
    assert model['text_bank']['vocabulary'] == vocabulary
    assert loader['dataset']['dataset'] == dict(vocabulary=vocabulary)
    with pytest.raises(ValueError, match='Model has no text_bank'):
        use_synthetic_classes(dict(type='Model'), loader, 3)
