"""What users install: requirements, import cost, scopes, and the wheel itself."""

import importlib
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.config import Config
from packaging.requirements import Requirement

import openvocab
from openvocab import scope

ROOT = Path(__file__).resolve().parents[1]


def read_requirements(name):
    lines = (ROOT / 'requirements' / name).read_text().splitlines()
    stripped = [line.split('#')[0].strip() for line in lines]
    return [Requirement(line) for line in stripped if line]


def run_python(code, **env):
    done = subprocess.run(
        [sys.executable, '-c', code],
        cwd='/',
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_import_is_light():
    code = "import sys, openvocab, openvocab.registry; print('\\n'.join(sys.modules))"
    roots = {
        name.split('.')[0]
        for name in run_python(code, PYTHONPATH=str(ROOT)).splitlines()
    }
    assert not roots & {'torch', 'mmcv', 'mmdet', 'mmseg', 'timm', 'open_clip', 'cv2'}


MODULES = sorted(
    info.name for info in pkgutil.walk_packages(openvocab.__path__, 'openvocab.')
)


@pytest.mark.parametrize('name', MODULES)
def test_every_module_imports_and_says_what_it_is(name):
    module = importlib.import_module(name)
    assert module.__doc__, f'{name} has no docstring'


def test_every_folder_is_a_package():
    """setuptools leaves out folders without __init__.py."""
    folders = {path.parent for path in (ROOT / 'openvocab').rglob('*.py')}
    folders = {f for f in folders if '.mim' not in f.parts}
    assert not [f for f in folders if not (f / '__init__.py').is_file()]


def test_runtime_requirements_leave_torch_and_the_family_to_the_user():
    names = {requirement.name for requirement in read_requirements('runtime.txt')}
    assert not {n for n in names if n.startswith(('torch', 'mm', 'onedl', 'opencv'))}


def test_the_tested_set_meets_the_requirements():
    pinned = {}
    for requirement in read_requirements('constraints.txt'):
        (specifier,) = requirement.specifier
        assert specifier.operator == '=='
        pinned[canonical(requirement.name)] = specifier.version
    for name in ('runtime.txt', 'onedl.txt', 'tests.txt', 'lint.txt'):
        for requirement in read_requirements(name):
            version = pinned[canonical(requirement.name)]
            assert requirement.specifier.contains(version), requirement
    assert pinned['opencv-python'] == pinned['opencv-python-headless']


def canonical(name):
    return re.sub(r'[-_.]+', '-', name).lower()


def test_two_families_at_once_are_refused(monkeypatch):
    installed = {'onedl-mmengine', 'onedl-mmcv', 'mmcv-lite'}
    monkeypatch.setattr(scope, '_is_installed', installed.__contains__)
    with pytest.raises(ImportError, match=r"onedl-mmcv and mmcv-lite both own.*'mmcv'"):
        scope.check_single_owner()
    installed.remove('mmcv-lite')
    scope.check_single_owner()


@pytest.mark.parametrize(
    'base',
    [
        'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py',
        'mmseg::fcn/fcn_r50-d8_4xb4-20k_voc12aug-512x512.py',
        'openvocab::_base_/default_runtime_align.py',
    ],
)
def test_bases_of_other_packages_resolve(tmp_path, base):
    config = tmp_path / 'child.py'
    config.write_text(f"_base_ = '{base}'\n")
    assert len(Config.fromfile(config)) > 1


def test_mim_finds_every_config():
    """The reader of ``mim search`` and ``mim download``."""
    reader = pytest.importorskip('modelindex.load_model_index')
    index = reader.load(str(Path(openvocab.__file__).parent / '.mim/model-index.yml'))
    index.build_models_with_collections()
    found = {model.config: model for model in index.models}
    leaves = {str(p.relative_to(ROOT)) for p in ROOT.glob('configs/[!_]*/*.py')}
    assert set(found) == leaves
    entry = found['configs/san/san_vit-b16-openai_a150.py']
    assert entry.results[0].metrics == {'miou': 27.6}
    assert entry.full_model.paper['URL'].endswith('2302.12242')


def test_mim_links_lead_into_the_checkout():
    for name in ('configs', 'tools', 'model-index.yml'):
        link = ROOT / 'openvocab' / '.mim' / name
        assert link.is_symlink() and link.resolve() == ROOT / name
