"""Which keys of an export take a word in place of an object, and which keys then stand beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

SCHEDULE_KEYS = (
    "time", "day", "minute", "expression", "timezone", "settle", "start_date", "catchup", "missed_windows",
)  # fmt: skip
"""Keys of a schedule, which stand beside it when it is written as a word."""


@dataclass(frozen=True)
class Word:
    """A key that takes a word or an object.

    Args:
        name: The key.
        kind: The object's key that the word stands for.
        keys: The object's other keys, which stand beside a word.
        example: A word, for messages.
    """

    name: str
    kind: str
    keys: tuple[str, ...]
    example: str


WORDS = (
    Word("schedule", "frequency", SCHEDULE_KEYS, "daily"),
    Word("destination", "type", ("config",), "s3"),
)
"""The keys of an export that take a word."""

BESIDE = {key: word.name for word in WORDS for key in word.keys}
"""Keys that stand beside a word -> the key that holds the word."""


def keys_beside(holders: Iterable[str]) -> list[str]:
    """Keys that stand beside the words of an object with these keys."""
    return [key for key, holder in BESIDE.items() if holder in holders]
