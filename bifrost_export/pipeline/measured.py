"""Measure rows as they pass: what they add up to, and their first and last moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bifrost_export.pipeline.books import Sums
from bifrost_export.window import from_micros, rfc3339

if TYPE_CHECKING:
    import pyarrow as pa


class Measure:
    """Adds up the batches that pass through it.

    Args:
        batches: What passes.
    """

    def __init__(self, batches: Iterable[pa.RecordBatch]) -> None:
        self.batches = batches
        self.sums = Sums()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The batches, unchanged."""
        for batch in self.batches:
            self.sums += Sums.of_batch(batch)
            yield batch


class Tally:
    """The measure of the rows of one file."""

    def __init__(self) -> None:
        self.sums = Sums()
        self._earliest: int | None = None
        self._latest: int | None = None

    def add(self, batch: pa.RecordBatch) -> None:
        """Measure a batch; columns that it lacks count 0."""
        import pyarrow as pa
        import pyarrow.compute as pc

        self.sums += Sums.of_batch(batch)
        index = batch.schema.get_field_index("timestamp")
        if index >= 0 and batch.num_rows and pa.types.is_timestamp(batch.schema.field(index).type):
            ends = pc.min_max(batch.column(index).cast(pa.int64())).as_py()
            if ends["min"] is None:
                return
            self._earliest = ends["min"] if self._earliest is None else min(self._earliest, ends["min"])
            self._latest = ends["max"] if self._latest is None else max(self._latest, ends["max"])

    def ends(self) -> dict[str, str | None]:
        """`{"min_timestamp", "max_timestamp"}`, RFC 3339 in UTC; None without rows that have one."""
        ends = {"min_timestamp": self._earliest, "max_timestamp": self._latest}
        return {name: None if value is None else rfc3339(from_micros(value)) for name, value in ends.items()}
