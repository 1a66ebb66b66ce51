"""Reading class lists: packaged json files, json files of the user."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from .class_entry import ClassEntry, VocabularyError, clean_phrase

_PACKAGED = Path(__file__).parent / 'classes'
_FIELDS = ('name', 'source', 'classes', 'of', 'prompts')


def list_vocabularies() -> tuple[str, ...]:
    """Names of the vocabularies that ship with the package, sorted."""
    return tuple(sorted(path.stem for path in _PACKAGED.glob('*.json')))


def packaged_file(name: str) -> Path:
    """Path of a packaged vocabulary.

    Raises:
        VocabularyError: No such vocabulary; the message lists those that exist.
    """
    if name not in list_vocabularies():
        raise VocabularyError(
            f'unknown vocabulary {name!r}; packaged ones are '
            f'{", ".join(list_vocabularies())} (a path must end in .json)'
        )
    return _PACKAGED / f'{name}.json'


def read_class_file(path: str | Path) -> dict[str, Any]:
    """Reads a class file and checks its outer structure.

    The file holds ``classes`` (list), or ``of`` (name of a packaged vocabulary) and
    ``prompts`` (the prompt of each of its classes that gets another one).

    Returns:
        dict: ``name`` (str, the file's stem if absent) and ``classes`` (list).

    Raises:
        FileNotFoundError: The file does not exist.
        VocabularyError: Not json (names file and line) or not a class file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'vocabulary file {str(path)!r} does not exist')
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except json.JSONDecodeError as error:
        raise VocabularyError(
            f'{path}, line {error.lineno}: not valid json ({error.msg})'
        ) from None
    except UnicodeDecodeError:
        raise VocabularyError(f'{path}: not a text file in utf-8') from None
    if isinstance(content, dict) and 'of' in content:
        content['classes'] = _reworded(path, content)
    if not isinstance(content, dict) or not isinstance(content.get('classes'), list):
        raise VocabularyError(f'{path}: expected an object with a list `classes`')
    unknown = [key for key in content if key not in _FIELDS]
    if unknown:
        raise VocabularyError(
            f'{path}: unknown key {unknown[0]!r}; the keys are {", ".join(_FIELDS)}'
        )
    name = content.get('name', path.stem)
    if not isinstance(name, str) or not name:
        raise VocabularyError(f'{path}: `name` must be a non-empty string')
    return dict(name=name, classes=content['classes'])


def _reworded(path: Path, content: dict[str, Any]) -> list[ClassEntry]:
    """Classes of another vocabulary, some of them with another prompt."""
    prompts = content.get('prompts')
    if not isinstance(prompts, dict) or 'classes' in content:
        raise VocabularyError(
            f'{path}: beside `of` stands an object `prompts`, and no `classes`'
        )
    items = read_class_file(packaged_file(content['of']))['classes']
    entries = [ClassEntry.parse(item, i) for i, item in enumerate(items)]
    unknown = prompts.keys() - {entry.name for entry in entries}
    if unknown:
        raise VocabularyError(
            f'{path}: {min(unknown)!r} is no class of {content["of"]!r}'
        )
    return [
        _with_prompt(entry, prompts[entry.name]) if entry.name in prompts else entry
        for entry in entries
    ]


def _with_prompt(entry: ClassEntry, prompt: str) -> ClassEntry:
    others = [s for s in entry.synonyms if clean_phrase(s) != clean_phrase(prompt)]
    return replace(entry, synonyms=(prompt, *others))
