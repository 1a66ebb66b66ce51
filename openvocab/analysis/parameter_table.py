"""How many parameters of a model train, part by part."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table
from torch import nn


@dataclass(frozen=True)
class PartParameters:
    """Counts of one part of a model.

    Attributes:
        name: Attribute of the model, or ``total``.
        trainable: Values that train.
        frozen: Values that do not.
        unread: Frozen ones that the config names as trainable, but that the forward
            pass never reads (queries of a block that is read out without attention).
            Published counts may include them.
    """

    name: str
    trainable: int
    frozen: int
    unread: int = 0


def count_parameters(model: nn.Module) -> list[PartParameters]:
    """Counts the parameters of every part that has some, and of the whole.

    Args:
        model: A model; its parts are its direct submodules. What two parts share counts
            for the first.

    Returns:
        One entry per part, in the model's order, then ``total``.
    """
    seen: set[int] = set()
    parts = []
    for name, module in model.named_children():
        own = [p for p in module.parameters() if id(p) not in seen]
        seen.update(id(p) for p in own)
        trainable = sum(p.numel() for p in own if p.requires_grad)
        frozen = sum(p.numel() for p in own if not p.requires_grad)
        if own:
            unread = getattr(module, 'num_unread', 0)
            parts.append(PartParameters(name, trainable, frozen, unread))
    total = PartParameters(
        'total',
        sum(part.trainable for part in parts),
        sum(part.frozen for part in parts),
        sum(part.unread for part in parts),
    )
    return [*parts, total]


def parameter_table(parts: Sequence[PartParameters], title: str = '') -> Table:
    """Counts in millions, as a table for a terminal."""
    table = Table(title=title)
    for heading in ('part', 'trainable', 'frozen', 'of these named but never read'):
        table.add_column(heading, justify='left' if heading == 'part' else 'right')
    for part in parts:
        if part.name == 'total':
            table.add_section()
        numbers = (part.trainable, part.frozen, part.unread)
        table.add_row(part.name, *(f'{number / 1e6:.2f} M' for number in numbers))
    return table
