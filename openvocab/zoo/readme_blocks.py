r"""Generated parts of Markdown pages.

A page marks them; what is between the marks is written from the metafiles::

    <!-- begin published -->
    ...
    <!-- end published -->

Kinds: ``configs``, ``published``, ``measured``. Names of folders may follow the kind
(``<!-- begin measured clip clipself -->``); by default it is the folder of the page.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .model_index import ModelEntry, ModelIndex
from .tables import configs_table, measured_tables, published_tables

_BLOCK = re.compile(
    r'^(?P<begin><!-- begin (?P<kind>[a-z]+)(?P<folders>( [a-z_]+)*) -->\n)'
    r'(?P<body>.*?)^(?P<end><!-- end (?P=kind) -->)$',
    re.DOTALL | re.MULTILINE,
)
_MARK = re.compile(r'^<!-- (begin|end) ', re.MULTILINE)

_KINDS: Mapping[str, Callable[[Sequence[ModelEntry], Path], str]] = {
    'configs': configs_table,
    'published': lambda models, folder: published_tables(models),
    'measured': measured_tables,
}


def fill_blocks(text: str, index: ModelIndex, folder: Path) -> str:
    """Writes the generated parts of a page anew.

    Args:
        text: The page.
        index: The metafiles.
        folder: The folder of the page, relative to the root of the index.

    Returns:
        The page; equal to ``text`` if it was up to date.

    Raises:
        ValueError: A mark has no partner, or names no kind or folder of ours.
    """

    def fill(match: re.Match) -> str:
        kind = match['kind']
        if kind not in _KINDS:
            raise ValueError(f'begin {kind}: not one of {", ".join(_KINDS)}')
        folders = match['folders'].split() or [folder.name]
        models = index.in_folder(*folders)
        for name in folders:
            if not index.in_folder(name):
                raise ValueError(f'begin {kind}: no models in configs/{name}')
        body = _KINDS[kind](models, folder)
        return f'{match["begin"]}{body}\n{match["end"]}' if body else _empty(match)

    blocks = list(_BLOCK.finditer(text))
    if len(_MARK.findall(text)) != 2 * len(blocks):
        raise ValueError('a mark "begin KIND" or "end KIND" has no partner')
    return _BLOCK.sub(fill, text)


def block_kinds(text: str) -> set[str]:
    """Which kinds of blocks a page has."""
    return {match['kind'] for match in _BLOCK.finditer(text)}


def _empty(match: re.Match) -> str:
    return f'{match["begin"]}Nothing yet.\n{match["end"]}'
