"""The proxy: what a client of Redshift sends is handed to PostgreSQL, a batch of messages at a time."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.servers.redshift import copying, wire
from tests.servers.redshift.sql import Copy, SqlError, as_postgres, read_copy

VERSION = b"server_version\x008.0.2\x00"
_KNOWN = {"user", "database", "application_name", "client_encoding", "options"}
_PARSE, _QUERY, _SYNC, _END, _BIND, _EXECUTE = b"P", b"Q", b"S", b"X", b"B", b"E"


@dataclass
class Proxy:
    """A running proxy.

    Args:
        port: Its own.
        upstream: PostgreSQL's.
        lake: The S3 that COPY reads.
        fault: Asked with each statement before it is handed on: `pass`, `cut before` or `cut after` (the connection).
        tls: By what clients that wish for it are spoken to; without it nobody is.
        statements: What was asked, in order.
    """

    upstream: int
    lake: copying.Lake
    tls: ssl.SSLContext | None = None
    port: int = 0
    fault: Callable[[str], str] = lambda _sql: "pass"
    statements: list[str] = field(default_factory=list)


class _CutError(Exception):
    """The fault wants the connection to end."""


class _Session:
    """One client."""

    def __init__(self, proxy: Proxy, client: socket.socket) -> None:
        self.proxy = proxy
        self.client = client
        self.copies: dict[bytes, Copy | None] = {}
        self.portals: dict[bytes, Copy | None] = {}
        self.types: dict[str, dict[str, str]] = {}

    def run(self) -> None:
        """Sign in, then hand batches on until the client leaves."""
        code, body = wire.read_startup(self.client)
        while code in (wire.SSL_REQUEST, wire.GSS_REQUEST):
            self._answer_wish(is_for_tls=code == wire.SSL_REQUEST)
            code, body = wire.read_startup(self.client)
        with socket.create_connection(("127.0.0.1", self.proxy.upstream)) as self.server:
            for each in (self.client, self.server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if code == wire.CANCEL:
                self.server.sendall(struct.pack("!II", len(body) + 8, code) + body)
                return
            settings = {name: value for name, value in wire.settings_of(body).items() if name in _KNOWN}
            self.server.sendall(wire.startup(settings))
            self._sign_in(settings["user"])
            while self._batch():
                pass

    def _answer_wish(self, *, is_for_tls: bool) -> None:
        """Grant or refuse the wish for an encrypted connection."""
        if self.proxy.tls is None or not is_for_tls:
            self.client.sendall(b"N")
            return
        self.client.sendall(b"S")
        self.client = self.proxy.tls.wrap_socket(self.client, server_side=True)

    def _sign_in(self, user: str) -> None:
        """Ask the client for its password in the clear, since it knows no SCRAM, and answer PostgreSQL's questions."""
        import scramp  # type: ignore[import-untyped]  # comes with Redshift's driver, which other extras lack

        self.client.sendall(wire.message(b"R", struct.pack("!I", 3)))
        _, password = wire.read_message(self.client)
        scram = scramp.ScramClient(["SCRAM-SHA-256"], user, password.rstrip(b"\0").decode())
        while True:
            kind, body = wire.read_message(self.server)
            asked = struct.unpack("!I", body[:4])[0] if kind == b"R" else 0
            if asked == 10:
                first = scram.get_client_first().encode()
                head = b"SCRAM-SHA-256\0" + struct.pack("!I", len(first))
                self.server.sendall(wire.message(b"p", head + first))
            elif asked == 11:
                scram.set_server_first(body[4:].decode())
                self.server.sendall(wire.message(b"p", scram.get_client_final().encode()))
            elif asked != 12:
                self._hand_back(kind, body)
            if kind == b"E":
                raise wire.GoneError
            if kind == b"Z":
                return

    def _hand_back(self, kind: bytes, body: bytes) -> None:
        if kind == b"S" and body.startswith(b"server_version\0"):
            body = VERSION
        self.client.sendall(wire.message(kind, body))

    def _batch(self) -> bool:
        """Hand on what the client sends up to a Sync or a query, and what PostgreSQL answers."""
        sent: list[tuple[bytes, bytes]] = []
        while not sent or sent[-1][0] not in (_SYNC, _QUERY, _END):
            sent.append(wire.read_message(self.client))
        if sent[-1][0] == _END:
            return False
        asked = [self._sql_of(*each) for each in sent if each[0] in (_PARSE, _QUERY)]
        verdict = [self._judge(sql) for sql in asked]
        read = {sql: self._read(sql) for sql in asked}
        copy: Copy | None = None
        batch = b""
        for kind, body in sent:
            rewritten, found = self._rewrite(kind, body, read)
            copy = found or copy
            batch += wire.message(kind, rewritten)
        self.server.sendall(batch)
        self._pump(copy, is_query=sent[-1][0] == _QUERY)
        if "cut after" in verdict:
            raise _CutError
        return True

    def _read(self, sql: str) -> tuple[str, Copy | None]:
        """A statement for PostgreSQL, and the COPY from S3 that it stands for; one that Redshift refuses, raises."""
        try:
            copy = read_copy(sql)
        except SqlError as error:
            text = error.text.replace("'", "''")
            return f"DO $$ BEGIN RAISE EXCEPTION USING MESSAGE = '{text}', ERRCODE = '{error.code}'; END $$", None
        if copy is None:
            return as_postgres(sql), None
        self.types[copy.table] = self._ask_types(copy)
        return copy.as_postgres, copy

    def _ask_types(self, copy: Copy) -> dict[str, str]:
        """The types of a table's columns, asked on the client's own session, which waits for us."""
        name = copy.table.replace("'", "''")
        sql = (
            "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute"
            f" WHERE attrelid = to_regclass('{name}') AND attnum > 0 AND NOT attisdropped"
        )
        self.server.sendall(wire.message(_QUERY, sql.encode() + b"\0"))
        found = {}
        while True:
            kind, body = wire.read_message(self.server)
            if kind == b"D":
                column, type_ = _cells(body)
                found[column] = type_
            if kind == b"Z":
                return found

    def _sql_of(self, kind: bytes, body: bytes) -> str:
        return (body if kind == _QUERY else body.split(b"\0", 2)[1]).rstrip(b"\0").decode()

    def _judge(self, sql: str) -> str:
        self.proxy.statements.append(sql)
        verdict = self.proxy.fault(sql)
        if verdict == "cut before":
            raise _CutError
        return verdict

    def _rewrite(self, kind: bytes, body: bytes, read: dict[str, tuple[str, Copy | None]]) -> tuple[bytes, Copy | None]:
        """A message as PostgreSQL takes it, and the COPY that it runs."""
        if kind == _QUERY:
            sql, copy = read[self._sql_of(kind, body)]
            return sql.encode() + b"\0", copy
        if kind == _PARSE:
            name, _, rest = body.split(b"\0", 2)
            sql, self.copies[name] = read[self._sql_of(kind, body)]
            return name + b"\0" + sql.encode() + b"\0" + rest, None
        if kind == _BIND:
            portal, statement = body.split(b"\0", 2)[:2]
            self.portals[portal] = self.copies.get(statement)
        if kind == _EXECUTE:
            return body, self.portals.get(body.split(b"\0", 1)[0])
        return body, None

    def _pump(self, copy: Copy | None, *, is_query: bool) -> None:
        """Hand answers back until PostgreSQL is ready for more; when it wants COPY's rows, send what S3 holds."""
        failed: SqlError | None = None
        while True:
            kind, body = wire.read_message(self.server)
            if kind == b"G" and copy is not None:
                failed = self._feed(copy, is_query=is_query)
                continue
            if kind == b"E" and failed is not None:
                self.client.sendall(self._told(failed))
                continue
            self._hand_back(kind, body)
            if kind == b"Z":
                return

    def _told(self, error: SqlError) -> bytes:
        return wire.error(error.code, error.text, error.detail)

    def _feed(self, copy: Copy, *, is_query: bool) -> SqlError | None:
        failed = None
        try:
            for rows in copying.read(self.proxy.lake, copy, self.types[copy.table]):
                self.server.sendall(wire.message(b"d", rows))
            self.server.sendall(wire.message(b"c", b""))
        except SqlError as error:
            failed = error
            self.server.sendall(wire.message(b"f", b"refused\0"))
        if not is_query:  # the client's own Sync was passed over while rows were awaited
            self.server.sendall(wire.message(_SYNC, b""))
        return failed


def _cells(body: bytes) -> list[str]:
    """The texts of a row."""
    cells, place = [], 2
    for _ in range(struct.unpack("!H", body[:2])[0]):
        size = struct.unpack("!i", body[place : place + 4])[0]
        cells.append(body[place + 4 : place + 4 + size].decode())
        place += 4 + size
    return cells


@contextmanager
def redshift_proxy(upstream: int, lake: copying.Lake, tls: ssl.SSLContext | None = None) -> Iterator[Proxy]:
    """Run the proxy on a free port of the loopback while the block lasts.

    Args:
        upstream: PostgreSQL's port.
        lake: The S3 that COPY reads.
        tls: By what clients that wish for it are spoken to.
    """
    proxy = Proxy(upstream, lake, tls)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        proxy.port = int(listening.getsockname()[1])
        thread = threading.Thread(target=_serve, args=(listening, proxy), daemon=True)
        thread.start()
        yield proxy
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def _serve(listening: socket.socket, proxy: Proxy) -> None:
    with suppress(OSError):
        while True:
            client, _ = listening.accept()
            threading.Thread(target=_handle, args=(client, proxy), daemon=True).start()


def _handle(client: socket.socket, proxy: Proxy) -> None:
    session = _Session(proxy, client)
    try:
        with suppress(OSError, wire.GoneError, _CutError):
            session.run()
    finally:
        session.client.close()
