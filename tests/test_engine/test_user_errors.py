import logging

import pytest
from mmengine.config import utils as config_utils
from mmengine.logging import MMLogger

from openvocab.engine.user_errors import one_line, user_errors


@pytest.mark.parametrize(
    ('error', 'text'),
    [
        (KeyError('no such name'), 'no such name'),
        (ValueError('two\n  lines'), 'two lines'),
        (TypeError(), 'TypeError'),
        (FileNotFoundError('weights are missing'), 'weights are missing'),
        (PermissionError(13, 'Permission denied', 'a.png'), 'a.png: Permission denied'),
        (IsADirectoryError(21, 'Is a directory', '.t.png', None, 'a'), 'a: Is a dir'),
        (config_utils.ConfigParsingError('odd'), 'odd'),
    ],
)
def test_one_line(error, text):
    assert one_line(error).startswith(text)
    with pytest.raises(SystemExit) as stopped, user_errors('tool'):
        raise error
    assert stopped.value.code == f'tool: {one_line(error)}'


def test_the_traceback_is_for_debugging():
    logger, seen = MMLogger.get_current_instance(), []

    class Keep(logging.Handler):
        def emit(self, record):
            seen.append((record.levelno, record.getMessage()))

    handler, level = Keep(), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        with pytest.raises(SystemExit), user_errors('tool'):
            {}['absent']
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    ((found, message),) = seen
    assert found == logging.DEBUG and "{}['absent']" in message


def test_faults_of_the_program_and_of_a_loop_keep_their_traceback():
    with pytest.raises(ZeroDivisionError), user_errors('tool'):
        _ = 1 / 0
    with pytest.raises(SystemExit), user_errors('tool', ZeroDivisionError):
        _ = 1 / 0
    with pytest.raises(ValueError, match='in the loop'), user_errors('tool') as setup:
        setup.over = True
        raise ValueError('in the loop')
