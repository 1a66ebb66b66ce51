"""The label of pixels that have no class."""

BYTE_IGNORED = 255
WORD_IGNORED = 65535


def default_ignore_index(num_classes: int) -> int:
    """The label of ignored pixels: 255, or 65535 where 255 may be a class."""
    return BYTE_IGNORED if num_classes <= BYTE_IGNORED else WORD_IGNORED
