"""What SQLite selects for columns of `logs` that are exported under their own name."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pyarrow as pa

from bifrost_export.logstore.rows import ODD, PREFIX

_ZERO = "0"
_TEXT = "''"


class ExtraSelection:
    """The SQL of extra columns.

    Args:
        fields: What is wanted, by Arrow's type.
        columns: The columns that `logs` has here; what it lacks is null.
    """

    def __init__(self, fields: Sequence[pa.Field], columns: Collection[str]) -> None:
        self.fields, self.columns = fields, columns

    def typed(self) -> str:
        """The typed values that stand in front of all rows."""
        names = "".join(f", {_example(field.type)} AS {PREFIX}{field.name}" for field in self.fields)
        return names + (f", {_TEXT} AS {ODD}" if self.fields else "")

    def selection(self) -> str:
        """The values of a row."""
        values = "".join(f", {self._value(field)}" for field in self.fields)
        return values + (f", {self._odd()}" if self.fields else "")

    def _value(self, field: pa.Field) -> str:
        name, usual = self._given(field), _usual(field.type)
        if field.name not in self.columns:
            return "NULL"
        if usual is None:
            return f"CAST({name} AS TEXT)"
        value = f"CAST({name} AS REAL)" if pa.types.is_floating(field.type) else name
        return f"CASE WHEN {usual.format(name)} THEN {value} END"

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
