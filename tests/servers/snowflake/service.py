"""fakesnow's web service with what it lacks put before it: sign-in, faults, transactions as Snowflake has them."""

from __future__ import annotations

import gzip
import itertools
import json
import math
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import duckdb
import fakesnow.arrow
import fakesnow.cursor
import fakesnow.server
import jwt
import pyarrow as pa
from fakesnow.cursor import FakeSnowflakeCursor
from snowflake.connector.errors import ProgrammingError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.servers.snowflake import stages
from tests.servers.snowflake.locks import Locks

_TEMPORARY = re.compile(
    r'(\s*CREATE\s+(?:OR\s+REPLACE\s+)?TEMPORARY\s+TABLE\s+)("[^"]+"\."[^"]+")\.("[^"]+")', re.IGNORECASE
)
_TRANSACTION = re.compile(r"\s*(BEGIN|COMMIT|ROLLBACK)\b", re.IGNORECASE)
LOCK_SECONDS = 43_200.0
"""So long a statement waits for a lock when its session does not tell."""
_REFUSED = "390100", "Incorrect username or password was specified."
_SESSIONS = itertools.count(1001)
_NOT_ALLOWED = "390144", "JWT token is invalid."


@dataclass
class User:
    """A user.

    Args:
        password: Its password, if it has one.
        public_key: PEM, if it has a key.
        may_not: Statements that it has no right to.
    """

    password: str | None = None
    public_key: str | None = None
    may_not: re.Pattern[str] | None = None


@dataclass(frozen=True)
class Fault:
    """What befalls the next statement that fits.

    Args:
        statement: Which statements fit.
        number: The error that is told.
        text: What it says.
        is_done: The statement is carried out all the same.
        state: SQLSTATE.
    """

    statement: re.Pattern[str]
    number: int
    text: str
    is_done: bool = False
    state: str = "57014"


@dataclass
class Service:
    """What the service knows beside fakesnow.

    Args:
        users: By name, in upper case.
        faults: Each befalls one statement.
        idle_seconds: After them a transaction is aborted that another waits for; five minutes at the service.
        statements: What was asked, in order.
        tags: The query tag of each session.
    """

    users: dict[str, User] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    idle_seconds: float = 300.0
    statements: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    locks: Locks = field(default_factory=Locks)
    who: dict[int, str] = field(default_factory=dict)

    async def log_in(self, request: Request) -> Response:
        """Let a session begin when password or key are right."""
        body = await request.body()
        data = json.loads(gzip.decompress(body) if request.headers.get("Content-Encoding") == "gzip" else body)["data"]
        name = str(data.get("LOGIN_NAME", "")).upper()
        refusal = self._refusal(name, data)
        if refusal:
            return JSONResponse(
                {"data": {}, "success": False, "code": refusal[0], "message": refusal[1], "headers": None}
            )
        parameters = data.get("SESSION_PARAMETERS", {})
        self.tags.append(str(parameters.get("QUERY_TAG")))
        before = set(fakesnow.server.sessions)
        told = json.loads(bytes((await _log_in(request)).body))
        for token in set(fakesnow.server.sessions) - before:
            session: Any = fakesnow.server.sessions[token]
            self.who[id(session)] = name
            session.lock_seconds = float(parameters.get("LOCK_TIMEOUT", LOCK_SECONDS))
        told["data"]["sessionId"] = next(_SESSIONS)
        return JSONResponse(told)

    def _refusal(self, name: str, data: dict[str, Any]) -> tuple[str, str] | None:
        user = self.users.get(name)
        if data.get("AUTHENTICATOR") == "SNOWFLAKE_JWT":
            try:
                jwt.decode(data["TOKEN"], user.public_key if user else "", algorithms=["RS256"])
            except (jwt.InvalidTokenError, ValueError):
                return _NOT_ALLOWED
            return None
        return None if user and user.password == data.get("PASSWORD") else _REFUSED

    def execute(self, cursor: Any, command: str, run: Callable[[str], Any]) -> Any:
        """Carry a statement out as Snowflake would."""
        self.statements.append(command)
        user = self.users.get(self.who.get(id(cursor._conn), ""), User())
        if user.may_not and user.may_not.search(command):
            raise stages.refused(3001, "42501", "SQL access control error:\nInsufficient privileges to operate on it")
        fault = next((each for each in self.faults if each.statement.search(command)), None)
        if fault is not None:
            self.faults.remove(fault)
            if fault.is_done:
                self._carry_out(cursor, command, run)
            raise stages.refused(fault.number, fault.state, fault.text)
        return self._carry_out(cursor, command, run)

    def _carry_out(self, cursor: Any, command: str, run: Callable[[str], Any]) -> Any:
        session = cursor._conn
        command = _with_temporary(session, stages.without_quotes(command))
        word = match[1].upper() if (match := _TRANSACTION.match(command)) else None
        if word == "BEGIN":
            # DuckDB's snapshot would be older than the lock: it begins with the first statement.
            session.begins = True
            return run("SELECT 'Statement executed successfully.' AS status")
        if (held := self.locks.take(command, session, session.lock_seconds, self._is_left)) is not None:
            words = f"Statement 'x' has locked table '{held}' in transaction 1"
            raise stages.refused(625, "57014", f"{words} and this lock has not yet been released.")
        try:
            session.idle_since = math.inf
            if getattr(session, "begins", False) and word is None:
                session.begins, session.is_open = False, True
                run("BEGIN")
            if word is not None:
                return self._end(session, word, run)
            return self._statement(cursor, command, run)
        finally:
            session.idle_since = time.monotonic()
            if not getattr(session, "is_open", False):
                self.locks.release(session)

    def _is_left(self, session: Any) -> bool:
        """Abort a transaction that has been idle while another waits for its lock, as the service does."""
        if time.monotonic() - getattr(session, "idle_since", math.inf) < self.idle_seconds:
            return False
        session.begins = session.is_open = False
        session._duck_conn.execute("ROLLBACK")
        return True

    def _end(self, session: Any, word: str, run: Callable[[str], Any]) -> Any:
        was_open, session.begins, session.is_open = getattr(session, "is_open", False), False, False
        return run(word if was_open else "SELECT 'Statement executed successfully.' AS status")

    def _statement(self, cursor: Any, command: str, run: Callable[[str], Any]) -> Any:
        if stages.remove(command, cursor._conn):
            return run("SELECT 'x' AS name, 'removed' AS result")
        copy = stages.Copy.of(command, cursor._conn)
        if copy is None:
            return run(command)
        duck = cursor._duck_conn
        there = {row[0] for row in duck.execute(f"DESCRIBE SELECT * FROM '{copy.paths[0]}'").fetchall()}
        try:
            duck.execute(copy.as_duckdb(copy.table, there))
        except duckdb.ConstraintException as error:
            raise stages.refused(100072, "22000", "NULL result in a non-nullable column") from error
        except duckdb.Error as error:
            raise stages.refused(100038, "22018", str(error)) from error
        return run("SELECT 'x' AS file, 'LOADED' AS status")

    def forget(self, session: Any) -> None:
        """End a session: what it holds is free, what it has not committed is gone."""
        self.locks.release(session)


def _with_temporary(session: Any, command: str) -> str:
    """A statement in which a session's temporary tables have no schema, as DuckDB keeps them."""
    names: set[str] = session.__dict__.setdefault("temporary", set())
    if match := _TEMPORARY.match(command):
        names.add(match[3])
        command = command.replace(f"{match[2]}.{match[3]}", match[3], 1)
    for name in names:
        command = re.sub(rf'"[^"]+"\."[^"]+"\.{re.escape(name)}', lambda _, name=name: name, command)
    return command


_log_in = fakesnow.server.login_request
_as_struct = fakesnow.arrow.timestamp_to_sf_struct


def _with_nulls(times: Any) -> pa.Array:
    """Times as the wire has them; fakesnow's own would turn null into some time."""
    times = times.combine_chunks() if isinstance(times, pa.ChunkedArray) else times
    filled = _as_struct(times.fill_null(pa.scalar(0, pa.int64()).cast(times.type)))
    return pa.StructArray.from_arrays(filled.flatten(), fields=list(filled.type), mask=times.is_null())


class _ServerError(fakesnow.server.ServerError):
    """An error that the client is told once: at a status of 500 it would ask again without end."""

    def __init__(self, status_code: int, code: str, message: str) -> None:
        super().__init__(200 if status_code == 500 else status_code, code, message)


@contextmanager
def application(service: Service) -> Iterator[Starlette]:
    """Fakesnow's application with the service before it, while the block lasts."""
    original = FakeSnowflakeCursor.execute

    def execute(cursor: Any, command: str, *arguments: Any, **options: Any) -> Any:
        if not options.get("server"):  # fakesnow's own questions
            return original(cursor, command, *arguments, **options)
        try:
            return service.execute(cursor, command, lambda sql: original(cursor, sql, *arguments, **options))
        except ProgrammingError:
            raise
        except (duckdb.Error, AssertionError, KeyError, ValueError) as error:
            raise stages.refused(2000, "42000", f"{type(error).__name__}: {error}") from error

    FakeSnowflakeCursor.execute = execute  # type: ignore[method-assign]
    fakesnow.arrow.timestamp_to_sf_struct = _with_nulls
    former, fakesnow.server.ServerError = fakesnow.server.ServerError, _ServerError  # type: ignore[misc]
    try:
        routes = [each for each in fakesnow.server.routes if each.path != "/session/v1/login-request"]
        yield Starlette(routes=[Route("/session/v1/login-request", service.log_in, methods=["POST"]), *routes])
    finally:
        FakeSnowflakeCursor.execute = original  # type: ignore[method-assign]
        fakesnow.arrow.timestamp_to_sf_struct = _as_struct
        fakesnow.server.ServerError = former  # type: ignore[misc]
