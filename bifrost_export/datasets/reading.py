"""The one reading of the log store that serves all datasets of an export, and how it is divided among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_export.columns import Column
from bifrost_export.datasets import asked_columns, named, staged_columns
from bifrost_export.datasets.request_logs import COST, INPUT_TOKENS, OUTPUT_TOKENS, RECORD, REQUEST_ID, TIMESTAMP
from bifrost_export.filters.rules import asked

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.datasets.dataset import Options

_ALWAYS = (TIMESTAMP, REQUEST_ID, INPUT_TOKENS, OUTPUT_TOKENS, COST)
"""What the order of the rows and the books need."""


def columns_read(data: Options) -> tuple[Column, ...]:
    """The union of the columns that the datasets and filters of an export need: the record's first, in its order."""
    wanted = {column.name: column for column in _ALWAYS}
    for name in data.include:
        for column in _wanted(name, data):
            wanted.setdefault(column.name, column)
    filtered = {rule.column for rule, _ in asked(data.filters)}
    record = [column for column in RECORD if column.name in wanted or column.name in filtered]
    known = {column.name for column in RECORD}
    return (*record, *(column for name, column in wanted.items() if name not in known))


def _wanted(name: str, data: Options) -> tuple[Column, ...]:
    dataset = named(name)
    own = staged_columns(name, data) if dataset.make is None else asked_columns(dataset, data)
    return (*own, *dataset.reads)


def is_divided(data: Options) -> bool:
    """Whether the rows that are read are not simply those of the one dataset."""
    return (
        len(data.include) > 1
        or staged_columns(data.include[0], data) != columns_read(data)
        or _chooses(data.include[0])
    )


def _chooses(name: str) -> bool:
    return named(name).takes is not None or named(name).make is not None


def rows_of(
    name: str, batch: pa.RecordBatch, schema: pa.Schema, data: Options
) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """The rows of a dataset out of a batch of the reading.

    Args:
        name: The dataset.
        batch: Rows of `columns_read` that the filters keep.
        schema: The dataset's.
        data: What the export asks for.

    Returns:
        The rows of the batch that it takes, and what it makes of them.
    """
    dataset = named(name)
    taken = batch if dataset.takes is None else batch.filter(dataset.takes(batch))
    return taken, (dataset.make or _selected)(taken, schema, data)


def _selected(batch: pa.RecordBatch, schema: pa.Schema, data: Options) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_arrays([batch.column(name) for name in schema.names], schema=schema)
