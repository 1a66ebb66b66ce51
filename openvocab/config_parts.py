"""Changes to all parts of a config, however deep they lie."""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any


def dicts_in(config: Any) -> Iterator[MutableMapping[str, Any]]:
    """Yields every dict of a config, a dict before those that it holds.

    Its entries may be changed meanwhile; what replaces them is visited in their place.
    """
    if isinstance(config, MutableMapping):
        yield config
        config = list(config.values())
    if isinstance(config, (list, tuple)):
        for value in config:
            yield from dicts_in(value)


def checkpoints_in(config: Any, key: str) -> Iterator[tuple[str, str]]:
    """Yields key and name of all weights that a config names.

    Args:
        config: Of a model.
        key: Its own key, which the others begin with.
    """
    if isinstance(config, Mapping):
        named = config.get('checkpoint')
        if isinstance(named, str):
            yield f'{key}.checkpoint', named
        for name, value in config.items():
            yield from checkpoints_in(value, f'{key}.{name}')
    elif isinstance(config, (list, tuple)):
        for index, value in enumerate(config):
            yield from checkpoints_in(value, f'{key}.{index}')


def drop_weights(model: Any) -> None:
    """Makes a model config name no weights, in place.

    Every ``checkpoint`` becomes None, and so does every ``init_cfg`` that loads a file;
    an ``init_cfg`` that draws values stays.
    """
    for part in dicts_in(model):
        if 'checkpoint' in part:
            part['checkpoint'] = None
        if 'init_cfg' in part and _is_pretrained(part['init_cfg']):
            part['init_cfg'] = None


def _is_pretrained(init_cfg: Any) -> bool:
    parts = init_cfg if isinstance(init_cfg, (list, tuple)) else [init_cfg]
    return any(
        isinstance(part, Mapping) and str(part.get('type')).endswith('Pretrained')
        for part in parts
    )
