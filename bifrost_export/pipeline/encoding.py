"""The format and compression that a run writes: the destination's own, or what the export's `data` says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bifrost_export.registry import DESTINATIONS, FORMATS

if TYPE_CHECKING:
    from bifrost_export.config.models.export import Export
    from bifrost_export.formats.port import Format


@dataclass(frozen=True)
class Encoding:
    """How files are written.

    Args:
        name: The format's name.
        format: The format.
        compression: Its compression.
        is_own: The destination has chosen them, whatever `data.format` says.
    """

    name: str
    format: Format
    compression: str
    is_own: bool = False


def encoding_of(export: Export) -> Encoding:
    """How an export's files are written."""
    own = DESTINATIONS.load(export.destination.type).file_format
    if own is not None:
        return Encoding(own.name, FORMATS.load(own.name)(), own.compression, is_own=True)
    kind = FORMATS.load(export.data.format)
    format_ = kind(is_safe=True) if export.data.csv_safe else kind()
    return Encoding(export.data.format, format_, export.data.written_compression)
