"""Mistakes of whoever calls a tool: one line where a traceback would hide it."""

import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from mmengine.config import utils as config_utils
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner

USER_ERRORS = (
    OSError,
    LookupError,
    TypeError,
    ValueError,
    ImportError,
    SyntaxError,
    NotImplementedError,
    config_utils.ConfigParsingError,
)
"""What a wrong config, option or file ends in while things are read and built."""


class Setup:
    """What comes before a loop: as long as it lasts, errors are the user's."""

    def __init__(self) -> None:
        self.over = False

    def ends_when_running(self, runner: Runner) -> None:
        """Lets everything that a loop of the runner raises keep its traceback."""
        runner.register_hook(_LoopBegins(self))


class _LoopBegins(Hook):
    # after the hooks that check the data and the vocabulary
    priority = 'LOWEST'

    def __init__(self, setup: Setup) -> None:
        self.setup = setup

    def before_train(self, runner: Runner) -> None:
        self.setup.over = True

    def before_test(self, runner: Runner) -> None:
        self.setup.over = True


@contextmanager
def user_errors(tool: str, *more: type[Exception]) -> Iterator[Setup]:
    """Ends the program with one line where something read or built is wrong.

    The traceback goes to the log, at debug level (``--cfg-options log_level=DEBUG``).

    Args:
        tool: What the line begins with.
        *more: Errors of the block that are the user's besides :data:`USER_ERRORS`.

    Yields:
        What tells where the setup ends, for blocks that also run a loop.

    Raises:
        SystemExit: In place of an error.
    """
    setup = Setup()
    try:
        yield setup
    except (*USER_ERRORS, *more) as error:
        if setup.over:
            raise
        print_log(traceback.format_exc(), 'current', logging.DEBUG)
        sys.exit(f'{tool}: {one_line(error)}')


def one_line(error: Exception) -> str:
    """What an error says, without line breaks."""
    if isinstance(error, OSError) and error.strerror:
        # a file is written under a temporary name first
        name = error.filename2 or error.filename
        text = error.strerror if name is None else f'{name}: {error.strerror}'
    elif isinstance(error, KeyError) and error.args:
        text = str(error.args[0])  # str(error) puts it in quotes
    else:
        text = str(error)
    return ' '.join(text.split()) or type(error).__name__
