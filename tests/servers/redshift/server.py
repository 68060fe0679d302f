"""A database of the tests' Redshift, and what tests ask of it."""

from __future__ import annotations

import itertools
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from demo.servers.postgres_server import PostgresServer
from tests.servers.buckets import Buckets
from tests.servers.redshift.copying import Lake
from tests.servers.redshift.proxy import Proxy, redshift_proxy
from tests.servers.redshift.sql import BOOTSTRAP
from tests.servers.tls_proxy import certificate

ROLE = "arn:aws:iam::123456789012:role/bifrost-copy"
_NUMBERS = itertools.count(1)


@dataclass
class Redshift:
    """One database.

    Args:
        proxy: Where clients connect, by TLS when they wish for it.
        postgres: The server behind it.
        database: The database's name.
        buckets: The S3 server.
        bucket: A staging bucket.
        pem: The file of its certificate.
        conn_id: An Airflow connection that signs in without TLS.
        aws_conn_id: An Airflow connection for the S3 server.
    """

    proxy: Proxy
    postgres: PostgresServer
    database: str
    buckets: Buckets
    bucket: str
    pem: Path
    conn_id: str = "redshift_test"
    aws_conn_id: str = "redshift_test_aws"

    def config(self, **changes: Any) -> dict[str, Any]:
        """A destination's config."""
        staging = {"bucket": self.bucket, "prefix": "warehouse", "iam_role": ROLE}
        base = {"conn_id": self.conn_id, "aws_conn_id": self.aws_conn_id, "region": "us-west-2", "staging": staging}
        whole = {**base, "database": self.database, "schema": "public", "table": "request_logs", **changes}
        return {key: value for key, value in whole.items() if value is not None}

    def connections(self, user: str | None = None, password: str | None = None) -> dict[str, str]:
        """The two connections as variables."""
        sign_in = {
            "conn_type": "redshift",
            "host": "127.0.0.1",
            "port": self.proxy.port,
            "login": user or self.postgres.user,
            "password": password or self.postgres.password,
            "extra": {"ssl": False},
        }
        aws = {
            "conn_type": "aws",
            "login": self.buckets.server.access_key_id,
            "password": self.buckets.server.secret_access_key,
            "extra": {"endpoint_url": self.buckets.url, "region_name": "us-west-2"},
        }
        return {
            f"AIRFLOW_CONN_{self.conn_id.upper()}": json.dumps(sign_in),
            f"AIRFLOW_CONN_{self.aws_conn_id.upper()}": json.dumps(aws),
        }

    def sql(self, sql: str) -> list[list[str]]:
        """The rows that a statement gives, as texts, asked beside the proxy."""
        told = self.postgres.psql(f"SET timezone TO 'UTC'; {sql}", self.database)
        return [line.split("|") for line in told.splitlines()]

    def staged(self) -> list[str]:
        """What is staged: objects of the bucket, and tables of parts."""
        tables = self.sql("SELECT tablename FROM pg_tables WHERE tablename LIKE 'bifrost_part%'")
        return [*self.buckets.contents(self.bucket), *(name for (name,) in tables)]


@pytest.fixture(scope="session")
def redshift_certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, and its key."""
    return certificate(tmp_path_factory.mktemp("redshift"))


@contextmanager
def redshift_database(
    postgres: PostgresServer, buckets: Buckets, redshift_certificate: tuple[Path, Path]
) -> Iterator[Redshift]:
    """Have an empty database behind the proxy, and an empty staging bucket, while the block lasts."""
    name = f"warehouse_{next(_NUMBERS)}"
    postgres.create_database(name)
    postgres.psql(BOOTSTRAP, name)
    lake = Lake(buckets.url, {ROLE: (buckets.server.access_key_id, buckets.server.secret_access_key)})
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*redshift_certificate)
    with redshift_proxy(postgres.port, lake, tls) as proxy:
        yield Redshift(proxy, postgres, name, buckets, buckets.make_bucket(), redshift_certificate[0])
    postgres.drop_database(name)


@pytest.fixture
def redshift(
    postgres: PostgresServer,
    buckets: Buckets,
    redshift_certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Redshift]:
    """An empty database behind the proxy, and an empty staging bucket; their connections are in the environment."""
    with redshift_database(postgres, buckets, redshift_certificate) as found:
        for variable, value in found.connections().items():
            monkeypatch.setenv(variable, value)
        yield found
