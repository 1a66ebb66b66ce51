"""Vocabularies (which words) and prompt sets (how a word becomes a sentence)."""

from .class_entry import ClassEntry, UnknownClassError, VocabularyError
from .prompts import PromptSet, get_prompts
from .vocabulary import Vocabulary, list_vocabularies

__all__ = [
    'ClassEntry',
    'PromptSet',
    'UnknownClassError',
    'Vocabulary',
    'VocabularyError',
    'get_prompts',
    'list_vocabularies',
]
