"""What SQLite selects beside the record: columns of `logs` under their own name, and contents."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pyarrow as pa

from bifrost_export.logstore.contents import content_sources
from bifrost_export.logstore.extra_columns import extra_fields
from bifrost_export.logstore.rows import CONTENT, ODD, PREFIX, SHOWN
from bifrost_export.logstore.sqlite.intervals import is_plain

_ZERO = "0"
_TEXT = "''"
_LARGEST = 1e300


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

    def numbers_can_be_exported(self) -> Iterator[str]:
        """Conditions under which no extra number or time of a row makes it be rejected; none of them is ever null."""
        for field in self.fields:
            given = self._given(field)
            test = is_plain(given) if pa.types.is_timestamp(field.type) else _usual(field.type)
            if test is not None and field.name in self.columns:
                finite = f" AND {given} BETWEEN -{_LARGEST} AND {_LARGEST}" if pa.types.is_floating(field.type) else ""
                yield f"({given} IS NULL OR ({test.format(given)}{finite}))"

    def _value(self, field: pa.Field) -> str:
        name, usual = self._given(field), _usual(field.type)
        if field.name not in self.columns:
            return "NULL"
        if usual is None:
            return f"CAST({name} AS TEXT)"
        value = f"CAST({name} AS REAL)" if pa.types.is_floating(field.type) else name
        return f"CASE WHEN {usual.format(name)} THEN {value} END"

    def _content(self, name: str) -> str:
        if name not in self.columns:
            return "NULL"
        return f'CASE WHEN {self._shown()} THEN CAST("{name}" AS TEXT) END'

    def _shown(self) -> str:
        """Any value but false hides."""
        return "coalesce(content_hidden, 0) IS 0" if "content_hidden" in self.columns else "1"

    def _odd(self) -> str:
        tests = {
            field.name: f"{self._given(field)} IS NULL OR {usual.format(self._given(field))}"
            for field in self.fields
            if field.name in self.columns and (usual := _usual(field.type))
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


def _usual(type_: pa.DataType) -> str | None:
    """Whether a value is one of a type, as a template of SQL; None where any value can be told as text."""
    if pa.types.is_integer(type_):
        return "typeof({0}) = 'integer'"
    if pa.types.is_floating(type_):
        return "typeof({0}) IN ('integer', 'real')"
    if pa.types.is_boolean(type_):
        return "(typeof({0}) = 'integer' AND {0} IN (0, 1))"
    return "typeof({0}) = 'text'" if pa.types.is_timestamp(type_) else None
