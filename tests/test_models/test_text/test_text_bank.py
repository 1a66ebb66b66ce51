import hashlib
import pickle

import pytest
import torch
import torch.nn.functional as F
from mmengine.runner.checkpoint import get_state_dict
from torch import nn

from openvocab.models.text import RowCache, TextBank, template_mean
from openvocab.vocab import Vocabulary, VocabularyError, get_prompts


class HashEncoder(nn.Module):
    """Maps every sentence to its own fixed vector; counts what it encodes."""

    fingerprint = 'hash'

    def __init__(self, embed_dim=6):
        super().__init__()
        self.embed_dim = embed_dim
        self.weight = nn.Parameter(torch.ones(1))
        self.sentences = []
        self.largest_batch = 0

    def encode(self, texts, batch_size=256):
        self.sentences += texts
        self.largest_batch = max(self.largest_batch, len(texts))
        rows = []
        for text in texts:
            seed = int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)
            generator = torch.Generator().manual_seed(seed)
            rows.append(torch.randn(self.embed_dim, generator=generator) * 3)
        return torch.stack(rows) * self.weight.detach()


@pytest.fixture
def make(tmp_path):
    def build(vocabulary, encoder=None, **kwargs):
        kwargs.setdefault('cache_dir', tmp_path / 'cache')
        return TextBank(vocabulary, encoder or HashEncoder(), **kwargs)

    return build


@pytest.fixture
def warnings(monkeypatch):
    from mmengine.logging import MMLogger

    messages = []
    logger = MMLogger.get_current_instance()
    monkeypatch.setattr(logger, 'warning', messages.append)
    return messages


def reference_rows(names, prompts, normalize=True):
    encoder = HashEncoder()
    rows = []
    for name in names:
        total = torch.zeros(6)
        for sentence in get_prompts(prompts).format(name):
            vector = encoder.encode([sentence])[0]
            total += vector / vector.norm()
        mean = total / len(get_prompts(prompts))
        rows.append(mean / mean.norm() if normalize else mean)
    return torch.stack(rows)


@pytest.mark.parametrize('prompts', ['single', 'densevlm', 'vild14', 'vild63'])
@pytest.mark.parametrize('normalize', [True, False])
def test_rows_equal_a_plain_reference(make, prompts, normalize):
    names = ['cat', 'apple', 'brick wall']
    bank = make(names, prompts=prompts, normalize_templates_mean=normalize)
    expected = reference_rows(names, prompts, normalize)
    assert bank().dtype == torch.float32 and not bank().requires_grad
    torch.testing.assert_close(bank(), expected)
    if prompts != 'single' and prompts != 'densevlm' and not normalize:
        assert (bank().norm(dim=1) < 0.99).all()


def test_both_normalisations_share_the_cache(make):
    encoder = HashEncoder()
    make(['cat'], encoder, prompts='vild14')
    count = len(encoder.sentences)
    raw = make(['cat'], encoder, prompts='vild14', normalize_templates_mean=False)
    assert len(encoder.sentences) == count
    torch.testing.assert_close(raw(), reference_rows(['cat'], 'vild14', False))


def test_prompt_names_not_annotation_names_are_encoded(make):
    encoder = HashEncoder()
    make('coco_panoptic_133', encoder, prompts=['{}'])
    assert 'tree' in encoder.sentences and 'brick wall' in encoder.sentences
    assert not any('merged' in sentence for sentence in encoder.sentences)
    assert len(encoder.sentences) == 133


def test_permutation_permutes_rows_exactly(make, tmp_path):
    vocab = Vocabulary.load('coco_panoptic_133')
    bank = make(vocab, prompts='vild14')
    order = torch.randperm(133, generator=torch.Generator().manual_seed(0)).tolist()
    shuffled = vocab.subset([vocab.names[i] for i in order])
    # Another cache: computed anew, not read back.
    again = make(shuffled, prompts='vild14', cache_dir=tmp_path / 'other')
    assert torch.equal(again.rows, bank.rows[order])
    assert torch.equal(again.is_thing, bank.is_thing[order])


def test_1203_names_in_small_batches(make):
    encoder = HashEncoder()
    bank = make([f'class {i}' for i in range(1203)], encoder, prompts='vild14')
    assert bank.rows.shape == (1203, 6)
    assert len(encoder.sentences) == 1203 * 14
    assert encoder.largest_batch <= 256


def test_more_templates_than_the_batch_size():
    templates = get_prompts([f'{i} {{}}' for i in range(5)])
    got = template_mean(HashEncoder(), ['a', 'b'], templates, batch_size=3)
    assert got.shape == (2, 6)


def test_one_class(make):
    bank = make(['cat'])
    assert bank().shape == (1, 6) and len(bank) == 1
    assert bank.is_thing.tolist() == [True]


def test_is_thing_follows_the_vocabulary(make):
    bank = make('coco_panoptic_133')
    assert bank.is_thing.dtype == torch.bool
    assert bank.is_thing.tolist() == list(bank.vocabulary.is_thing)
    bank.set_vocabulary(['cat', dict(name='sky', is_thing=False)])
    assert bank.is_thing.tolist() == [True, False]
    assert bank().shape == (2, 6)
    torch.testing.assert_close(bank(), reference_rows(['cat', 'sky'], 'densevlm'))


def test_a_failed_set_vocabulary_leaves_the_bank(make):
    bank = make(['cat', 'dog'])
    before = bank.rows.clone()
    with pytest.raises(VocabularyError, match=r"duplicate.*'a'"):
        bank.set_vocabulary(['a', 'a'])
    assert torch.equal(bank.rows, before)
    assert bank.vocabulary.names == ('cat', 'dog')


def test_nothing_reaches_checkpoints_or_optimizers(make):
    parent = nn.Module()
    parent.bank = make(['cat', 'dog'])
    parent.head = nn.Linear(2, 2)
    assert set(parent.state_dict()) == {'head.weight', 'head.bias'}
    assert set(get_state_dict(parent)) == {'head.weight', 'head.bias'}
    assert [name for name, _ in parent.named_parameters()] == [
        'head.weight',
        'head.bias',
    ]
    # Loading a checkpoint made with another vocabulary is strict and clean.
    state = parent.state_dict()
    parent.bank.set_vocabulary(['one', 'two', 'three'])
    parent.load_state_dict(state, strict=True)


def test_rows_move_with_the_module_and_stay_there(make):
    bank = make(['cat']).to('meta')
    assert bank.rows.is_meta and bank.is_thing.is_meta
    bank.set_vocabulary(['cat', 'dog'])
    assert bank.rows.is_meta and bank.rows.shape == (2, 6) and bank.is_thing.is_meta


def test_rows_made_in_inference_mode_can_be_trained_against(make):
    with torch.inference_mode():
        bank = make(['cat', 'dog'])
    features = torch.randn(3, 6, requires_grad=True)
    (features @ bank().T).sum().backward()
    torch.testing.assert_close(features.grad[0], bank().sum(0))


def test_pickle_and_record(make, tmp_path):
    bank = make(['cat', 'dog'], prompts='vild14')
    again = pickle.loads(pickle.dumps(bank))
    assert torch.equal(again(), bank())
    record = bank.record()
    assert record['vocabulary'] == dict(name='custom', hash=bank.vocabulary.hash)
    assert record['prompts'] == dict(name='vild14', hash=get_prompts('vild14').hash)
    assert record['encoder'] == 'hash'


def test_cache_key_separates_weights_names_and_prompts(tmp_path):
    cache = RowCache(tmp_path)
    single, densevlm = get_prompts('single'), get_prompts('densevlm')
    paths = {
        cache.path('a', ['cat'], single),
        cache.path('b', ['cat'], single),
        cache.path('a', ['cat'], densevlm),
        cache.path('a', ['cat', 'dog'], single),
        cache.path('a', ['cat dog'], single),
    }
    assert len(paths) == 5


def damage_truncate(file):
    file.write_bytes(file.read_bytes()[:-5])


def damage_flip(file):
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def damage_garbage(file):
    file.write_bytes(b'not safetensors')


def damage_empty(file):
    file.write_bytes(b'')


@pytest.mark.parametrize(
    'damage', [damage_truncate, damage_flip, damage_garbage, damage_empty]
)
def test_damaged_cache_is_recomputed_and_replaced(make, tmp_path, warnings, damage):
    names = ['cat', 'dog']
    good = make(names)()
    (file,) = (tmp_path / 'cache').iterdir()
    content = file.read_bytes()
    damage(file)
    assert torch.equal(make(names)(), good)
    assert len(warnings) == 1 and str(file) in warnings[0] and '\n' not in warnings[0]
    assert file.read_bytes() == content
    encoder = HashEncoder()
    make(names, encoder)
    assert encoder.sentences == [] and len(warnings) == 1


def test_wrong_row_count_in_the_cache_is_damage(tmp_path, warnings):
    cache = RowCache(tmp_path)
    path = cache.path('a', ['cat'], get_prompts('single'))
    cache.store(path, torch.ones(1, 4))
    assert cache.load(path, 1).shape == (1, 4)
    assert cache.load(path, 2) is None and len(warnings) == 1
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_unwritable_cache_warns_and_goes_on(make, tmp_path, warnings):
    blocked = tmp_path / 'file'
    blocked.write_text('a file where the folder should be')
    bank = make(['cat'], cache_dir=blocked)
    torch.testing.assert_close(bank(), reference_rows(['cat'], 'densevlm'))
    assert len(warnings) == 1 and 'cannot be cached' in warnings[0]


def test_non_finite_rows_name_the_class(make):
    class Broken(HashEncoder):
        def encode(self, texts, batch_size=256):
            rows = super().encode(texts)
            rows[[i for i, text in enumerate(texts) if 'dog' in text]] = torch.nan
            return rows

    with pytest.raises(ValueError, match="not finite for 'dog'"):
        make(['cat', 'dog'], Broken())


def test_wrong_arguments_are_named(make):
    with pytest.raises(TypeError, match='got Linear'):
        TextBank(['cat'], nn.Linear(1, 1))
    with pytest.raises(VocabularyError, match="'vild'"):
        make(['cat'], prompts='vild')
    with pytest.raises(VocabularyError, match='is empty'):
        make([])


def test_rows_are_unit(make):
    bank = make('coco_stuff_171', prompts='vild63')
    torch.testing.assert_close(F.normalize(bank(), dim=1), bank())
