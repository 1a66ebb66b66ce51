"""Every config: name, length, scopes. Metafiles: test_tools/test_check_metafiles.py."""

import re
from pathlib import Path

import pytest
from mmengine.config import Config, ConfigDict

from helpers.configs import CONFIGS, LEAVES, read_config

# one of each folder
FORMATTED = {path.parent: path for path in LEAVES}.values()
# {method}_{encoder}[-{alignment}]_{detail and schedule}_{dataset}
NAME = re.compile(
    r'^(?P<method>[a-z]+(_seg|_free)?)_(?P<encoder>[a-z0-9-]+)'
    r'(_(?P<schedule>(pretrain_)?\d+xb\d+[a-z0-9-]*))?'
    r'_(?P<dataset>(coco|ade20k)-\d+|ov-(shapes|coco|lvis)|coco|objects365-v1'
    r'|a150|a847|pc59|pc60|pc459|pas20|pas20b|voc21|cityscapes|coco-(stuff|object))$'
)


def ident(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize('path', LEAVES, ids=ident)
def test_name_length_and_round_trip(path, tmp_path):
    match = NAME.match(path.stem)
    assert match and match['method'] == path.parent.name
    assert len(path.read_text().splitlines()) <= 30
    cfg = read_config(path)
    assert cfg.default_scope in ('mmengine', 'mmdet', 'mmseg')
    if path in FORMATTED:  # by yapf, which breaks the lines and takes its time
        cfg = Config.fromfile(path)
    cfg.dump(tmp_path / 'dumped.py')
    again = Config.fromfile(tmp_path / 'dumped.py')
    assert again.to_dict() == cfg.to_dict()


def typed_dicts(node, path=''):
    """All outermost dicts with a type, with their keys."""
    if isinstance(node, (dict, ConfigDict)):
        if 'type' in node:
            yield path, node
            return
        for key, value in node.items():
            yield from typed_dicts(value, f'{path}.{key}')
    elif isinstance(node, (list, tuple)):
        for index, value in enumerate(node):
            yield from typed_dicts(value, f'{path}[{index}]')


@pytest.mark.parametrize('path', sorted((CONFIGS / '_base_').rglob('*.py')), ids=ident)
def test_base_types_say_their_scope(path):
    cfg = Config.fromfile(path)
    for key, node in typed_dicts(cfg._cfg_dict.to_dict()):
        prefixed = '.' in node['type']
        assert prefixed or node.get('_scope_'), f'{path.name}: {key}'
