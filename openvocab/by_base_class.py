"""Dispatch on the kind of an object without importing the kinds."""

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar('T')


def by_base_class(table: Mapping[str, T], instance: object) -> T | None:
    """What a table holds for the class of an object, or for the nearest base of it.

    Classes are named, not imported: a table may list detectors where mmdet is not
    installed.

    Args:
        table: Name of a class -> anything.
        instance: The object.

    Returns:
        The entry, or None if the table has none for its class and bases.
    """
    names = (kind.__name__ for kind in type(instance).__mro__)
    return next((table[name] for name in names if name in table), None)
