"""What text formats share: rows become lines, a batch at a time, and the lines a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, ClassVar

from bifrost_export.formats.compression import ENDINGS, compressed
from bifrost_export.formats.groups import check_required

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

PIECE_BYTES = 4 * 1024 * 1024
"""Bytes of rows that are turned into text at once: enough for Arrow to be fast, and little enough for the caches."""


class TextFormat:
    """A format of lines. Its files are UTF-8, and opaque: no `Content-Encoding` makes a client unpack them unasked."""

    kind: ClassVar[str]
    content_type: ClassVar[str]
    ending: ClassVar[str]
    compressions: ClassVar[tuple[str, ...]] = tuple(ENDINGS)
    default_compression: ClassVar[str] = "gzip"

    def extension(self, compression: str) -> str:
        """The format's ending, then the compression's: `.csv.gz`."""
        return self.ending + ENDINGS[compression]

    def header(self, schema: pa.Schema) -> bytes:
        """What stands before the first row."""
        return b""

    def lines(self, batch: pa.RecordBatch) -> memoryview:
        """The lines of some rows, each with its end."""
        raise TypeError(f"{type(self).__name__} makes no lines")

    def write(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema, sink: BinaryIO, compression: str) -> int:
        """Write one file and give its rows.

        Raises:
            FormatError: A value or a column's type can't be written.
        """
        rows = 0
        with compressed(sink, compression) as stream:
            stream.write(self.header(schema))
            for batch in batches:
                check_required(batch)
                for piece in _pieces(batch):
                    stream.write(self.lines(piece))
                    rows += piece.num_rows
        return rows


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    step = max(1, PIECE_BYTES * batch.num_rows // max(batch.nbytes, 1))
    for start in range(0, batch.num_rows, step):
        yield batch.slice(start, step)
