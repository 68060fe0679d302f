"""What rows take in Arrow: the same for the same rows, however their batches were cut or made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bifrost_export.formats.columns_as_text import is_text

if TYPE_CHECKING:
    import pyarrow as pa


def row_ends(batch: pa.RecordBatch) -> Any:
    """The bytes of the values in all rows up to and with each: a numpy array of int64."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    sizes = np.zeros(batch.num_rows, np.int64)
    for column in batch.columns:
        if pa.types.is_primitive(column.type):
            sizes += -(-column.type.bit_width // 8)
        elif is_text(column.type):
            # A null may have bytes below it, which depend on how it was made.
            lengths = pc.binary_length(column).fill_null(0).cast(pa.int64())
            sizes += np.frombuffer(lengths.buffers()[1], np.int64, batch.num_rows)
    return sizes.cumsum()


def value_bytes(batch: pa.RecordBatch) -> int:
    """The bytes of the values in all rows, those of texts in UTF-8; a text takes four more, for where it ends."""
    import pyarrow as pa
    import pyarrow.compute as pc

    size = 0
    for column in batch.columns:
        if pa.types.is_primitive(column.type):
            size += len(column) * -(-column.type.bit_width // 8)
        elif is_text(column.type):
            size += 4 * len(column) + (pc.sum(pc.binary_length(column)).as_py() or 0)
    return size
