"""`enrich`: add columns that are the same in every row: constants, or references that the run fills in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, cast

from pydantic import AfterValidator, Field, field_validator

from bifrost_export.columns import Column, ColumnType, arrow_schema
from bifrost_export.errors import ConfigError
from bifrost_export.transforms.port import Columns, Setting, Transform, TransformConfig

if TYPE_CHECKING:
    import pyarrow as pa

NAME_PATTERN = r"[A-Za-z_][A-Za-z0-9_]{0,62}"
"""Of the names of new columns, which every format and warehouse takes."""

_NAME = re.compile(NAME_PATTERN)
_TYPES: dict[type, ColumnType] = {str: "string", bool: "bool", int: "int64", float: "double"}
_MOST = 2**63 - 1
RESERVED = ("_export_name", "_window_start", "_window_end", "_loaded_at")
"""Columns that a warehouse's table gets beside the rows' own."""


def check_column_name(name: str) -> str:
    """Refuse what can't name a new column everywhere.

    Raises:
        ConfigError: It can't.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} is no name of a column", allowed="1 to 63 letters, digits and '_', the first one no digit"
        )
    if name.lower() in RESERVED:
        raise ConfigError(f"the column {name!r} is added to the rows in a warehouse", hint="Take another name.")
    return name


ColumnName = Annotated[str, AfterValidator(check_column_name)]


class EnrichConfig(TransformConfig):
    """Add columns that are the same in every row."""

    add_fields: dict[ColumnName, bool | int | float | str] = Field(
        min_length=1,
        description="Name -> constant or reference; text, whole number, number or boolean by the JSON value.",
        examples=[{"export_timestamp": "${EXPORT_TIMESTAMP}", "environment": "production", "shard": 3}],
    )
    overwrite: bool = Field(default=False, description="true: a column of that name is replaced.")

    @field_validator("add_fields")
    @classmethod
    def _numbers_fit(cls, value: dict[str, bool | int | float | str]) -> dict[str, bool | int | float | str]:
        for name, each in value.items():
            if isinstance(each, int) and not -_MOST - 1 <= each <= _MOST:
                raise ConfigError(f"{name} is beyond a whole number of 64 bits", hint="Write it as text.")
        return value


class Enrich(Transform):
    """Adds columns, in the order written; one that is replaced keeps its place."""

    Config: ClassVar[type[TransformConfig]] = EnrichConfig
    keeps_rows: ClassVar[bool] = True
    config: EnrichConfig

    def columns(self, given: Columns) -> Columns:
        """The columns with the new ones behind them.

        Raises:
            ConfigError: One is there already, and `overwrite` is not set.
        """
        new = {
            name: Column(name, _TYPES[type(value)], True, "The same in every row.")
            for name, value in self.config.add_fields.items()
        }
        folded = {column.name.lower(): column.name for column in given}
        for name in new:
            found = folded.get(name.lower())
            if found is not None and not (found == name and self.config.overwrite):
                hint = 'Take another name, or set "overwrite": true.' if found == name else "Take another name."
                raise ConfigError(f"the column {found!r} is there already", hint=hint)
        names = {column.name for column in given}
        kept = tuple(new.get(column.name, column) for column in given)
        return kept + tuple(column for name, column in new.items() if name not in names)

    def changed(self, given: Columns) -> frozenset[str]:
        """What is replaced."""
        return frozenset(self.config.add_fields) & {column.name for column in given}

    def describe(self) -> str:
        """Which columns are added."""
        return f"add {', '.join(self.config.add_fields)}"

    def apply(self, batches: Iterator[pa.RecordBatch], given: Columns, setting: Setting) -> Iterator[pa.RecordBatch]:
        """Add the columns."""
        import pyarrow as pa

        schema = arrow_schema(self.columns(given))
        scalars = {name: pa.scalar(value, schema.field(name).type) for name, value in self.config.add_fields.items()}
        for batch in batches:
            columns = [
                pa.repeat(scalars[name], batch.num_rows) if name in scalars else batch.column(name)
                for name in schema.names
            ]
            yield cast("pa.RecordBatch", pa.RecordBatch.from_arrays(columns, schema=schema))
