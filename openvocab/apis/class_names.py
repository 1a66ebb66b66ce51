"""Class names as people type them."""

import re


def split_names(text: str) -> list[str]:
    """Splits ``'cat, park bench, sky'`` into names.

    Args:
        text: Names with commas, semicolons or line ends between them; blanks around a
            name and empty places do not count.

    Returns:
        The names in order; duplicates stay, for a ``Vocabulary`` to complain of.
    """
    names = (' '.join(part.split()) for part in re.split(r'[,;\n]', text))
    return [name for name in names if name]
