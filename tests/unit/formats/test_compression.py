"""Compressed text: one gzip member, one zstd frame, the same bytes in whatever pieces the text comes."""

from __future__ import annotations

import gzip
import io
import struct
import threading
import zlib
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.formats import compression as module
from bifrost_export.formats.compression import BLOCK, ENDINGS, Blocks, compressed
from tests.unit.formats.rows import unpacked

TEXT = b"".join(b'{"number":%d,"word":"%d"}\n' % (each, each * each % 977) for each in range(120_000))


def packed(pieces: Iterable[bytes], compression: str) -> bytes:
    """The file of a text in pieces."""
    sink = io.BytesIO()
    with compressed(sink, compression) as stream:
        for piece in pieces:
            stream.write(piece)
    return sink.getvalue()


def cut(text: bytes, step: int) -> list[bytes]:
    """The text in pieces of `step` bytes, an empty one among them."""
    return [*(text[start : start + step] for start in range(0, len(text), step)), b""]


@pytest.mark.parametrize("compression", ENDINGS)
def test_pieces_leave_no_trace(compression: str) -> None:
    """A text of several blocks reads back, and its bytes are the same each time."""
    assert len(TEXT) > 2 * BLOCK
    expected = packed([TEXT], compression)

    assert unpacked(expected, compression) == TEXT
    assert {packed(cut(TEXT, step), compression) for step in (4_099, 65_536, BLOCK - 1, BLOCK, BLOCK + 1)} == {expected}


@given(pieces=st.lists(st.binary(max_size=40)), block=st.integers(1, 16))
def test_blocks_are_all_of_one_size(pieces: list[bytes], block: int) -> None:
    """But the last."""
    written: list[bytes] = []

    class Stream:
        def write(self, data: bytearray) -> None:
            written.append(bytes(data))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        blocks = Blocks(Stream())
        for piece in pieces:
            blocks.write(piece)
        blocks.flush()

    assert b"".join(written) == b"".join(pieces)
    assert {len(each) for each in written[:-1]} <= {block}
    assert all(0 < len(each) <= block for each in written)


@pytest.mark.parametrize("pieces", [[], [b""], [b"short"], [TEXT]])
def test_gzip_is_one_member_without_time_or_name(pieces: list[bytes]) -> None:
    """Readers that stop behind the first member see all of it; the same text has the same bytes tomorrow."""
    body = packed(pieces, "gzip")

    reader = zlib.decompressobj(31)
    assert reader.decompress(body) == b"".join(pieces)
    assert (reader.eof, reader.unused_data) == (True, b"")
    magic, method, flags, time = struct.unpack("<HBBI", body[:8])
    assert (magic, method, flags, time) == (0x8B1F, 8, 0, 0)
    assert gzip.decompress(body) == b"".join(pieces)


@pytest.mark.parametrize("threads", [1, 3])
def test_the_number_of_threads_changes_no_byte(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be changed at any time."""
    expected = packed([TEXT], "gzip")
    monkeypatch.setattr(module, "_GZIP_THREADS", threads)

    assert packed([TEXT], "gzip") == expected


@pytest.mark.parametrize("pieces", [[], [b"short"], [TEXT]])
def test_zstd_is_one_frame(pieces: list[bytes]) -> None:
    """Readers that stop behind the first frame see all of it."""
    body = packed(pieces, "zstd")

    assert body.startswith(b"\x28\xb5\x2f\xfd")
    assert unpacked(body, "zstd") == b"".join(pieces)
    assert body.count(b"\x28\xb5\x2f\xfd") == 1


@pytest.mark.parametrize("compression", ENDINGS)
def test_an_error_of_the_rows_comes_through(compression: str) -> None:
    """And leaves no thread behind."""

    def pieces() -> Iterator[bytes]:
        yield TEXT
        raise ValueError("no such row")

    before = threading.active_count()
    with pytest.raises(ValueError, match="no such row"):
        packed(pieces(), compression)
    assert threading.active_count() == before


@pytest.mark.parametrize("compression", ENDINGS)
@pytest.mark.parametrize("room", [0, 1_000, 150_000])
def test_an_error_of_the_sink_comes_through(compression: str, room: int) -> None:
    """Wherever it comes up: at the first block, at a later one, at the end."""

    class Small(io.BytesIO):
        def write(self, data: object) -> int:
            if self.tell() + memoryview(data).nbytes > room:  # type: ignore[arg-type]
                raise OSError("the disk is full")
            return super().write(data)  # type: ignore[arg-type]

    with pytest.raises(OSError, match="the disk is full"), compressed(Small(), compression) as stream:
        stream.write(TEXT)
