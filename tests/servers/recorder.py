"""A server that anybody may reach: it keeps every byte that it is sent, and asks PostgreSQL's clients for passwords."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from socketserver import BaseRequestHandler, ThreadingTCPServer

import pytest

from demo.servers.serving import serving

_SSL_REQUEST = struct.pack("!II", 8, 80_877_103)
_GSS_REQUEST = struct.pack("!II", 8, 80_877_104)
_IN_CLEAR = struct.pack("!cII", b"R", 8, 3)
_REFUSAL = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass
class Recorder:
    """A running server.

    Args:
        port: Of 127.0.0.1.
        received: What each connection has sent.
    """

    port: int
    received: list[bytearray] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def everything(self) -> str:
        """All that was sent, as text."""
        return b"\n".join(bytes(each) for each in self.received).decode("latin-1")


def _handler(recorder: Recorder) -> type[BaseRequestHandler]:
    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            kept = bytearray()
            recorder.received.append(kept)
            self.request.settimeout(5)
            with contextlib.suppress(OSError):
                while chunk := self.request.recv(65_536):
                    kept.extend(chunk)
                    self._answer(chunk)

        def _answer(self, chunk: bytes) -> None:
            if chunk in (_SSL_REQUEST, _GSS_REQUEST):
                self.request.sendall(b"N")
            elif chunk[4:8] == struct.pack("!I", 196_608):
                self.request.sendall(_IN_CLEAR)
            elif chunk[:4].isalpha() or chunk[:4] in (b"GET ", b"PUT "):
                self.request.sendall(_REFUSAL)
                self.request.shutdown(socket.SHUT_RDWR)

    return Handler


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """The server, on a free port of the loopback."""
    found = Recorder(0)
    server = _Server(("127.0.0.1", 0), _handler(found))
    found.port = int(server.server_address[1])
    with serving(server):
        yield found
