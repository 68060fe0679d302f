"""Where the log store is named: five places, in their order."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.config.freezing import freeze
from bifrost_export.config.references.resolver import Resolver
from bifrost_export.config.source import PLACES, find_source, warn_of_unnamed
from bifrost_export.errors import ConfigError
from tests.unit.config.documents import document, export, loaded


@dataclass
class Connection:
    """What is read of an Airflow connection."""

    conn_type: str = "sqlite"
    host: str | None = None
    schema: str | None = None
    port: int | None = None
    login: str | None = None
    password: str | None = None
    extra_dejson: dict[str, Any] = field(default_factory=dict)


def source(path: str) -> dict[str, Any]:
    """A source in the document."""
    return {"type": "sqlite", "config": {"path": path}}


def find(folder: Path, content: Any, environ: dict[str, str] | None = None, connection: Any = None) -> Any:
    """The log store of the first export of a document."""
    frozen = freeze(loaded(folder, content).exports[0])
    resolver = Resolver(environ or {}, document=Path(frozen["document"]))
    return find_source(frozen, resolver, connection and (lambda _: connection))


def test_the_first_of_the_five_places_that_names_one_counts(tmp_path: Path) -> None:
    """Each is asked when those before it are silent."""
    everywhere = document(export(source=source("/1.db")), logs_store=source("/3.db"))
    everywhere["log_exports"]["source"] = source("/2.db")
    surroundings: dict[str, Any] = {
        "environ": {"BIFROST_LOG_STORE": "sqlite:////4.db"},
        "connection": Connection(host="/5.db"),
    }
    assert find(tmp_path, everywhere, **surroundings) == ("sqlite", {"path": "/1.db"})
    del everywhere["log_exports"]["exports"][0]["source"]
    assert find(tmp_path, everywhere, **surroundings) == ("sqlite", {"path": "/2.db"})
    del everywhere["log_exports"]["source"]
    assert find(tmp_path, everywhere, **surroundings) == ("sqlite", {"path": "/3.db"})
    del everywhere["logs_store"]
    assert find(tmp_path, everywhere, **surroundings) == ("sqlite", {"path": "/4.db"})
    assert find(tmp_path, everywhere, {}, surroundings["connection"]) == ("sqlite", {"path": "/5.db"})


def test_none_of_them_is_an_error_that_names_all(tmp_path: Path) -> None:
    """Without Airflow as well."""
    with pytest.raises(ConfigError, match="no log store is named") as caught:
        find(tmp_path, document())
    assert all(place in str(caught.value) for place in PLACES)


def test_a_connection_that_isnt_there_is_no_error_of_its_own(tmp_path: Path) -> None:
    """Any other fault of Airflow's is."""

    class AirflowNotFoundException(Exception):  # noqa: N818 (Airflow's own name)
        """As Airflow raises it."""

    def missing(_: str) -> None:
        raise AirflowNotFoundException

    def broken(_: str) -> None:
        raise OSError("the secrets backend is away")

    frozen = freeze(loaded(tmp_path, document()).exports[0])
    with pytest.raises(ConfigError, match="no log store is named"):
        find_source(frozen, Resolver({}), missing)
    with pytest.raises(OSError, match="away"):
        find_source(frozen, Resolver({}), broken)


def test_references_are_filled_in_and_paths_taken_from_the_documents_folder(tmp_path: Path) -> None:
    """In the document, in Bifrost's own key, and in the variable."""
    environ = {"DB": "x/logs.db"}
    wanted = ("sqlite", {"path": str(tmp_path / "x" / "logs.db")})
    assert find(tmp_path, document(export(source=source("${DB}"))), environ) == wanted
    assert find(tmp_path, document(logs_store=source("env.DB")), environ) == wanted
    assert find(tmp_path, document(), {"BIFROST_LOG_STORE": "sqlite:///x/logs.db"}) == wanted
    assert find(tmp_path, document(), {"BIFROST_LOG_STORE": "sqlite:////a%20b/c.db"}) == (
        "sqlite",
        {"path": "/a b/c.db"},
    )


def test_postgresql_is_named_in_four_ways(tmp_path: Path) -> None:
    """In our keys, in Bifrost's own with its references, by an address, and by an Airflow connection."""
    keys = {"host": "db.internal", "port": 6432, "user": "reader", "password": "p@ss/w", "db_name": "bifrost"}
    wanted = ("postgres", keys)
    referring = {**keys, "password": "${PW}"}
    own = {**keys, "port": "6432", "password": "env.PW", "max_open_conns": 50}
    address = "postgresql://reader:p%40ss%2Fw@db.internal:6432/bifrost"
    connection = Connection("postgres", "db.internal", "bifrost", 6432, "reader", "p@ss/w")

    assert (
        find(tmp_path, document(export(source={"type": "postgres", "config": referring})), {"PW": "p@ss/w"}) == wanted
    )
    kind, config = find(tmp_path, document(logs_store={"type": "postgres", "config": own}), {"PW": "p@ss/w"})
    assert (kind, {**config, "port": int(config["port"])}) == wanted
    assert find(tmp_path, document(), {"BIFROST_LOG_STORE": address}) == wanted
    assert find(tmp_path, document(), connection=connection) == wanted


def test_the_schema_and_ssl_of_postgresql_come_along(tmp_path: Path) -> None:
    """From an address and from a connection's extra."""
    told = {"ssl_mode": "verify-full", "ssl_root_cert": "/ca.pem", "schema": "gateway"}
    address = "postgresql://host/db?sslmode=verify-full&sslrootcert=/ca.pem&options=-c%20search_path%3Dgateway"
    extra = {"sslmode": "verify-full", "sslrootcert": "/ca.pem", "options": "-c search_path=gateway", "cursor": "x"}

    by_address = find(tmp_path, document(), {"BIFROST_LOG_STORE": address})[1]
    by_connection = find(tmp_path, document(), connection=Connection("postgres", "host", "db", extra_dejson=extra))[1]
    assert by_address == {"host": "host", "port": 5432, "db_name": "db", **told}
    assert by_connection == {"host": "host", "db_name": "db", **told}


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("postgresql://user:canary@/db", "names no host"),
        ("postgresql://user:canary@host", "names no database"),
        ("postgresql://user:canary@host:port/db", "holds no address"),
        ("postgresql://user:canary@host/db?sslmod=require", "unknown parameter 'sslmod'"),
        ("postgresql://user:canary@host/db?options=-c%20statement_timeout%3D1", "options that are not understood"),
        ("clickhouse://host", "not supported"),
        ("mysql://host", "there is no such log store"),
        ("/var/logs.db", "holds no address"),
        ("sqlite://[", "holds no address"),
        ("sqlite://logs.db", "names no file"),
        ("sqlite://", "names no file"),
    ],
)
def test_an_address_that_cant_be_read_is_told(address: str, message: str, tmp_path: Path) -> None:
    """Without what stands in it."""
    with pytest.raises(ConfigError, match=message) as caught:
        find(tmp_path, document(), {"BIFROST_LOG_STORE": address})
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("connection", "message"),
    [
        (Connection("postgres", "host"), "names no database"),
        (Connection("postgres", "host", "db", extra_dejson={"iam": True}), "signs in by iam"),
        (Connection("mysql", "host", "db"), "there is no such log store"),
        (Connection(), "names no file"),
    ],
    ids=["no database", "another way to sign in", "another database", "empty"],
)
def test_a_connection_that_names_no_log_store_is_told(connection: Connection, message: str, tmp_path: Path) -> None:
    """It is there, so nobody meant to go without."""
    with pytest.raises(ConfigError, match=message):
        find(tmp_path, document(), connection=connection)


def test_validate_is_warned_once_a_document_when_none_is_named(tmp_path: Path) -> None:
    """Unless the surroundings name one, or every good export has its own."""
    found = loaded(tmp_path, document(export(), export(name="b")))
    (warning,) = warn_of_unnamed(found, {})
    assert (warning.severity, warning.pointer, warning.line) == ("warning", "/log_exports", 2)
    assert warn_of_unnamed(found, {"BIFROST_LOG_STORE": "sqlite:////a.db"}) == []
    assert warn_of_unnamed(found, {"AIRFLOW_CONN_BIFROST_LOGS": "sqlite:////a.db"}) == []
    assert warn_of_unnamed(loaded(tmp_path, document(export(source=source("a")))), {}) == []
    assert warn_of_unnamed(loaded(tmp_path, document(export(data=1))), {}) == []
