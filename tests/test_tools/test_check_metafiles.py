"""The metafiles of this repository, and the tables of its pages."""

import importlib.util
import re
import shutil
from pathlib import Path

import pytest

from openvocab.zoo import ModelIndex
from openvocab.zoo.readme_blocks import block_kinds

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / 'tools/analysis_tools/check_metafiles.py'
SPEC = importlib.util.spec_from_file_location('check_metafiles', PATH)
check_metafiles = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(check_metafiles)
INDEX = ModelIndex.load(ROOT)


def test_metafiles_are_faultless_and_tables_up_to_date(capsys):
    code = check_metafiles.main(['--root', str(ROOT)])
    assert code == 0, capsys.readouterr().out


@pytest.mark.parametrize('path', sorted(ROOT.glob('configs/*/metafile.yml')), ids=str)
def test_a_page_shows_all_that_its_metafile_has(path):
    models = INDEX.in_folder(path.parent.name)
    wanted = {'configs'}
    wanted |= {'published'} if any(model.published for model in models) else set()
    wanted |= {'measured'} if any(model.measured for model in models) else set()
    assert wanted <= block_kinds((path.parent / 'README.md').read_text())


@pytest.mark.parametrize(
    'model', [model for model in INDEX if model.published], ids=lambda m: m.name
)
def test_headers_of_configs_state_what_the_metafile_states(model):
    lines = (ROOT / model.config).read_text().splitlines()
    header = ' '.join(line for line in lines if line.startswith('#'))
    stated = set(re.findall(r'\d+\.\d+', header))
    figures = [
        {str(v) for name, v in result.metrics.items() if not name.endswith('_top5')}
        for result in model.published
        if not result.label
    ]
    assert any(own <= stated for own in figures), (figures, header)


@pytest.fixture
def two_folders(tmp_path):
    """DenseVLM and SAN alone."""
    for name in ('densevlm', 'san'):
        shutil.copytree(ROOT / 'configs' / name, tmp_path / 'configs' / name)
    (tmp_path / 'model-index.yml').write_text(
        'Import: [configs/densevlm/metafile.yml, configs/san/metafile.yml]\n'
    )
    return tmp_path


def test_a_changed_figure_is_found_and_written(two_folders, capsys):
    metafile = two_folders / 'configs/densevlm/metafile.yml'
    metafile.write_text(
        metafile.read_text().replace('boxes_top1: 73.4', 'boxes_top1: 73.5')
    )
    page = two_folders / 'configs/densevlm/README.md'
    before = page.read_text()
    arguments = ['--root', str(two_folders)]
    assert check_metafiles.main(arguments) == 1
    out = capsys.readouterr().out.splitlines()
    stale = 'configs/densevlm/README.md: tables are out of date, run with --write'
    assert out == [stale] and page.read_text() == before
    assert check_metafiles.main([*arguments, '--write']) == 0
    assert page.read_text() == before.replace('| 73.4 /', '| 73.5 /')
    assert check_metafiles.main(arguments) == 0


def test_faults_are_printed_line_by_line(two_folders, capsys):
    (two_folders / 'configs/san/san_vit-b16-openai_a150.py').unlink()
    page = two_folders / 'configs/san/README.md'
    page.write_text(page.read_text().replace('<!-- end published -->', ''))
    assert check_metafiles.main(['--root', str(two_folders)]) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith('configs/san/metafile.yml: san_vit-b16-openai_a150: Config')
    assert second.startswith('configs/san/README.md: a mark')
    assert check_metafiles.main(['--root', str(two_folders / 'none')]) == 1
