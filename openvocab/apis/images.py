"""Images as users name them: files, folders, arrays."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from openvocab.datasets.unlabeled_image import IMAGE_SUFFIXES

Image = str | Path | np.ndarray
Images = Image | Sequence[Image]


def find_images(inputs: Images) -> list[Path | np.ndarray]:
    """Lists images.

    Args:
        inputs: One or several: a file; a folder, which stands for the images directly
            in it, in the order of their names; or an array, see :func:`read_image`.

    Raises:
        FileNotFoundError: There is no such file, or the folder holds no image.
    """
    single = isinstance(inputs, (str, Path, np.ndarray))
    found: list[Path | np.ndarray] = []
    for item in [inputs] if single else inputs:
        if isinstance(item, np.ndarray):
            found.append(item)
        elif Path(item).is_dir():
            found += _images_in(Path(item))
        elif Path(item).is_file():
            found.append(Path(item))
        else:
            raise FileNotFoundError(f'image not found: {item}')
    return found


def read_image(item: Path | np.ndarray) -> np.ndarray:
    """Reads an image, turned the way that its EXIF data say.

    Args:
        item: A file, or an (H, W, 3) uint8 BGR array, which is returned as it is.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        ValueError: The file is no image that OpenCV can read, or the array has another
            shape or type.
    """
    if isinstance(item, np.ndarray):
        if (
            item.dtype != np.uint8
            or item.ndim != 3
            or item.shape[2] != 3
            or 0 in item.shape
        ):
            raise ValueError(
                'an image given as an array is (H, W, 3) uint8 BGR, got '
                f'{item.shape} {item.dtype}'
            )
        return item
    content = np.frombuffer(Path(item).read_bytes(), dtype=np.uint8)
    try:
        image = cv2.imdecode(content, cv2.IMREAD_COLOR)
    except cv2.error:  # an empty file, or more pixels than OpenCV takes
        image = None
    if image is None:
        raise ValueError(f'not an image, or a broken one: {item}')
    return image


def _images_in(folder: Path) -> list[Path]:
    files = [path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES]
    if not files:
        raise FileNotFoundError(f'no images ({", ".join(IMAGE_SUFFIXES)}) in {folder}')
    return sorted(files)
