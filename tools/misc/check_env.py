"""Says whether this interpreter meets the requirements of openvocab.

Exit status 0: it does. Otherwise 1, with one line naming what is missing. The
installed *distributions* are compared with ``requirements/runtime.txt`` and with one of
the two OpenMMLab families; ``--imports`` then loads the compiled operators, which finds
a build for another torch. Only the standard library and pip's ``packaging`` are needed.
"""

import argparse
import importlib
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parents[2] / 'requirements'
FAMILIES = ('onedl.txt', 'openmmlab.txt')
MODULES = ('torch', 'torchvision', 'mmcv.ops', 'mmdet', 'mmseg', 'mmpretrain')


def read_requirements(name: str) -> list:
    """The requirements of one file of ``requirements/``, comments left out."""
    try:
        from packaging.requirements import Requirement
    except ImportError:
        from pip._vendor.packaging.requirements import Requirement
    lines = (REQUIREMENTS / name).read_text().splitlines()
    stripped = (line.split('#')[0].strip() for line in lines)
    return [Requirement(line) for line in stripped if line]


def missing(name: str) -> list[str]:
    """What of the file is not installed, or not at an accepted version."""
    problems = []
    for requirement in read_requirements(name):
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            problems.append(f'{requirement} (not installed)')
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            problems.append(f'{requirement} (found {found})')
    return problems


def find_problem(also: list[str], imports: bool) -> str | None:
    """The first reason why this interpreter will not do, or None."""
    try:
        if tuple(map(int, version('torch').split('.')[:2])) < (2, 1):
            return f'torch >= 2.1 is needed, found {version("torch")}'
    except PackageNotFoundError:
        return 'torch is not installed'
    families = [missing(name) for name in FAMILIES]
    if all(families):
        return (
            f'no complete OpenMMLab family; nearest lacks {min(families, key=len)[0]}'
        )
    for name in ('runtime.txt', *also):
        if problems := missing(name):
            return problems[0]
    if imports:
        for module in MODULES:
            try:
                importlib.import_module(module)
            except Exception as error:  # a broken extension may raise anything
                return f'import {module} fails: {str(error).splitlines()[0][:200]}'
    return None


def main() -> int:
    """Parses the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--also', action='append', default=[], metavar='FILE')
    parser.add_argument('--imports', action='store_true')
    args = parser.parse_args()
    problem = find_problem(args.also, args.imports)
    if problem is not None:
        print(f'{sys.executable}: {problem}', file=sys.stderr)
    return int(problem is not None)


if __name__ == '__main__':
    sys.exit(main())
