"""Which names of the OpenMMLab packages we use, and whether upstream has them.

The tests run on the maintained (OneDL) distributions; this keeps the source usable on
the upstream ones. upstream_names.txt lists what was found there, and a test fails on
any other name. After using a new one, download the upstream releases and check again:

    pip download --no-deps mmengine==0.10.7 mmdet==3.3.0 mmsegmentation==1.2.2
    pip download --no-deps mmpretrain==1.2.0
    pip download --no-deps --no-binary mmcv mmcv==2.1.0
    python tools/misc/upstream_names.py *.whl *.tar.gz --write
"""

import argparse
import ast
import re
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from rich.console import Console

from openvocab.fileio import write_atomically

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_suffix('.txt')
PACKAGES = ('mmengine', 'mmcv', 'mmdet', 'mmseg', 'mmpretrain')
_TYPE = re.compile(rf"type='({'|'.join(PACKAGES)})\.(\w+)'")


def used_names(root: Path = ROOT) -> set[str]:
    """What we use: ``module:name`` for imports, ``package::Type`` in configs."""
    names: set[str] = set()
    for path in [*root.glob('openvocab/**/*.py'), *root.glob('tools/**/*.py')]:
        text = path.read_text(encoding='utf-8')
        names |= _imports(ast.parse(text))
        names |= {f'{package}::{name}' for package, name in _TYPE.findall(text)}
    for path in root.glob('configs/**/*.py'):
        names |= {'::'.join(pair) for pair in _TYPE.findall(path.read_text('utf-8'))}
    return names


def listed_names() -> set[str]:
    """What is known to exist upstream."""
    lines = LIST.read_text(encoding='utf-8').splitlines()
    return {line for line in lines if line and not line.startswith('#')}


def _imports(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level and node.module:
            if node.module.split('.')[0] in PACKAGES:
                names |= {f'{node.module}:{alias.name}' for alias in node.names}
        elif isinstance(node, ast.Import):
            found = (alias.name for alias in node.names)
            names |= {f'{name}:' for name in found if name.split('.')[0] in PACKAGES}
    return names


class Upstream:
    """The modules of released packages, read and never imported.

    Args:
        archives: Wheels and source archives.
    """

    def __init__(self, archives: list[Path]) -> None:
        self._trees: dict[str, tuple[ast.Module, bool]] = {}
        for archive in archives:
            for path, text in _python_files(archive):
                is_package = path.name == '__init__.py'
                parts = path.parent.parts if is_package else path.with_suffix('').parts
                self._trees['.'.join(parts)] = (ast.parse(text), is_package)

    def has(self, used: str) -> bool:
        """Whether a name of :func:`used_names` exists."""
        package, separator, type_name = used.partition('::')
        if separator:
            return any(
                isinstance(node, (ast.ClassDef, ast.FunctionDef))
                and node.name == type_name
                for module, (tree, _) in self._trees.items()
                if module.split('.')[0] == package
                for node in ast.walk(tree)
            )
        module, _, name = used.partition(':')
        if not name:
            return module in self._trees
        return f'{module}.{name}' in self._trees or name in self._names(module, set())

    def _names(self, module: str, seen: set[str]) -> set[str]:
        """Names at the top level of a module."""
        if module not in self._trees or module in seen:
            return set()
        seen.add(module)
        tree, is_package = self._trees[module]
        names: set[str] = set()
        for node in _top_level(tree):
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                names.add(node.name)
            elif isinstance(node, (ast.Assign, ast.AnnAssign)):
                targets = (
                    node.targets if isinstance(node, ast.Assign) else [node.target]
                )
                names |= {t.id for t in targets if isinstance(t, ast.Name)}
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                stars = [alias for alias in node.names if alias.name == '*']
                names |= {alias.asname or alias.name for alias in node.names}
                if stars:
                    names |= self._names(_absolute(node, module, is_package), seen)
        return names


def _top_level(tree: ast.Module) -> Iterator[ast.stmt]:
    """Statements of a module, those in ``if`` and ``try`` too."""
    stack: list[ast.AST] = list(tree.body)
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.If, ast.Try, ast.ExceptHandler)):
            stack += ast.iter_child_nodes(node)
        elif isinstance(node, ast.stmt):
            yield node


def _absolute(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    if not node.level:
        return node.module or ''
    parts = module.split('.')
    kept = parts[: len(parts) - node.level + is_package]
    return '.'.join([*kept, *([node.module] if node.module else [])])


def _python_files(archive: Path) -> Iterator[tuple[PurePosixPath, str]]:
    """Paths from the package on, and texts."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as content:
            for name in content.namelist():
                path = PurePosixPath(name)
                if path.suffix == '.py' and path.parts[0] in PACKAGES:
                    yield path, content.read(name).decode('utf-8')
        return
    with tarfile.open(archive) as content:
        for member in content:
            path = PurePosixPath(*PurePosixPath(member.name).parts[1:])
            if path.suffix == '.py' and path.parts[0] in PACKAGES:
                yield path, content.extractfile(member).read().decode('utf-8')


def main() -> int:
    """Checks all used names, and returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('archives', nargs='+', type=Path, help='upstream releases')
    parser.add_argument('--write', action='store_true', help=f'write {LIST.name}')
    args = parser.parse_args()
    console = Console(soft_wrap=True, highlight=False)
    upstream, used = Upstream(args.archives), used_names()
    found = {name for name in used if upstream.has(name)}
    for name in sorted(used - found):
        console.print(f'not upstream: {name}', markup=False)
    if args.write:
        releases = ', '.join(sorted(path.name for path in args.archives))
        head = f'# Written by tools/misc/upstream_names.py; found in {releases}\n'
        write_atomically(LIST, (head + '\n'.join(sorted(found)) + '\n').encode())
    console.print(f'{len(found)} of {len(used)} names exist upstream')
    return int(found != used)


if __name__ == '__main__':
    raise SystemExit(main())
