"""What PostgreSQL selects beside the record: columns of `logs` under their own name, and contents."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from bifrost_export.errors import LogStoreError
from bifrost_export.logstore.contents import content_sources
from bifrost_export.logstore.extra_columns import extra_fields
from bifrost_export.logstore.postgres.numeric import NUMBER_TYPES, is_whole, real, whole
from bifrost_export.logstore.postgres.table import TIMES, Table, identifier
from bifrost_export.logstore.rows import CONTENT, ODD, PREFIX, SHOWN


class ExtraSelection:
    """The SQL of extra columns.

    Args:
        schema: What is wanted; the record's own columns are selected elsewhere.
        table: The table; what it lacks is null.
        is_unread: Tells whether the time in a column is none that can be exported.

    Raises:
        LogStoreError: A column of the table is of a type that can't hold what is wanted.
    """

    def __init__(self, schema: pa.Schema, table: Table, is_unread: Callable[[str], str]) -> None:
        self.fields, self.table, self.is_unread = extra_fields(schema), table, is_unread
        self.contents = content_sources(schema)
        for field in self.fields:
            self._check(field)

    def columns(self) -> dict[str, str]:
        """Expressions by name."""
        found = {PREFIX + field.name: self._value(field) for field in self.fields}
        found = {**found, ODD: self._odd()} if found else {}
        found |= {CONTENT + name: self._content(name) for name in self.contents}
        shown = {SHOWN: f"CASE WHEN {self._shown()} THEN 1::int8 ELSE 0::int8 END"}
        return {**found, **(shown if self.contents else {})}

    def texts(self) -> list[str]:
        """The columns of `logs` that are wanted and can be long."""
        return [*(field.name for field in self.fields if pa.types.is_string(field.type)), *self.contents]

    def _content(self, name: str) -> str:
        if name not in self.table.columns:
            return "NULL::text"
        return f"CASE WHEN {self._shown()} THEN {identifier(name)}::text END"

    def _shown(self) -> str:
        """Any value but false hides."""
        hides = "content_hidden::text IS NOT NULL AND content_hidden::text <> 'false'"
        return f"NOT ({hides})" if "content_hidden" in self.table.columns else "true"

    def _value(self, field: pa.Field) -> str:
        given, type_ = identifier(field.name), self.table.columns.get(field.name)
        if pa.types.is_integer(field.type):
            return whole(given, type_) if type_ else "NULL::int8"
        if pa.types.is_floating(field.type):
            return real(given, type_) if type_ else "NULL::float8"
        if pa.types.is_boolean(field.type):
            return f"{given}::bool" if type_ else "NULL::bool"
        if pa.types.is_timestamp(field.type):
            told = f"CASE WHEN NOT {self.is_unread(field.name)} THEN {given}::timestamptz END"
            return told if type_ else "NULL::timestamptz"
        return f"{given}::text" if type_ else "NULL::text"

    def _odd(self) -> str:
        tests = {field.name: test for field in self.fields if (test := self._test(field))}
        if not tests:
            return "NULL::text"
        told = [f"CASE WHEN {test} THEN '{name}:{self._kind(name)}:,' ELSE '' END" for name, test in tests.items()]
        return f"nullif({' || '.join(told)}, '')"

    def _test(self, field: pa.Field) -> str | None:
        """Whether a value can't be told as what is wanted; None where none of its type can't."""
        type_ = self.table.columns.get(field.name)
        if type_ is None:
            return None
        given = identifier(field.name)
        if pa.types.is_timestamp(field.type):
            return f"{given} IS NOT NULL AND {self.is_unread(field.name)}"
        usual = is_whole(given, type_) if pa.types.is_integer(field.type) else None
        return None if usual is None else f"{given} IS NOT NULL AND NOT ({usual})"

    def _kind(self, name: str) -> str:
        return "real" if self.table.columns[name] in NUMBER_TYPES else self.table.columns[name]

    def _check(self, field: pa.Field) -> None:
        type_ = self.table.columns.get(field.name)
        allowed = _types_for(field.type)
        if type_ is not None and allowed and type_ not in allowed:
            raise LogStoreError(
                f"the column {field.name} of {self.table.name} is of type {type_}",
                allowed=", ".join(allowed),
                hint="Take it out of data.extra_fields.",
            )


def _types_for(type_: pa.DataType) -> tuple[str, ...]:
    if pa.types.is_integer(type_) or pa.types.is_floating(type_):
        return NUMBER_TYPES
    if pa.types.is_boolean(type_):
        return ("bool",)
    return TIMES if pa.types.is_timestamp(type_) else ()
