"""The class that stands for everything without a name, where an option needs it."""

from openvocab.vocab.class_entry import BACKGROUND
from openvocab.vocab.vocabulary import Vocabulary


def background_for(vocabulary: Vocabulary, **option: float | None) -> int | None:
    """Label of the background class that an option of a segmentor needs.

    Args:
        vocabulary: The classes.
        **option: One option, name and value; None turns it off.

    Returns:
        The label; None if the option is off.

    Raises:
        ValueError: The option is on and no class is called so.
    """
    ((name, value),) = option.items()
    if value is None:
        return None
    label = vocabulary.find(BACKGROUND)
    if label is None:
        raise ValueError(
            f'{name}={value} needs a class {BACKGROUND!r}, which vocabulary '
            f'{vocabulary.name!r} does not have; set {name}=None'
        )
    return label
