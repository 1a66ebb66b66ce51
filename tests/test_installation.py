"""A wheel and an editable install of a clean checkout, in a clean environment."""

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from helpers.downstream_package import write_package

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
CONFIG = 'fvit_ov-shapes-u_1xb8-1e_ov-shapes'
PACKAGED = (
    'openvocab/**/*.py',
    'openvocab/vocab/classes/*.json',
    'openvocab/models/clip_configs/*',
    'openvocab/weights/*.safetensors',
)
IN_MIM = (
    'model-index.yml',
    'configs/**/*.py',
    'configs/**/*.yml',
    'configs/**/*.md',
    'tools/**/*.py',
    'tools/**/*.sh',
)
OF_A_CHECKOUT = {
    'tools/env.sh',
    'tools/quickstart.sh',
    'tools/run_tests.sh',
    'tools/misc/check_env.py',
    'tools/misc/upstream_names.py',
}


def call(*command, cwd, **env) -> str:
    """Runs a command that sees nothing of this checkout."""
    settings = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={**settings, **env},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def new_environment(folder: Path) -> Path:
    """An environment with the libraries of this one; returns its Python."""
    call(sys.executable, '-m', 'venv', '--without-pip', folder, cwd=folder.parent)
    python = folder / 'bin/python'
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(call(python, '-c', code, cwd=folder).strip())
    (site / 'libraries.pth').write_text(sysconfig.get_path('purelib'))
    return python


def install(python: Path, *what) -> None:
    options = ('--no-deps', '--no-build-isolation', '-q')
    pip = (sys.executable, '-m', 'pip', '--python', python, 'install')
    call(*pip, *options, *what, cwd=python.parent)


@pytest.fixture(scope='module')
def checkout(tmp_path_factory) -> Path:
    """What is committed, and nothing else."""
    if not (ROOT / '.git').exists():
        pytest.skip('not a git checkout')
    folder = tmp_path_factory.mktemp('clean') / 'openvocab'
    call('git', 'clone', '-q', '--no-hardlinks', ROOT, folder, cwd=folder.parent)
    return folder


@pytest.fixture(scope='module')
def wheel(checkout, tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp('wheel')
    options = ('--no-deps', '--no-build-isolation', '-q', '-w', target)
    call(sys.executable, '-m', 'pip', 'wheel', *options, '.', cwd=checkout)
    (path,) = target.glob('openvocab-*.whl')
    return path


@pytest.fixture(scope='module')
def python(wheel, tmp_path_factory) -> Path:
    """Python of an environment with the wheel and with the package of another team."""
    folder = tmp_path_factory.mktemp('environment')
    python = new_environment(folder / 'env')
    write_package(folder / 'shop')
    install(python, wheel, folder / 'shop')
    return python


@pytest.fixture(scope='module')
def mim(python) -> Path:
    """``.mim`` of the installed package."""
    code = 'import openvocab; print(openvocab.__path__[0])'
    folder = Path(call(python, '-c', code, cwd=python.parent).strip())
    assert python.parents[1] in folder.parents
    return folder / '.mim'


def test_the_wheel_holds_configs_tools_and_data(wheel, checkout):
    names = set(zipfile.ZipFile(wheel).namelist())
    for pattern in PACKAGED:
        files = {p for p in checkout.glob(pattern) if '.mim' not in p.parts}
        assert files and not {str(p.relative_to(checkout)) for p in files} - names
    for pattern in IN_MIM:
        files = {str(p.relative_to(checkout)) for p in checkout.glob(pattern)}
        files -= OF_A_CHECKOUT
        assert files and not {f'openvocab/.mim/{path}' for path in files} - names
    assert not {f'openvocab/.mim/{path}' for path in OF_A_CHECKOUT} & names
    assert not [name for name in names if name.startswith(('tests/', 'configs/'))]


def test_tools_of_the_wheel_train_and_test(python, mim, tmp_path):
    config = mim / f'configs/fvit/{CONFIG}.py'
    train_and_test(python, mim, config, tmp_path)
    assert '--write' in call(
        python, mim / 'tools/analysis_tools/check_metafiles.py', '--help', cwd=tmp_path
    )


def test_tools_of_the_wheel_take_configs_of_another_package(python, mim, tmp_path):
    config = mim.parents[1] / 'shapes_shop/configs/detector.py'
    row = train_and_test(python, mim, config, tmp_path)
    assert row['meta']['vocabulary']['name'].startswith('shop')


def train_and_test(python: Path, mim: Path, config: Path, folder: Path) -> dict:
    """Draws the data, trains an epoch and tests, in an empty folder."""
    tools = mim / 'tools'
    call(
        python, tools / 'dataset_converters/ov_shapes.py',
        '--train', '8', '--val', '4', cwd=folder,
    )  # fmt: skip
    call(python, tools / 'train.py', config, '--no-validate', cwd=folder)
    work_dir = folder / 'work_dirs' / config.stem
    call(python, tools / 'test.py', config, work_dir / 'epoch_1.pth', cwd=folder)
    (row,) = json.loads((work_dir / 'report.json').read_text())
    assert 'bbox_ap50_novel' in row
    return row


ZOO = f"""
import openvocab
from mmengine.config import Config
from mmengine.hub import get_config
from openvocab.apis import get_model, list_models
from openvocab.zoo import ModelIndex, check_index

index = ModelIndex.load()
print('index of', index.root)
assert not check_index(index), check_index(index)
assert '{CONFIG}' in list_models()
assert get_config('openvocab::fvit/{CONFIG}.py').model.type == 'openvocab.FViT'
open('child.py', 'w').write("_base_ = 'openvocab::fvit/{CONFIG}.py'")
assert Config.fromfile('child.py').model.type == 'openvocab.FViT'
get_model('training_free_ov-shapes-u_ov-shapes', pretrained=True)
"""


def test_the_zoo_of_the_wheel(python, mim, tmp_path):
    printed = call(python, '-c', ZOO, cwd=tmp_path).splitlines()
    assert f'index of {mim}' in printed


def test_the_zoo_of_an_editable_install(checkout, tmp_path):
    python = new_environment(tmp_path / 'env')
    install(python, '-e', checkout)
    printed = call(python, '-c', ZOO, cwd=tmp_path).splitlines()
    assert f'index of {checkout}/openvocab/.mim' in printed
