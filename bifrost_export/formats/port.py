"""The format port: how the rows of a part become a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa


class Format(Protocol):
    """**Protocol.** A file format. Its bytes depend on the rows, never on how the batches were cut."""

    kind: ClassVar[str]
    compressions: ClassVar[tuple[str, ...]]
    default_compression: ClassVar[str]
    content_type: ClassVar[str]

    def extension(self, compression: str) -> str:
        """The files' extension, with its dot."""
        ...

    def write(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema, sink: BinaryIO, compression: str) -> int:
        """Write one file and give its rows.

        Args:
            batches: The rows, in order.
            schema: Of every batch.
            sink: Takes the bytes in order.
            compression: One of `compressions`.

        Raises:
            FormatError: A value or a column's type can't be written.
        """
        ...
