"""A PostgreSQL server for tests: one a session, with a fresh database for each test that asks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from bifrost_export.logstore.postgres.address import from_address
from bifrost_export.logstore.postgres.config import PostgresConfig
from bifrost_export.sample.postgres_tables import create
from demo.servers.postgres_server import PostgresServer, postgres_server

_NUMBERS = itertools.count(1)
TEMPLATE = "bifrost_empty"


def config_of(url: str, **over: Any) -> PostgresConfig:
    """The config of a log store at an address; `over` says what is different."""
    return PostgresConfig.model_validate({**from_address(url, "the test"), **over})


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The server, ended by its process id when the session ends."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def postgres_database(postgres: PostgresServer) -> Iterator[str]:
    """The name of an empty database of the test's own."""
    name = f"test_{next(_NUMBERS)}"
    postgres.create_database(name)
    yield name
    postgres.drop_database(name)


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> str:
    """The name of a database with Bifrost's tables and no row, to copy."""
    create(postgres.create_database(TEMPLATE))
    return TEMPLATE


@pytest.fixture
def postgres_store(postgres: PostgresServer, postgres_template: str) -> Iterator[str]:
    """The address of an empty log store of the test's own, with user and password in it."""
    name = f"test_{next(_NUMBERS)}"
    yield postgres.create_database(name, postgres_template)
    postgres.drop_database(name)
