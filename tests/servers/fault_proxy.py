"""A proxy in front of a real server that can kill its client, lose or cut an answer, or refuse, at the n-th request."""

from __future__ import annotations

import http.client
import os
import signal
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from demo.servers.serving import serving

CONDITIONS = ("if-match", "if-none-match")
Gate = Callable[[str, str, Message], "tuple[int, bytes] | None"]
"""Method, path and headers of a request -> status and body of its refusal, or None."""


@dataclass(frozen=True)
class Answer:
    """What a server has answered."""

    status: int
    headers: Sequence[tuple[str, str]]
    data: bytes


class Proxy:
    """The proxy: counts requests, and asks its fault what to do with each.

    Args:
        upstream: Address of the real server.
        pid_file: Where the client's process id stands, for faults that kill.

    `conditions` says what becomes of If-Match and If-None-Match: `pass`, `drop` (as by a store that does not know
    them) or `refuse` (501). `gate` says who may pass: the refusal of a request as (status, JSON or XML), or None.
    `serve` answers what may pass: the server itself, unless somebody stands before it.
    """

    def __init__(self, upstream: str, pid_file: Path | None = None) -> None:
        self.upstream = urlsplit(upstream)
        self.pid_file = pid_file
        self.requests: list[str] = []
        self.fault: Callable[[int, str], str] = lambda number, request: "pass"
        self.conditions = "pass"
        self.gate: Gate = lambda method, path, headers: None
        self.serve: Callable[[str, str, Message, bytes], Answer] = self.forward
        self.lock = threading.Lock()
        self.url = ""

    def arm(self, fault: Callable[[int, str], str]) -> None:
        """Forget the requests so far; from now on ask this fault, with the request's number and first line."""
        with self.lock:
            self.requests = []
            self.fault = fault

    def forward(self, method: str, path: str, headers: Message, body: bytes | IO[bytes]) -> Answer:
        """Ask the server; the body may be a file, which is sent whole."""
        size = len(body) if isinstance(body, bytes) else body.seek(0, os.SEEK_END)
        if not isinstance(body, bytes):
            body.seek(0)
        skipped: tuple[str, ...] = ("connection", "expect", "transfer-encoding", "content-length")
        if self.conditions == "drop":
            skipped = (*skipped, *CONDITIONS)
        sent = {name: value for name, value in headers.items() if name.lower() not in skipped}
        connection = http.client.HTTPConnection(
            self.upstream.hostname or "", self.upstream.port, timeout=300, blocksize=1024 * 1024
        )
        connection.request(method, path, body, {**sent, "Content-Length": str(size)})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return Answer(answer.status, answer.getheaders(), data)

    def kill_client(self) -> None:
        """Kill (-9) the process that the pid file names."""
        assert self.pid_file is not None
        os.kill(int(self.pid_file.read_text()), signal.SIGKILL)


def at(number: int, what: str) -> Callable[[int, str], str]:
    """A fault at one request only."""
    return lambda n, request: what if n == number else "pass"


class Handler(BaseHTTPRequestHandler):
    """Hands one request on, or does what the proxy's fault says instead."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are written apart: the second would wait for the first's receipt
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class names it so)
        """Say nothing."""

    def _handle(self) -> None:
        proxy = self.server.proxy
        body = self._body()
        line = f"{self.command} {self.path}"
        with proxy.lock:
            proxy.requests.append(line)
            what = proxy.fault(len(proxy.requests), line)
        if proxy.conditions == "refuse" and any(self.headers.get(name) for name in CONDITIONS):
            what = "501"
        if what == "kill before":
            proxy.kill_client()
            self.close_connection = True
        elif what.isdigit():
            self._refuse(int(what), b"")
        elif (refusal := proxy.gate(self.command, self.path, self.headers)) is not None:
            self._refuse(*refusal)
        else:
            self._hand_on(body, what)

    def _refuse(self, status: int, told: bytes) -> None:
        self.send_response(status)
        if told:
            self.send_header("Content-Type", "application/xml" if told.startswith(b"<") else "application/json")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(told)

    def _hand_on(self, body: bytes, what: str) -> None:
        answer = self.server.proxy.serve(self.command, self.path, self.headers, body)
        if what == "kill after":
            self.server.proxy.kill_client()
        if what == "cut":
            self._answer(answer, answer.data[: len(answer.data) // 2])
            self.close_connection = True
        elif what in ("kill after", "lose"):
            self.close_connection = True
        else:
            self._answer(answer, answer.data)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        data = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return data

    def _answer(self, answer: Answer, sent: bytes) -> None:
        self.send_response(answer.status)
        is_head = self.command == "HEAD"
        dropped = {"connection", "transfer-encoding", "date", "server", *(() if is_head else ("content-length",))}
        for name, value in answer.headers:
            if name.lower() not in dropped:
                self.send_header(name, value)
        if not is_head:
            self.send_header("Content-Length", str(len(answer.data)))
        self.end_headers()
        if not is_head:
            self.wfile.write(sent)

    do_GET = do_PUT = do_POST = do_PATCH = do_HEAD = do_DELETE = _handle  # noqa: N815 (the base class looks for these names)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, proxy: Proxy) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.proxy = proxy


@contextmanager
def fault_proxy(
    upstream: str, pid_file: Path | None = None, certificate: tuple[Path, Path] | None = None
) -> Iterator[Proxy]:
    """Run a proxy on the loopback; with the files of a certificate and its key it speaks https."""
    proxy = Proxy(upstream, pid_file)
    server = _Server(proxy)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    proxy.url = f"http{'s' if certificate else ''}://127.0.0.1:{server.server_address[1]}"
    with serving(server):
        yield proxy
