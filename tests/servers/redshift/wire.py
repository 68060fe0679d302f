"""Messages of PostgreSQL's wire protocol, version 3, on a socket."""

from __future__ import annotations

import socket
import struct

SSL_REQUEST, GSS_REQUEST, CANCEL = 80_877_103, 80_877_104, 80_877_102


class GoneError(Exception):
    """The other side has closed the connection."""


def read_exactly(source: socket.socket, size: int) -> bytes:
    """So many bytes.

    Raises:
        GoneError: There are no more.
    """
    data = bytearray()
    while len(data) < size:
        found = source.recv(size - len(data))
        if not found:
            raise GoneError
        data += found
    return bytes(data)


def read_message(source: socket.socket) -> tuple[bytes, bytes]:
    """The next message: its kind, and what it holds."""
    head = read_exactly(source, 5)
    return head[:1], read_exactly(source, struct.unpack("!I", head[1:])[0] - 4)


def message(kind: bytes, body: bytes) -> bytes:
    """A message as it is sent."""
    return kind + struct.pack("!I", len(body) + 4) + body


def read_startup(source: socket.socket) -> tuple[int, bytes]:
    """A message without a kind, as connections begin: its code, and what it holds after it."""
    size, code = struct.unpack("!II", read_exactly(source, 8))
    return code, read_exactly(source, size - 8)


def startup(settings: dict[str, str]) -> bytes:
    """The first message of a session."""
    pairs = b"".join(f"{name}\0{value}\0".encode() for name, value in settings.items()) + b"\0"
    return struct.pack("!II", len(pairs) + 8, 196_608) + pairs


def settings_of(body: bytes) -> dict[str, str]:
    """What a first message says."""
    words = [word.decode() for word in body.split(b"\0")]
    return {name: value for name, value in zip(words[::2], words[1::2], strict=False) if name}


def error(code: str, text: str, detail: str = "") -> bytes:
    """An error, as a server tells it."""
    told = {"S": "ERROR", "C": code, "M": text, **({"D": detail} if detail else {})}
    return message(b"E", b"".join(f"{name}{value}\0".encode() for name, value in told.items()) + b"\0")


def code_of(body: bytes) -> str:
    """The code of an error."""
    fields = (each.decode("utf-8", "replace") for each in body.split(b"\0"))
    return next((each[1:] for each in fields if each.startswith("C")), "")
