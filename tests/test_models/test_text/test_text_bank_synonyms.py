import hashlib

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from openvocab.models.text import TextBank

CLASSES = ['sky', dict(name='seat', synonyms=['sofa', 'couch', 'settee']), 'grass']


class HashEncoder(nn.Module):
    """Maps every sentence to its own fixed vector; counts what it encodes."""

    fingerprint = 'hash'

    def __init__(self):
        super().__init__()
        self.sentences = []

    def encode(self, texts, batch_size=256):
        self.sentences += texts
        seeds = [int(hashlib.sha256(t.encode()).hexdigest()[:8], 16) for t in texts]
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        return torch.stack([torch.randn(6, generator=g) for g in generators])


@pytest.fixture
def make(tmp_path):
    def build(vocabulary, all_synonyms=True, encoder=None):
        return TextBank(
            vocabulary,
            encoder or HashEncoder(),
            ['a {}.', 'the {}.'],
            cache_dir=tmp_path / 'cache',
            all_synonyms=all_synonyms,
        )

    return build


def test_a_row_per_synonym(make):
    bank = make(CLASSES)
    phrases = ['sky', 'sofa', 'couch', 'settee', 'grass']
    assert bank.class_of.tolist() == [0, 1, 1, 1, 2]
    assert bank().shape == (5, 6) and bank.embed_dim == 6 and len(bank) == 3
    torch.testing.assert_close(bank(), make(phrases, False)())
    torch.testing.assert_close(bank().norm(dim=1), torch.ones(5))
    encoder, rows = HashEncoder(), []
    for phrase in phrases:
        sentences = F.normalize(encoder.encode([f'a {phrase}.', f'the {phrase}.']))
        rows.append(F.normalize(sentences.mean(0), dim=0))
    torch.testing.assert_close(bank(), torch.stack(rows))


def test_otherwise_the_first_phrase_counts(make):
    bank = make(CLASSES, False)
    assert torch.equal(bank(), make(['sky', 'sofa', 'grass'], False)())
    assert bank.class_of.tolist() == [0, 1, 2]
    assert bank.record()['all_synonyms'] is False
    assert make(CLASSES).record()['all_synonyms'] is True


def test_classes_without_synonyms_have_a_row_each(make):
    names = ['sky', 'grass', 'road']
    assert torch.equal(make(names)(), make(names, False)())
    assert make(names).class_of.tolist() == [0, 1, 2]


def test_every_phrase_is_encoded_once(make):
    encoder = HashEncoder()
    bank = make(CLASSES, encoder=encoder)
    assert len(encoder.sentences) == 5 * 2
    bank.set_vocabulary(CLASSES[::-1])  # from the cache
    assert len(encoder.sentences) == 5 * 2
    assert bank.class_of.tolist() == [0, 1, 1, 1, 2]
    assert bank.is_thing.tolist() == [True] * 3


def test_rows_follow_the_vocabulary_and_the_device(make):
    bank = make(CLASSES).to('meta')
    assert bank.class_of.device.type == 'meta'
    bank.set_vocabulary(['one'])
    assert bank.class_of.device.type == bank.rows.device.type == 'meta'
    assert bank.class_of.shape == (1,)
    assert not bank.state_dict()


def test_words_that_another_class_owns_leave_the_background(make):
    bank = make(dict(merge=['background_words_26', ['car', 'bed', 'desk lamp']]))
    assert len(bank.vocabulary) == 4
    assert bank.class_of.bincount().tolist() == [25, 1, 1, 1]
    assert 'bed' not in bank.vocabulary.synonyms[0]
    assert bank.vocabulary.index('background') == 0
