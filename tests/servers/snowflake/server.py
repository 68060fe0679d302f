"""A database of the tests' Snowflake, and what tests ask of it."""

from __future__ import annotations

import itertools
import json
import os
import ssl
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from demo.servers.processes import free_port, running, wait_until
from tests.servers.tls_proxy import certificate

USER, PASSWORD = "EXPORTER", "snowflake-secret-of-no-worth"
ROOT = Path(__file__).parents[3]
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Server:
    """The running server.

    Args:
        port: Where it listens, by TLS.
        pem: The file of its certificate.
    """

    port: int
    pem: Path

    def tell(self, **told: Any) -> Any:
        """Tell or ask it something that is no affair of Snowflake's."""
        request = urllib.request.Request(f"https://127.0.0.1:{self.port}/test", json.dumps(told).encode())
        trusts = ssl.create_default_context(cafile=str(self.pem))
        with urllib.request.urlopen(request, timeout=60, context=trusts) as answer:  # noqa: S310 (loopback)
            return json.load(answer)

    def answers(self) -> bool:
        """Whether it is up."""
        try:
            self.tell()
        except OSError:
            return False
        return True


@dataclass
class Snowflake:
    """One database.

    Args:
        server: The server.
        database: The database's name.
        conn_id: An Airflow connection that signs in.
    """

    server: Server
    database: str
    conn_id: str = "snowflake_test"

    def config(self, **changes: Any) -> dict[str, Any]:
        """A destination's config."""
        base = {"conn_id": self.conn_id, "database": self.database, "schema": "PUBLIC", "table": "request_logs"}
        return {key: value for key, value in {**base, **changes}.items() if value is not None}

    def connections(self, user: str = USER, password: str = PASSWORD) -> dict[str, str]:
        """The connection as a variable."""
        extra = {
            "account": "fakesnow",
            "warehouse": "WH",
            "host": "127.0.0.1",
            "port": self.server.port,
            "session_parameters": {"CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": False},
        }
        told = {"conn_type": "snowflake", "login": user, "password": password, "extra": extra}
        return {f"AIRFLOW_CONN_{self.conn_id.upper()}": json.dumps(told)}

    @property
    def environment(self) -> dict[str, str]:
        """What the driver needs to find and trust the server."""
        needed = {"REQUESTS_CA_BUNDLE": str(self.server.pem), "SNOWFLAKE_DISABLE_PLATFORM_DETECTION": "true"}
        return {**needed, **self.connections()}

    def sql(self, sql: str) -> list[list[str]]:
        """The rows that a statement gives, as texts, asked beside the service."""
        return list(self.server.tell(database=self.database, sql=sql))

    def staged(self) -> list[str]:
        """What is staged."""
        return list(self.server.tell(database=self.database, stage="BIFROST_EXPORT_STAGE"))


@pytest.fixture(scope="session")
def snowflake_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server, ended by its process id when the session ends."""
    folder, port = tmp_path_factory.mktemp("snowflake"), free_port()
    pem, key = certificate(folder)
    command = [sys.executable, "-m", "tests.servers.snowflake.program", str(port), str(pem), str(key)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
    with running("Snowflake's stand-in", command, folder / "server.log", environment) as process:
        server = Server(port, pem)
        wait_until(server.answers, [process], 120, "Snowflake's stand-in")
        yield server


@pytest.fixture
def snowflake(snowflake_server: Server, monkeypatch: pytest.MonkeyPatch) -> Snowflake:
    """An empty database; its connection is in the environment."""
    snowflake_server.tell(users={USER: {"password": PASSWORD}}, faults=[], forget=True, idle_seconds=300.0)
    found = Snowflake(snowflake_server, f"WAREHOUSE_{next(_NUMBERS)}")
    found.sql("SELECT 1")
    for name, value in found.environment.items():
        monkeypatch.setenv(name, value)
    return found
