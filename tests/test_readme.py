"""The commands of README.md, executed as they are printed.

Blocks marked ``shell`` and ``python`` run one after another in a fresh copy of the
repository; those marked ``bash`` need real data or several GPUs, and only their files
are looked for.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r'^```(\w+)\n(.*?)^```', re.MULTILINE | re.DOTALL)
FILE = re.compile(r'(?:tools|configs|docs)/[\w./-]+\.(?:py|sh|md)')
COPIED = (
    'openvocab',
    'configs',
    'tools',
    'requirements',
    'README.md',
    'model-index.yml',
)


def blocks(*kinds: str) -> list[tuple[str, str]]:
    found = BLOCK.findall((ROOT / 'README.md').read_text())
    return [(kind, text) for kind, text in found if kind in kinds]


def test_every_file_that_is_named_exists():
    text = (ROOT / 'README.md').read_text()
    named = {name for name in FILE.findall(text) if 'NAME' not in name}
    assert len(named) > 20
    assert not [name for name in named if not (ROOT / name).exists()]
    links = re.findall(r'\]\(((?!http)[^)#]+)\)', text)
    assert not [link for link in links if not (ROOT / link).exists()]


def test_blocks_are_of_known_kinds():
    kinds = {kind for kind, _ in blocks('shell', 'python', 'bash')}
    assert kinds == {'shell', 'python', 'bash'}
    for _, text in blocks('python'):
        compile(text, 'README.md', 'exec')


@pytest.mark.slow
def test_the_commands_work(tmp_path):
    for name in COPIED:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        options = dict(symlinks=True) if source.is_dir() else {}
        copy(source, tmp_path / name, **options)
    path = f'{Path(sys.executable).parent}:{os.environ["PATH"]}'
    env = dict(os.environ, PATH=path, PYTHONPATH=str(tmp_path))
    for kind, text in blocks('shell', 'python'):
        # the tests would run themselves
        text = text.replace('bash tools/run_tests.sh', ': #')
        command = ['bash', '-euo', 'pipefail', '-c', text]
        if kind == 'python':
            command = [sys.executable, '-c', text]
        done = subprocess.run(
            command, cwd=tmp_path, env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, (
            f'{text}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}'
        )
    quickstart = tmp_path / 'work_dirs' / 'quickstart'
    for name in ('report.json', 'comparison.html', 'similarity.png', 'pictures'):
        assert (quickstart / name).exists()
