"""Texts as Redshift's VARCHAR takes them: none with the character NUL, none longer than 65,535 bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_export.errors import DestinationError

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from bifrost_export.destinations.warehouse.tables import Table

MOST_BYTES = 65_535
NUL, IN_ITS_PLACE = "\x00", "\ufffd"


def mend(file: Path, table: Table) -> None:
    """Put U+FFFD in the place of NUL, and refuse a text that is too long, before the file is staged.

    Args:
        file: A Parquet file, which is written anew where a text holds a NUL.
        table: The table that it is for.

    Raises:
        DestinationError: A text is too long; the message tells its column and length.
    """
    import pyarrow.parquet as pq

    texts = [each.name for each in table.from_files if each.type in ("string", "json")]
    has_nul = False
    with pq.ParquetFile(file) as parquet:
        for batch in parquet.iter_batches(columns=texts):
            has_nul = _look(batch) or has_nul
    if has_nul:
        _rewrite(file, texts)


def _look(batch: pa.RecordBatch) -> bool:
    import pyarrow.compute as pc

    has_nul = False
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        longest = pc.max(pc.binary_length(column)).as_py() or 0
        if longest > MOST_BYTES:
            raise DestinationError(
                f"a text of the column {name} has {longest:,} bytes",
                allowed=f"{MOST_BYTES:,} bytes, Redshift's longest VARCHAR",
                hint="Leave the column out, or send it to a destination of files.",
            )
        has_nul = has_nul or bool(pc.any(pc.match_substring(column, NUL)).as_py())
    return has_nul


def _rewrite(file: Path, texts: list[str]) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    whole = file.with_suffix(".mended")
    with pq.ParquetFile(file) as parquet, pq.ParquetWriter(whole, parquet.schema_arrow, compression="snappy") as sink:
        for batch in parquet.iter_batches():
            columns = [
                pc.replace_substring(column, NUL, IN_ITS_PLACE) if name in texts else column
                for name, column in zip(batch.schema.names, batch.columns, strict=True)
            ]
            sink.write_batch(pa.record_batch(columns, schema=batch.schema))
    whole.replace(file)
