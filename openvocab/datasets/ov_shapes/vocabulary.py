"""The vocabulary file of OV-Shapes and the byte-pair merges of its tiny VLMs."""

import gzip
import json
from collections import Counter
from itertools import pairwise
from typing import Any

from open_clip.tokenizer import bytes_to_unicode

from .world import COLOURS, NOVEL_THINGS, TEXTURES, UNSEEN_TEXTURES, thing_names

_STUFF_BGR: dict[str, tuple[int, int, int]] = {
    'sky': (235, 180, 120),
    'grass': (50, 140, 75),
    'sand': (140, 195, 220),
    'water': (165, 110, 45),
    'brick wall': (55, 75, 160),
    'wooden floor': (75, 125, 175),
    'snow': (240, 236, 232),
    'road': (88, 84, 82),
    'gravel': (145, 150, 155),
    'tiled floor': (150, 140, 95),
}


def vocabulary_record() -> dict[str, Any]:
    """The content of ``vocab/classes/ov_shapes.json``."""
    classes: list[dict[str, Any]] = []
    for position, name in enumerate(thing_names()):
        colour = name.split()[0]
        shade = 1 - 0.1 * (position % 6)
        classes.append(
            _entry(
                name,
                is_thing=True,
                split='novel' if name in NOVEL_THINGS else 'base',
                bgr=tuple(round(v * shade) for v in COLOURS[colour]),
            )
        )
    for name in TEXTURES:
        split = 'unseen' if name in UNSEEN_TEXTURES else 'seen'
        classes.append(_entry(name, is_thing=False, split=split, bgr=_STUFF_BGR[name]))
    for number, entry in enumerate(classes, start=1):
        entry['id'] = number
    return {
        'name': 'ov_shapes',
        'source': 'openvocab.datasets.ov_shapes',
        'classes': classes,
    }


def _entry(
    name: str, is_thing: bool, split: str, bgr: tuple[int, ...]
) -> dict[str, Any]:
    return {
        'id': 0,
        'name': name,
        'synonyms': [],
        'is_thing': is_thing,
        'split': split,
        'color': list(bgr[::-1]),
    }


def learn_merges(words: list[str]) -> list[tuple[str, str]]:
    """Byte-pair merges under which every given word becomes one token.

    Plain byte-pair encoding: merge the most frequent neighbour pair until none is left;
    ties go to the alphabetically first pair.
    """
    encoder = bytes_to_unicode()
    pieces = []
    for word in sorted(set(words)):
        symbols = [encoder[byte] for byte in word.encode()]
        symbols[-1] += '</w>'
        pieces.append(symbols)
    merges: list[tuple[str, str]] = []
    while True:
        pairs = Counter(pair for word in pieces for pair in pairwise(word))
        if not pairs:
            return merges
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        pieces = [_merge(word, best) for word in pieces]


def _merge(word: list[str], pair: tuple[str, str]) -> list[str]:
    merged: list[str] = []
    for symbol in word:
        if merged and (merged[-1], symbol) == pair:
            merged[-1] += symbol
        else:
            merged.append(symbol)
    return merged


def merges_file(merges: list[tuple[str, str]]) -> bytes:
    """The gzip file that ``open_clip.SimpleTokenizer(bpe_path=...)`` reads."""
    lines = ['#version: openvocab ov-shapes', *(' '.join(pair) for pair in merges)]
    return gzip.compress('\n'.join(lines).encode(), mtime=0)


def vocabulary_json() -> bytes:
    """:func:`vocabulary_record` as the bytes of the packaged file."""
    return (json.dumps(vocabulary_record(), indent=1) + '\n').encode()
