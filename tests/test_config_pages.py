"""What configs/*.md say: snippets are valid, files and links exist."""

import re
from pathlib import Path

import pytest
import yaml
from mmengine.config import Config

from openvocab.vocab import Vocabulary
from openvocab.zoo import ModelIndex, check_index

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ROOT / 'configs'
PAGES = sorted(CONFIGS.glob('**/*.md'))
METHODS = sorted(path.parent.name for path in CONFIGS.glob('*/metafile.yml'))


def blocks(path: Path, language: str) -> list[str]:
    text = path.read_text(encoding='utf-8')
    return re.findall(rf'```{language}\n(.*?)```', text, re.DOTALL)


SNIPPETS = [
    text for text in blocks(CONFIGS / 'README.md', 'python') if '_base_ =' in text
]


@pytest.mark.parametrize('text', SNIPPETS, ids=range(len(SNIPPETS)))
def test_configs_of_the_page_are_valid(tmp_path, text):
    (animals,) = blocks(CONFIGS / 'README.md', 'json')
    (tmp_path / 'animals.json').write_text(animals)
    path = tmp_path / 'child.py'
    # the modules of others are not here
    path.write_text(re.sub(r'^custom_imports.*$', '', text, flags=re.MULTILINE))
    cfg = Config.fromfile(path)
    assert cfg.model.type and cfg.test_dataloader
    vocabulary = cfg.test_dataloader.dataset.vocabulary
    if 'animals' in text:
        assert vocabulary.endswith('animals.json')
        loaded = Vocabulary.load(vocabulary)
        assert loaded.names == ('zebra', 'polar bear', 'grass')


def test_the_page_covers_each_subject():
    assert len(SNIPPETS) == 8
    text = (CONFIGS / 'README.md').read_text()
    assert not [name for name in METHODS if f']({name})' not in text]


def test_the_encoder_of_the_page_is_an_encoder():
    from mmengine.registry import MODELS

    from openvocab.models.backbones import CLIPBackbone

    (code,) = [
        b for b in blocks(CONFIGS / 'README.md', 'python') if 'class MyCLIP' in b
    ]
    scope: dict = {}
    try:
        exec(code, scope)
        assert MODELS.get('MyCLIP') is scope['MyCLIP']
        assert issubclass(scope['MyCLIP'], CLIPBackbone)
    finally:
        MODELS._module_dict.pop('MyCLIP', None)


def test_a_method_is_five_files():
    text = (CONFIGS / 'add_a_method.md').read_text()
    rows = re.findall(r'^\| (\w+) \| `(.+?)` \| `(.+?)` \| `(.+?)` \|$', text, re.M)
    assert sorted(stem for stem, *_ in rows) == METHODS
    for stem, *files in rows:
        assert not [name for name in files if not (ROOT / name).is_file()], stem
        folder = CONFIGS / stem
        assert (folder / 'README.md').is_file() and (folder / 'metafile.yml').is_file()
        assert [path for path in folder.glob('*.py') if 'ov-shapes' in path.stem], stem


def test_the_metafile_of_the_page_is_faultless(tmp_path):
    (text,) = blocks(CONFIGS / 'add_a_method.md', 'yaml')
    content = yaml.safe_load(text)
    (model,) = content['Models']
    folder = tmp_path / Path(model['Config']).parent
    folder.mkdir(parents=True)
    (tmp_path / model['Config']).touch()
    (folder / 'README.md').touch()
    (folder / 'metafile.yml').write_text(text)
    relative = (folder / 'metafile.yml').relative_to(tmp_path)
    (tmp_path / 'model-index.yml').write_text(f'Import: [{relative}]')
    assert check_index(ModelIndex.load(tmp_path)) == []


@pytest.mark.parametrize('page', PAGES, ids=lambda p: str(p.relative_to(CONFIGS)))
def test_links_and_named_files_exist(page):
    text = page.read_text(encoding='utf-8')
    links = re.findall(r'\]\(([^)#:]+)\)', text)
    assert not [link for link in links if not (page.parent / link).exists()]
    named = re.findall(r'(?<![\w/.])((?:tools|requirements|tests)/[\w/.-]+\.\w+)', text)
    assert not [name for name in named if not (ROOT / name).is_file()]
