"""What SQLite selects beside the record: columns of `logs` under their own name, and contents."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa

from bifrost_export.logstore.contents import content_sources
from bifrost_export.logstore.extra_columns import extra_fields
from bifrost_export.logstore.rows import CONTENT, ODD, PREFIX, SHOWN
from bifrost_export.logstore.sqlite.numbers import number, usual

_ZERO = "0"
_TEXT = "''"


class ExtraSelection:
    """The SQL of extra columns.

    Args:
        schema: What is wanted; the record's own columns are selected elsewhere.
        columns: The columns that `logs` has here; what it lacks is null.
    """

    def __init__(self, schema: pa.Schema, columns: Collection[str]) -> None:
        self.fields, self.columns = extra_fields(schema), columns
        self.contents = content_sources(schema)

    def typed(self) -> str:
        """The typed values that stand in front of all rows."""
        names = "".join(f", {_example(field.type)} AS {PREFIX}{field.name}" for field in self.fields)
        names += "".join(f", {_TEXT} AS {CONTENT}{name}" for name in self.contents)
        names += f", {_ZERO} AS {SHOWN}" if self.contents else ""
        return names + (f", {_TEXT} AS {ODD}" if self.fields else "")

    def selection(self) -> str:
        """The values of a row."""
        values = "".join(f", {self._value(field)}" for field in self.fields)
        values += "".join(f", {self._content(name)}" for name in self.contents)
        values += f", CASE WHEN {self._shown()} THEN 1 ELSE 0 END" if self.contents else ""
        return values + (f", {self._odd()}" if self.fields else "")

    def texts(self) -> list[str]:
        """The extra columns that are texts."""
        return [field.name for field in self.fields if pa.types.is_string(field.type)]

    def _value(self, field: pa.Field) -> str:
        name = self._given(field)
        test = _usual(field.type, name)
        if field.name not in self.columns:
            return "NULL"
        if test is None:
            return f"CAST({name} AS TEXT)"
        if pa.types.is_floating(field.type) or pa.types.is_integer(field.type):
            return number(name, is_real=pa.types.is_floating(field.type))
        return f"CASE WHEN {test} THEN {name} END"

    def _content(self, name: str) -> str:
        if name not in self.columns:
            return "NULL"
        return f'CASE WHEN {self._shown()} THEN CAST("{name}" AS TEXT) END'

    def _shown(self) -> str:
        """Any value but false hides."""
        return "coalesce(content_hidden, 0) IS 0" if "content_hidden" in self.columns else "1"

    def _odd(self) -> str:
        tests = {
            field.name: f"{self._given(field)} IS NULL OR {test}"
            for field in self.fields
            if field.name in self.columns and (test := _usual(field.type, self._given(field)))
        }
        if not tests:
            return "NULL"
        told = " || ".join(
            f"CASE WHEN {test} THEN '' ELSE '{name}:' || typeof(\"{name}\") || ':'"
            f" || coalesce(length(CAST(\"{name}\" AS BLOB)), 0) || ',' END"
            for name, test in tests.items()
        )
        return f"CASE WHEN {' AND '.join(f'({test})' for test in tests.values())} THEN NULL ELSE {told} END"

    @staticmethod
    def _given(field: pa.Field) -> str:
        return f'"{field.name}"'


def _example(type_: pa.DataType) -> str:
    if pa.types.is_floating(type_):
        return "0.0"
    return _ZERO if pa.types.is_integer(type_) or pa.types.is_boolean(type_) else _TEXT


def _usual(type_: pa.DataType, value: str) -> str | None:
    """Whether a value is one of a type, as SQL; None where any value can be given as text."""
    if pa.types.is_integer(type_) or pa.types.is_floating(type_):
        return usual(value, is_real=pa.types.is_floating(type_))
    if pa.types.is_boolean(type_):
        return f"(typeof({value}) = 'integer' AND {value} IN (0, 1))"
    return f"typeof({value}) = 'text'" if pa.types.is_timestamp(type_) else None
