"""The source uses nothing that only the maintained (OneDL) distributions have."""

import ast
import importlib.util
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location(
    'upstream_names', ROOT / 'tools/misc/upstream_names.py'
)
upstream_names = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(upstream_names)


def test_every_used_name_was_found_upstream():
    new = upstream_names.used_names() - upstream_names.listed_names()
    assert not new, f'{sorted(new)}: see tools/misc/upstream_names.py'


def test_names_are_collected(tmp_path):
    package, config = tmp_path / 'openvocab', tmp_path / 'configs/a'
    package.mkdir()
    config.mkdir(parents=True)
    (package / 'a.py').write_text(
        'import mmcv.ops, torch\n'
        'from .mmdet import x\n'
        'def f():\n    from mmdet.models import FPN as Neck\n'
        "    return dict(type='mmseg.FCNHead')\n"
    )
    (config / 'b.py').write_text("a = dict(type='mmdet.FPN', b=dict(type='nms'))\n")
    assert upstream_names.used_names(tmp_path) == {
        'mmcv.ops:', 'mmdet.models:FPN', 'mmseg::FCNHead', 'mmdet::FPN',
    }  # fmt: skip


@pytest.fixture
def upstream(tmp_path):
    path = tmp_path / 'mmdet.whl'
    with zipfile.ZipFile(path, 'w') as wheel:
        wheel.writestr('mmdet/__init__.py', 'from .models import *\n')
        wheel.writestr('mmdet/models/__init__.py', 'from .necks import FPN, FPN as F\n')
        wheel.writestr(
            'mmdet/models/necks.py',
            'try:\n    import a.b\nexcept ImportError:\n    ops = None\n'
            'SIZE: int = 3\nif SIZE:\n    class FPN: pass\n'
            'def f():\n    hidden = 1\n',
        )
    return upstream_names.Upstream([path])


@pytest.mark.parametrize(
    'name, exists',
    [
        ('mmdet.models.necks:', True),
        ('mmdet.models:necks', True),
        ('mmdet.models.necks:FPN', True),
        ('mmdet.models:F', True),
        ('mmdet:FPN', True),
        ('mmdet.models.necks:SIZE', True),
        ('mmdet.models.necks:ops', True),
        ('mmdet::FPN', True),
        ('mmdet.models.necks:hidden', False),
        ('mmdet.models:NewNeck', False),
        ('mmdet.absent:', False),
        ('mmdet::NewNeck', False),
        ('mmseg::FPN', False),
    ],
)
def test_what_upstream_has(upstream, name, exists):
    assert upstream.has(name) is exists


def test_relative_imports():
    (node,) = ast.parse('from ..core import x').body
    assert upstream_names._absolute(node, 'mmdet.models.necks', False) == 'mmdet.core'
    assert upstream_names._absolute(node, 'mmdet.models', True) == 'mmdet.core'
