import pytest

from openvocab.vocab import PromptSet, VocabularyError, get_prompts


@pytest.mark.parametrize(
    'name, count',
    [
        ('single', 1),
        ('densevlm', 1),
        ('vild14', 14),
        ('vild63', 63),
        ('imagenet80', 80),
        ('imagenet_select', 8),
    ],
)
def test_sizes_and_distinct_sentences(name, count):
    prompts = get_prompts(name)
    sentences = prompts.format('cat')
    assert len(prompts) == count == len(set(sentences))
    assert all(sentence.count('cat') == 1 for sentence in sentences)
    assert all('{' not in sentence for sentence in sentences)
    assert prompts.name == name and len(prompts.hash) == 16


def test_exact_single_sentences():
    assert get_prompts('single').format('dog') == ['a photo of a dog.']
    assert get_prompts('densevlm').format('brick wall') == [
        'This is a photo of the brick wall in the scene.'
    ]


def test_vild14_and_imagenet80_equal_their_sources():
    mmseg = pytest.importorskip('mmseg.utils.get_templates')
    known = mmseg.PREDEFINED_TEMPLATES
    assert set(get_prompts('vild14').templates) == set(known['vild'])
    assert set(get_prompts('imagenet80').templates) == set(known['imagenet'])


def test_vild63_articles_and_prefix():
    apple = get_prompts('vild63').format('apple')
    assert 'There is an apple in the scene.' in apple
    assert 'This is a photo of an apple.' in apple
    assert 'This is the toy apple.' in apple
    assert 'itap of an apple.' in apple
    assert 'This is a bad photo of a cat.' in get_prompts('vild63').format('cat')
    # 15 templates depend on the article.
    templates = get_prompts('vild63').templates
    assert sum('{article}' in template for template in templates) == 15
    assert sum(template.startswith('This is ') for template in templates) == 58


def test_names_are_written_as_in_vild():
    prompts = get_prompts(['{}'])
    assert prompts.format('Aerosol_can') == ['aerosol can']
    assert prompts.format('cabinet/shelf') == ['cabinet or shelf']
    assert prompts.format(' cabinet / shelf.') == ['cabinet or shelf']
    assert prompts.format('a {strange} name') == ['a {strange} name']


def test_own_templates_and_hash():
    own = get_prompts(['{article} {}', 'the {}'])
    assert own.name == 'custom'
    assert own.format('owl') == ['an owl', 'the owl']
    assert own.hash != get_prompts(['the {}', '{article} {}']).hash
    assert own.hash == PromptSet('other name', own.templates).hash
    assert get_prompts(own) is own


@pytest.mark.parametrize(
    'source, message',
    [
        ('vild', "unknown prompt set 'vild'.*vild14"),
        ([], 'has no template'),
        (['a photo.'], "'a photo.' must contain exactly one"),
        (['{} and {}'], r"'\{\} and \{\}' must contain exactly one"),
        (['{name} {}'], r"'\{name\} \{\}'"),
        (['{0}'], r"'\{0\}'"),
        (['{} }'], r"'\{\} \}'"),
        (['a {}', 3], 'a template is a string, got 3'),
        (3, 'got 3'),
    ],
)
def test_errors_name_the_template(source, message):
    with pytest.raises(VocabularyError, match=message) as caught:
        get_prompts(source)
    assert '\n' not in str(caught.value)
