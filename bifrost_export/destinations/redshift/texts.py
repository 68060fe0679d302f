"""Texts as Redshift's VARCHAR takes them: none with the character NUL, none longer than 65,535 bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_export.destinations.redshift.shortening import MOST_BYTES, shorten
from bifrost_export.errors import DestinationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

    from bifrost_export.destinations.warehouse.tables import Table

NUL, IN_ITS_PLACE = "\x00", "\ufffd"
RECORD = frozenset({"request_id", "customer_id", "provider", "model", "endpoint", "method"})
"""The texts of the record: what rows are found, joined and billed by is not cut unasked."""
IDS = frozenset({"trace_id", "span_id", "parent_span_id"})


def methods_of(table: Table, on_long_text: str | None) -> dict[str, str]:
    """What happens to a long text of each column: `fail`, `cut` or `null`.

    Args:
        table: The table that the texts are for.
        on_long_text: Of the config; None: the record and ids fail, all else is cut.
    """
    texts = [each for each in table.from_files if each.type in ("string", "json")]
    return {each.name: on_long_text or ("fail" if each.name in RECORD | IDS else "cut") for each in texts}


def fit(file: Path, table: Table, methods: Mapping[str, str]) -> dict[str, int]:
    """Put U+FFFD in the place of NUL, and shorten texts that are too long, before the file is staged.

    Args:
        file: A Parquet file, which is written anew where a text has to change.
        table: The table that it is for.
        methods: Of each column of texts.

    Returns:
        How many texts were shortened or made null, by column.

    Raises:
        DestinationError: A text is too long and must not change; the message has its column and length.
    """
    import pyarrow.parquet as pq

    has_to_change = False
    with pq.ParquetFile(file) as parquet:
        for batch in parquet.iter_batches(columns=list(methods)):
            has_to_change = _look(batch) or has_to_change
    return _rewrite(file, table, methods) if has_to_change else {}


def _look(batch: pa.RecordBatch) -> bool:
    import pyarrow.compute as pc

    return any(
        (pc.max(pc.binary_length(column)).as_py() or 0) > MOST_BYTES or pc.any(pc.match_substring(column, NUL)).as_py()
        for column in batch.columns
    )


def _rewrite(file: Path, table: Table, methods: Mapping[str, str]) -> dict[str, int]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    whole = file.with_suffix(".fitting")
    required = {each.name for each in table.from_files if each.required}
    counts: dict[str, int] = {}
    with pq.ParquetFile(file) as parquet, pq.ParquetWriter(whole, parquet.schema_arrow, compression="snappy") as sink:
        for batch in parquet.iter_batches():
            columns = []
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                if name in methods:
                    column, changed = _fitted(name, column, methods[name], is_required=name in required)
                    counts[name] = counts.get(name, 0) + changed
                columns.append(column)
            sink.write_batch(pa.record_batch(columns, schema=batch.schema))
    whole.replace(file)
    return {name: count for name, count in counts.items() if count}


def _fitted(name: str, column: pa.Array, method: str, *, is_required: bool) -> tuple[pa.Array, int]:
    import pyarrow as pa
    import pyarrow.compute as pc

    column = pc.replace_substring(column, NUL, IN_ITS_PLACE)
    is_long = pc.fill_null(pc.greater(pc.binary_length(column), MOST_BYTES), False)
    count = pc.sum(is_long).as_py() or 0
    if not count:
        return column, 0
    if method == "fail" or (method == "null" and is_required):
        raise _too_long(name, pc.max(pc.binary_length(column)).as_py(), method)
    long = column.filter(is_long)
    short = [None if method == "null" else shorten(text) for text in long.to_pylist()]
    return pc.replace_with_mask(column, is_long, pa.array(short, column.type)), count


def _too_long(name: str, longest: int, method: str) -> DestinationError:
    why = " and the column takes no null" if method == "null" else ""
    return DestinationError(
        f"a text of the column {name} has {longest:,} bytes{why}",
        allowed=f"{MOST_BYTES:,} bytes, Redshift's longest VARCHAR",
        hint="Set destination.config.on_long_text to cut, leave the column out, or send it to a destination of files.",
    )
