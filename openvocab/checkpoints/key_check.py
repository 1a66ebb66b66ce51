"""Whether a state dict fits a model: names, shapes and kinds of number."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from torch import Tensor

from .reading import CheckpointError


def check_keys(
    state: Mapping[str, Tensor],
    wanted: Mapping[str, Tensor],
    path: str | Path,
    arch: str,
) -> None:
    """Compare a state dict with what a model wants: names, shapes and kinds of number.

    Args:
        state: State dict to be loaded.
        wanted: The model's own state dict.
        path: Where ``state`` came from.
        arch: The model's architecture.

    Raises:
        CheckpointError: One line, naming the file and the first offending key.
    """
    for difference in key_differences(state, wanted):
        raise CheckpointError(f'checkpoint {path} is not for {arch}: {difference}')


def key_differences(
    state: Mapping[str, Tensor], wanted: Mapping[str, Tensor]
) -> Iterator[str]:
    """Lists in what a state dict differs from what a model wants.

    Args:
        state: State dict to be loaded.
        wanted: The model's own state dict.

    Yields:
        One line per key; only one if a whole tower, or everything, is absent.
    """
    if not any(key in wanted for key in state):
        first = next(iter(state), 'nothing')
        yield f'no key in common (it has {first!r})'
        return
    towers = {_tower(key) for key in state}
    for key, value in wanted.items():
        if key not in state:
            tower = 'image' if key.startswith('visual.') else 'text'
            if tower not in towers:
                yield f'it has no {tower} tower, needed is {key!r}'
                return
            yield f'no {key!r}'
        elif state[key].shape != value.shape:
            yield (
                f'{key!r} has shape {tuple(state[key].shape)}, expected '
                f'{tuple(value.shape)}'
            )
        elif value.is_floating_point() and not state[key].is_floating_point():
            yield f'{key!r} holds {state[key].dtype}, expected {value.dtype}'
    for key in state:
        if key not in wanted:
            yield f'unknown key {key!r}'


def _tower(key: str) -> str:
    if key.startswith('logit_'):
        return 'none'
    return 'image' if key.startswith('visual.') else 'text'
