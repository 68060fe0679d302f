"""SQL with the values that are bound to it, before a driver's own way of writing them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt

_PLACE = re.compile(r"(?<![:\w]):([a-z][a-z0-9_]*)")


@dataclass(frozen=True)
class Value:
    """A value to bind.

    Args:
        type: As a column's: `timestamp`, `string`, `int64`, `double`.
        value: An aware datetime, a text, a number, or None.
    """

    type: str
    value: Any


def text(value: str | None) -> Value:
    """A text to bind."""
    return Value("string", value)


def instant(value: dt.datetime | None) -> Value:
    """An instant to bind."""
    return Value("timestamp", value)


def whole(value: int | None) -> Value:
    """A whole number to bind."""
    return Value("int64", value)


def real(value: float | None) -> Value:
    """A floating-point number to bind."""
    return Value("double", value)


@dataclass(frozen=True)
class Statement:
    """One statement.

    Args:
        sql: With `:name` where a value stands.
        values: By name.
    """

    sql: str
    values: Mapping[str, Value] = field(default_factory=dict)

    def render(self, place: Callable[[str, Value], str]) -> str:
        """The SQL as a driver wants it.

        Args:
            place: What to write for a value; called in the order of the places.
        """
        if not self.values:
            return self.sql
        return _PLACE.sub(lambda match: place(match[1], self.values[match[1]]), self.sql)


@dataclass(frozen=True)
class Do:
    """A step of a transaction that changes something.

    Args:
        statement: The statement.
        locks: The table that it waits for until others let go of it, but for no longer than a run waits; or none.
    """

    statement: Statement
    locks: str | None = None


@dataclass(frozen=True)
class Check:
    """A step of a transaction that ends it when a condition does not hold.

    Args:
        condition: A boolean expression.
        code: Names the check, in one word.
    """

    condition: Statement
    code: str


class CheckFailedError(Exception):
    """A check inside the transaction did not hold; the transaction was rolled back.

    Args:
        code: Of the check.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
