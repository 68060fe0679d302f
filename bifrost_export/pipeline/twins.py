"""What was measured travels beside the rows, as far as the transformation that reads it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bifrost_export.config.transformations import names_of
from bifrost_export.hidden_columns import TWINS, is_hidden

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.columns import Column
    from bifrost_export.config.transformations import Flow


def twins_of(flow: Flow) -> tuple[Column, ...]:
    """Return the hidden columns that a dataset's rows carry up to the first transformation that reads them.

    A column that a transformation has changed or taken away before has no twin: what it gives is what counts.
    """
    alive = [name for name in TWINS if name in names_of(flow.columns)]
    for stage in flow.stages:
        transform = stage.step.transform
        if wanted := transform.measured():
            return tuple(TWINS[name] for name in alive if name in wanted)
        if not transform.keeps_rows:
            return ()
        changed, after = transform.changed(stage.before), names_of(stage.after)
        alive = [name for name in alive if name in after and name not in changed]
    return ()


class Apart:
    """Takes hidden columns out of batches, and puts them back beside rows that are the same in the same order.

    Args:
        batches: With hidden columns or without.
    """

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self.batches = batches
        self._waiting: deque[pa.RecordBatch] = deque()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Return the batches without hidden columns."""
        for batch in self.batches:
            hidden = [name for name in batch.schema.names if is_hidden(name)]
            if hidden:
                self._waiting.append(batch.select(hidden))
            yield without_hidden(batch)

    def together(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the next rows with their hidden columns; as they are where there are none."""
        import pyarrow as pa

        missing, pieces = batch.num_rows, []
        while missing and self._waiting:
            first = self._waiting.popleft()
            pieces.append(first.slice(0, missing))
            if first.num_rows > missing:
                self._waiting.appendleft(first.slice(missing))
            missing -= pieces[-1].num_rows
        if missing or not pieces:
            return batch
        hidden = pa.Table.from_batches(pieces).combine_chunks().to_batches()[0]
        arrays, fields = [*batch.columns, *hidden.columns], [*batch.schema, *hidden.schema]
        return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def without_hidden(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch without its hidden columns."""
    shown = [name for name in batch.schema.names if not is_hidden(name)]
    return batch if len(shown) == batch.num_columns else batch.select(shown)
