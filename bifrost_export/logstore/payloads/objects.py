"""One offloaded payload: its key, its bytes within bounds, and the columns in it."""

from __future__ import annotations

import datetime as dt
import json
import threading
import zlib
from collections.abc import Sequence
from typing import Any

import orjson

from bifrost_export.logstore.payloads.port import PayloadReader
from bifrost_export.logstore.repair import REPLACEMENT
from bifrost_export.window import from_micros

SMALL = 1 << 20
"""Stored bytes of an object up to which several are read at once; of larger ones there is one in memory."""
MOST = 64 << 20
"""Stored bytes of an object that is still read."""
SMALL_UNPACKED = 8 * SMALL
MOST_UNPACKED = 2 * MOST
_GZIP = b"\x1f\x8b"


class BrokenError(Exception):
    """The object is there and can't be read: no gzip, no JSON, of another shape, or too large."""


FOLDERS = {"logs": "logs", "mcp_tool_logs": "mcp-logs"}
"""Table -> the folder of its payloads."""


def folder_of(prefix: str, table: str = "logs") -> str:
    """Where the payloads of a table stand."""
    return f"{prefix or 'bifrost'}/{FOLDERS[table]}/"


def key_of(prefix: str, timestamp: int, request_id: str, table: str = "logs") -> str:
    """The key of a row's payload.

    Args:
        prefix: Of the object storage.
        timestamp: The row's, microseconds since 1970 UTC.
        request_id: The row's `id`.
        table: The row's.
    """
    moment: dt.datetime = from_micros(timestamp)
    hour = f"{moment.year:04}/{moment.month:02}/{moment.day:02}/{moment.hour:02}"
    return f"{folder_of(prefix, table)}{hour}/{request_id}.json.gz"


class Objects:
    """Reads payloads for several threads, with a bound on what they hold together.

    Args:
        reader: The object storage.
    """

    def __init__(self, reader: PayloadReader) -> None:
        self.reader = reader
        self._large = threading.Lock()

    def columns(self, key: str, wanted: Sequence[str], *, holds_values: bool = False) -> dict[str, bytes] | None:
        """Some columns of a payload, those that are not empty; None when the object is gone.

        Args:
            key: The object's.
            wanted: The columns.
            holds_values: Whether any value may stand where the row holds its JSON text, as in those of tool calls.

        They are texts, with what is not UTF-8 as it stands in the payload.

        Raises:
            BrokenError: It is there, and can't be read.
            BifrostExportError: As the reader's port tells.
        """
        stored = self.reader.read(key, 0, SMALL - 1)
        if stored is None:
            return None
        if len(stored) < SMALL:
            unpacked = _unpacked(stored, SMALL_UNPACKED)
            if unpacked is not None:
                return _picked(unpacked, wanted, holds_values)
        with self._large:
            if len(stored) >= SMALL:
                stored += self.reader.read(key, SMALL, MOST) or b""
            unpacked = _unpacked(stored, MOST_UNPACKED) if len(stored) <= MOST else None
            del stored
            if unpacked is None:
                raise BrokenError
            return _picked(unpacked, wanted, holds_values)


def _unpacked(stored: bytes, most: int) -> bytes | None:
    """The bytes, unpacked where they are gzip; None when there are more than that."""
    if not stored.startswith(_GZIP):
        return stored if len(stored) <= most else None
    stream = zlib.decompressobj(wbits=31)
    try:
        unpacked = stream.decompress(stored, most + 1)
    except zlib.error:
        raise BrokenError from None
    if len(unpacked) > most:
        return None
    if not stream.eof:
        raise BrokenError
    return unpacked


def _picked(unpacked: bytes, wanted: Sequence[str], holds_values: bool) -> dict[str, bytes]:
    payload = _parsed(unpacked)
    if not isinstance(payload, dict):
        raise BrokenError
    values = {name: payload[name] for name in wanted if payload.get(name) not in (None, "")}
    if any(not isinstance(value, str) for value in values.values()):
        payload = _exactly_parsed(unpacked)  # the other parser cuts long numbers
    return {name: _bytes(_text(payload[name], holds_values)) for name in values}


def _text(value: Any, holds_values: bool) -> str:
    """A value as the row would hold it."""
    if isinstance(value, str) and (not holds_values or _is_json(value)):
        return value
    if not holds_values and not isinstance(value, dict | list):
        raise BrokenError
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        raise BrokenError from None


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text.encode(errors="replace"))
    except orjson.JSONDecodeError:
        return False
    return True


def _parsed(unpacked: bytes) -> Any:
    try:
        return orjson.loads(unpacked)
    except orjson.JSONDecodeError:
        pass
    return _exactly_parsed(unpacked)


def _exactly_parsed(unpacked: bytes) -> Any:
    try:  # Go writes what is no UTF-8 as it is, and a prompt's is no reason to lose the error beside it
        return json.loads(unpacked.decode(errors="surrogateescape"))
    except (ValueError, RecursionError):
        raise BrokenError from None


def _bytes(text: str) -> bytes:
    """Return a text as UTF-8, with the bad bytes that it was read with; half of a surrogate pair becomes U+FFFD."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        plain = (REPLACEMENT if _is_half(each) else each for each in text)
        return "".join(plain).encode(errors="surrogateescape")


def _is_half(character: str) -> bool:
    return "\ud800" <= character <= "\udfff" and not "\udc80" <= character <= "\udcff"
