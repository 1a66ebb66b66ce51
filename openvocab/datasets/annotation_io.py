"""Reading of annotation files with errors that name the file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# JPEG's limit per side, and more pixels than any image of a data set has
_LARGEST_SIDE = 65_535
_MOST_PIXELS = 2**28


def read_json(path: str | Path) -> Any:
    """Reads a json file.

    Args:
        path: The file.

    Returns:
        The decoded content.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is not valid json.
    """
    try:
        return json.loads(Path(path).read_bytes())
    except FileNotFoundError:
        raise FileNotFoundError(f'annotation file not found: {path}') from None
    except RecursionError:
        raise ValueError(f'{path} is not valid json: nested too deeply') from None
    except ValueError as error:  # no json, no utf-8, or a number of absurd length
        raise ValueError(f'{path} is not valid json: {error}') from None


def require_key(content: Any, key: str, path: str | Path) -> Any:
    """Takes one top-level entry of a decoded json file.

    Raises:
        ValueError: ``content`` is no mapping or lacks the key.
    """
    if not isinstance(content, dict) or key not in content:
        raise ValueError(f"{path} has no '{key}' entry; a COCO-style json is expected")
    return content[key]


def require_list(content: Any, key: str, path: str | Path) -> list[Any]:
    """Takes one top-level entry of a decoded json file that must be a list.

    Raises:
        ValueError: ``content`` is no mapping, lacks the key, or it is no list.
    """
    entries = require_key(content, key, path)
    if not isinstance(entries, list):
        raise ValueError(f"{path}: '{key}' is not a list")
    return entries


def require_size(
    entry: Mapping[str, Any], name: Any, path: str | Path
) -> tuple[int, int]:
    """Takes height and width of an image entry.

    Args:
        entry: The entry.
        name: What the message calls it.
        path: The file.

    Raises:
        ValueError: They are missing, or no image has such a size.
    """
    size = entry.get('height'), entry.get('width')
    if not all(
        isinstance(side, int) and 0 < side <= _LARGEST_SIDE for side in size
    ) or (size[0] * size[1] > _MOST_PIXELS):
        raise ValueError(
            f'{path}: image {name} has the height and width {size[0]!r}, {size[1]!r}'
        )
    return size


def require_folder(path: str | Path, role: str) -> Path:
    """Returns the folder as a path.

    Raises:
        FileNotFoundError: It is not a folder.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise FileNotFoundError(f'{role} folder not found: {folder}')
    return folder
