import pytest

from helpers.tiny_zoo import model, result, runs
from openvocab.zoo import ModelIndex, check_index


def test_entries_keep_published_and_measured_apart(zoo):
    entry = model(
        'alpha_vit_coco',
        Weights='https://host/a.pth#sha256=' + 'ab' * 32,
        Results=[result('A-150', miou=31.5)],
        Measured=[result('A-150', miou=30.0, more=runs(0, 1, miou=0.5))],
    )
    entry['Metadata']['Variant'] = 'large'
    zoo.write(entry, model('beta_vit_coco'))
    index = ModelIndex.load(zoo.root)
    alpha, beta = index
    assert (alpha.label, beta.label) == ('ViT, large', 'ViT')
    assert alpha.task == 'Semantic Segmentation' and alpha.training_data == 'COCO'
    assert [r.metrics for r in alpha.published] == [{'miou': 31.5}]
    (measured,) = alpha.measured
    assert (measured.seeds, measured.std) == ((0, 1), {'miou': 0.5})
    assert beta.weights is None and not beta.published and not beta.trains_nothing
    assert index.in_folder('beta', 'alpha') == [beta, alpha]
    assert check_index(index) == []


def test_the_package_carries_its_zoo():
    names = [entry.name for entry in ModelIndex.load()]
    assert 'densevlm_eva02-b16_4xb48-6e_coco-512' in names


@pytest.mark.parametrize(
    'text, message',
    [
        ('Models: [', 'configs/alpha/metafile.yml is not valid yaml'),
        ('- a', 'a mapping is expected'),
        ('Models: [{Name: a}]', "a: no 'In Collection'"),
        ('Models: [a]', 'not a metafile of a zoo'),
    ],
)
def test_a_bad_metafile_is_named(zoo, text, message):
    zoo.write(model('alpha_vit_coco'))
    (zoo.root / 'configs/alpha/metafile.yml').write_text(text)
    with pytest.raises(ValueError, match=r'alpha/metafile\.yml') as caught:
        ModelIndex.load(zoo.root)
    assert message in str(caught.value)


def test_missing_files_are_named(zoo):
    with pytest.raises(FileNotFoundError, match=r'model-index\.yml'):
        ModelIndex.load(zoo.root)


METRICS = {'Metrics': {'miou': 1.0}}
FAULTS = [
    ({'Config': 'configs/alpha/other.py'}, 'Config not found: configs/alpha/other.py'),
    ({'In Collection': 'Gamma'}, "In Collection: 'Gamma'"),
    ({'Licence': 'MIT'}, "key 'Licence' is not known"),
    ({'Metadata': {'Task': 'Flying', 'Encoder': 'a', 'Training Data': 'b'}}, 'Flying'),
    ({'Metadata': {'Task': 'Object Detection', 'Encoder': 'a'}}, "no 'Training Data'"),
    ({'Weights': 'https://host/a.pth'}, "does not end with '#sha256='"),
    ({'Results': [result('A', miou=131.0)]}, 'miou: 131.0 is not a percentage'),
    ({'Results': [result('A', miou='31')]}, "miou: '31' is not a percentage"),
    ({'Results': [result('A', moiu=31.0)]}, 'moiu: not a metric of our reports'),
    ({'Results': [result('A', bbox_ap50_nvel=1.0)]}, 'bbox_ap50_nvel: not a metric'),
    ({'Results': [result('A')]}, 'Results on A: no metrics'),
    ({'Results': [result('A', task='Flying', miou=1.0)]}, "Task: 'Flying'"),
    # nothing of a measured result may stand among the published ones
    ({'Results': [result('A', miou=1.0, more=runs(0))]}, "key 'Seeds' is not known"),
    ({'Measured': [result('A', miou=1.0)]}, 'Seeds: the list of seeds is missing'),
    ({'Measured': [result('A', miou=1.0, more={'Seeds': [0]})]}, 'Command: what'),
    ({'Measured': [result('A', miou=1.0, more=runs(0, 1))]}, 'Std: one for every'),
    ({'Measured': [result('A', miou=1.0, more=runs(0, miou=0.1))]}, 'Std: one for'),
]


@pytest.mark.parametrize('changes, message', FAULTS, ids=[m for _, m in FAULTS])
def test_faults_of_an_entry(zoo, changes, message):
    zoo.write(model('alpha_vit_coco', **changes), model('alpha_vit_a150'))
    faults = check_index(ModelIndex.load(zoo.root))
    assert [f for f in faults if 'alpha_vit_coco: ' in f and message in f], faults
    assert not [f for f in faults if 'alpha_vit_a150' in f]


def test_faults_of_the_files(zoo):
    zoo.write(
        model('alpha_vit_coco'),
        model('alpha_vit_coco'),
        configs=('configs/alpha/alpha_vit_a150.py',),
    )
    (zoo.root / 'configs/gamma').mkdir()
    (zoo.root / 'configs/gamma/metafile.yml').touch()
    (zoo.root / 'configs/alpha/README.md').unlink()
    assert check_index(ModelIndex.load(zoo.root)) == [
        'model-index.yml: configs/gamma/metafile.yml is not listed',
        'collection Alpha: README not found: configs/alpha/README.md',
        'alpha_vit_coco: 2 entries of this name',
        'configs/alpha/alpha_vit_a150.py: no entry in its metafile',
    ]
