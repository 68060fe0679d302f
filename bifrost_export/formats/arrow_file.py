"""Arrow's own IPC file format."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, ClassVar

from bifrost_export.formats.columns_as_text import is_text
from bifrost_export.formats.groups import grouped

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa


class ArrowFormat:
    """Writes Arrow IPC files whose batches are cut by rows and bytes, so that the given batches leave no trace."""

    kind: ClassVar[str] = "arrow"
    compressions: ClassVar[tuple[str, ...]] = ("none", "lz4", "zstd")
    default_compression: ClassVar[str] = "zstd"
    content_type: ClassVar[str] = "application/vnd.apache.arrow.file"

    def extension(self, compression: str) -> str:
        """`.arrow`: the codec is inside the file."""
        return ".arrow"

    def write(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema, sink: BinaryIO, compression: str) -> int:
        """Write one file and give its rows.

        Raises:
            FormatError: A required column holds a null.
        """
        import pyarrow.ipc as ipc

        rows = 0
        options = ipc.IpcWriteOptions(compression=None if compression == "none" else compression)
        with ipc.new_file(sink, schema, options=options) as writer:
            for group in grouped(batches, schema):
                writer.write_batch(_plain(group))
                rows += group.num_rows
                del group  # wide rows take much memory: let go before the next group is made
        return rows


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same rows with nothing below their nulls: what lies there depends on how a batch was made."""
    import pyarrow as pa

    return pa.RecordBatch.from_arrays([_blanked(column) for column in batch.columns], schema=batch.schema)


def _blanked(column: pa.Array) -> pa.Array:
    import pyarrow as pa

    kind = column.type
    if not (is_text(kind) or pa.types.is_primitive(kind)):
        return column
    _, *values = column.buffers()
    known = None
    if column.null_count:
        known = column.is_valid().buffers()[1]
        nothing = pa.Array.from_buffers(kind, 1, [None, *[pa.py_buffer(bytes(16)) for _ in values]])[0]
        _, *values = column.fill_null(nothing).buffers()
    return pa.Array.from_buffers(kind, len(column), [known, *values])
