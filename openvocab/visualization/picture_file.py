"""Writing pictures: whole or not at all, and never silently not."""

from pathlib import Path

import cv2
import numpy as np

from openvocab.fileio import write_atomically


def check_picture_suffix(path: str | Path) -> None:
    """Says whether OpenCV writes a file of that suffix.

    Raises:
        ValueError: It does not.
    """
    path = Path(path)
    if not path.suffix or not cv2.haveImageWriter(path.name):
        raise ValueError(
            f'{path}: no picture is written to it, name a .png or .jpg file'
        )


def write_picture(path: str | Path, image: np.ndarray) -> None:
    """Writes a picture.

    Args:
        path: The file; its suffix says the format, its folder is made.
        image: (H, W, 3) uint8 BGR, or what else the format has.

    Raises:
        OSError: It cannot be written.
        ValueError: OpenCV has no such format, or not for this image.
    """
    check_picture_suffix(path)
    done, content = cv2.imencode(Path(path).suffix, image)
    if not done:
        raise ValueError(f'{path}: OpenCV does not write this picture')
    write_atomically(path, content.tobytes())
