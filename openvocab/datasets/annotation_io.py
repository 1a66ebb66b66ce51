"""Reading of annotation files with errors that name the file."""

import json
from pathlib import Path
from typing import Any


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
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f'{path} is not valid json: {error}') from None


def require_key(content: Any, key: str, path: str | Path) -> Any:
    """Takes one top-level entry of a decoded json file.

    Raises:
        ValueError: ``content`` is no mapping or lacks the key.
    """
    if not isinstance(content, dict) or key not in content:
        raise ValueError(f"{path} has no '{key}' entry; a COCO-style json is expected")
    return content[key]


def require_folder(path: str | Path, role: str) -> Path:
    """Returns the folder as a path.

    Raises:
        FileNotFoundError: It is not a folder.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise FileNotFoundError(f'{role} folder not found: {folder}')
    return folder
