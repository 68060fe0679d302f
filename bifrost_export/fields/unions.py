"""Which member of a union of models an object means, when each has a word of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

_LONGEST_WORD = 40


def member_for(models: Sequence[type[BaseModel]], value: Any) -> type[BaseModel]:
    """The member that is meant: the one of the word, else of the nearest word, else the one that knows most keys.

    Args:
        models: The members, at least one. Each has a field that holds one of its own words.
        value: JSON, or an instance of a member.
    """
    if isinstance(value, BaseModel):
        return type(value)
    if len(models) == 1 or not isinstance(value, Mapping):
        return models[0]
    words = {word: (key, model) for model in models for key, word in _words(model)}
    keys = {key for key, _ in words.values()}
    for word in (each for key, each in value.items() if key in keys and isinstance(each, str)):
        if word in words:
            return words[word][1]
        near = get_close_matches(word.lower(), words, n=1) if len(word) <= _LONGEST_WORD else []
        if near:
            return words[near[0]][1]
    return max(models, key=lambda model: len(set(model.model_fields) & set(value)))


def _words(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """The fields that hold one word alone, with that word."""
    for name, info in model.model_fields.items():
        if get_origin(info.annotation) is Literal and info.is_required() and len(get_args(info.annotation)) == 1:
            yield name, str(get_args(info.annotation)[0])
