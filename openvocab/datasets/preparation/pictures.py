"""Photographs of data sets: decoding, and whether a file is whole."""

from pathlib import Path

import numpy as np
from PIL import Image

# A decoder that applies the orientation swaps height and width for these.
_TURNED = (5, 6, 7, 8)
_ORIENTATION = 0x0112
# What a file begins with, and what closes it: nothing before can contain that.
_END_MARKS = {b'\xff\xd8': b'\xff\xd9', b'\x89PNG': b'IEND'}
_TAIL = 4096


def read_colour_codes(path: Path) -> np.ndarray:
    """Decodes a png whose three channels are numbers, (H, W, 3) uint8.

    Raises:
        FileNotFoundError: The file is missing.
        ValueError: It is no png of three channels of 8 bits, or cut off.
    """
    with _opened(path) as picture:
        if picture.format != 'PNG' or picture.mode not in ('RGB', 'RGBA'):
            raise ValueError(
                f'{path}: a png of three channels is expected, this is a '
                f'{picture.format} of {picture.mode}'
            )
    require_whole(path)
    return read_rgb(path)


def read_rgb(path: Path) -> np.ndarray:
    """Decodes an image, (H, W, 3) uint8; its orientation tag is not applied.

    Raises:
        FileNotFoundError: The file is missing.
        ValueError: It is no readable image.
    """
    with _opened(path) as picture:
        try:
            return np.asarray(picture.convert('RGB'))
        except Exception as error:
            raise _unreadable(path, error) from None


def picture_size(path: Path) -> tuple[int, int]:
    """Height and width as image loaders see them, without decoding the pixels.

    Raises:
        FileNotFoundError: The file is missing.
        ValueError: It is no image, or ends too early.
    """
    with _opened(path) as picture:
        try:
            width, height = picture.size
            turned = picture.getexif().get(_ORIENTATION) in _TURNED
        except Exception as error:
            raise _unreadable(path, error) from None
    require_whole(path)
    return (width, height) if turned else (height, width)


def require_whole(path: Path) -> None:
    """Looks for the end of a jpg or png.

    Decoders may accept a file that lacks it, and invent the missing pixels.

    Raises:
        FileNotFoundError: The file is missing.
        ValueError: The file ends too early.
    """
    with path.open('rb') as file:
        start = file.read(4)
        end = file.seek(0, 2)
        file.seek(max(0, end - _TAIL))
        tail = file.read()
    for signature, mark in _END_MARKS.items():
        if start.startswith(signature) and mark not in tail:
            raise ValueError(f'{path}: the image is cut off')


def _opened(path: Path) -> Image.Image:
    try:
        return Image.open(path)
    except FileNotFoundError:
        raise FileNotFoundError(f'{path}: image not found') from None
    except Exception as error:  # Pillow's readers let many kinds through
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> ValueError:
    return ValueError(f'{path}: not a readable image ({type(error).__name__})')
