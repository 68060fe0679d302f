"""What a user's function is given, and how what it gives back becomes batches of the wanted columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from bifrost_export.errors import TransformError


def to_pandas(batch: pa.RecordBatch) -> Any:
    """A DataFrame; optional whole numbers and truth values keep their nulls, in pandas' own nullable types.

    Raises:
        TransformError: pandas isn't installed.
    """
    try:
        import pandas as pd
    except ImportError:
        raise TransformError(
            "the engine pandas needs pandas, which isn't installed", hint="Install it, or use the engine arrow."
        ) from None
    nullable = {pa.int32(): pd.Int32Dtype(), pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    optional = {field.type for field in batch.schema if field.nullable}
    return batch.to_pandas(types_mapper={each: nullable[each] for each in nullable if each in optional}.get)


def from_pandas(path: str, returned: Any, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The batches of a DataFrame.

    Raises:
        TransformError: It is none, or not of the wanted columns.
    """
    import pandas as pd

    if not isinstance(returned, pd.DataFrame):
        raise TransformError(f"the function {path} gave {type(returned).__name__}", allowed="a pandas DataFrame")
    _check_names(path, [str(name) for name in returned.columns], schema)
    columns = [_converted(path, field, lambda field: pa.array(returned[field.name], field.type, from_pandas=True))
               for field in schema]  # fmt: skip
    yield from _batches(path, columns, schema)


def to_arrow(batch: pa.RecordBatch) -> pa.Table:
    """A Table."""
    return pa.Table.from_batches([batch])


def from_arrow(path: str, returned: Any, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The batches of a Table or RecordBatch.

    Raises:
        TransformError: It is none, or not of the wanted columns.
    """
    if isinstance(returned, pa.RecordBatch):
        returned = pa.Table.from_batches([returned])
    if not isinstance(returned, pa.Table):
        raise TransformError(f"the function {path} gave {type(returned).__name__}", allowed="a pyarrow Table")
    _check_names(path, returned.column_names, schema)
    columns = [_converted(path, field, lambda field: returned.column(field.name).cast(field.type)) for field in schema]
    yield from _batches(path, columns, schema)


Engine = tuple[Callable[[pa.RecordBatch], Any], Callable[[str, Any, pa.Schema], Iterator[pa.RecordBatch]]]
ENGINES: dict[str, Engine] = {"pandas": (to_pandas, from_pandas), "arrow": (to_arrow, from_arrow)}
"""What makes a function's rows of a batch, and batches of what it gives back."""


def _check_names(path: str, names: list[str], schema: pa.Schema) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    missing = [name for name in schema.names if name not in names]
    extra = [name for name in names if name not in schema.names]
    told = {"twice": twice, "not": missing, "besides": extra}
    if any(told.values()):
        said = "; ".join(f"{word} {', '.join(found)}" for word, found in told.items() if found)
        raise TransformError(
            f"the function {path} gave other columns than it should: {said}",
            allowed=", ".join(schema.names),
            hint='Say in "columns" of the transformation which are new (name: type) and which it takes away (null).',
        )


def _converted(path: str, field: pa.Field, convert: Callable[[pa.Field], Any]) -> Any:
    try:
        column = convert(field)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise TransformError(
            f"the function {path} gave a column {field.name!r} that is no {field.type} ({type(error).__name__})",
            hint='Give it that type, or say its type in "columns" of the transformation.',
        ) from None
    if column.null_count and not field.nullable:
        raise TransformError(
            f"the function {path} gave nulls in the column {field.name!r}, which is required",
            hint='Fill them, or say its type in "columns" of the transformation, which makes it optional.',
        )
    return column


def _batches(path: str, columns: list[Any], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    table = pa.Table.from_arrays(columns, schema=schema)
    _refuse_no_numbers(path, table)
    yield from (batch for batch in table.combine_chunks().to_batches() if batch.num_rows)


def _refuse_no_numbers(path: str, table: pa.Table) -> None:
    import pyarrow.compute as pc

    for field, column in zip(table.schema, table.columns, strict=True):
        if pa.types.is_floating(field.type) and not pc.all(pc.is_finite(column), min_count=0).as_py():
            raise TransformError(
                f"the function {path} gave NaN or an infinity in the column {field.name!r}",
                hint="Give null where there is no number.",
            )
