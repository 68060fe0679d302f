"""Where the log store of an export is named: five places, looked at in their order (contract, section 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from bifrost_export.config.forms.source_map import Origins
from bifrost_export.config.references.resolver import Resolver
from bifrost_export.config.sources import NOT_YET, SOURCE_CONFIGS
from bifrost_export.errors import ConfigError
from bifrost_export.logstore.postgres import address as postgres_source
from bifrost_export.logstore.postgres.config import PostgresConfig
from bifrost_export.problem import Problem

if TYPE_CHECKING:
    from bifrost_export.config.documents import Document, Loaded

VARIABLE = "BIFROST_LOG_STORE"
CONNECTION_ID = "bifrost_logs"
_CONNECTION_VARIABLE = "AIRFLOW_CONN_BIFROST_LOGS"
_ADDRESS = "sqlite:////absolute/path/logs.db, with four slashes"
_ADDRESSES = f"{_ADDRESS}, or {postgres_source.ADDRESS}"
_KINDS = {"postgresql": "postgres"}
PLACES = (
    "the export's `source`",
    "`log_exports.source`",
    "`logs_store` of the same document",
    f"the variable {VARIABLE} (sqlite:////path/logs.db or postgresql://...)",
    f"the Airflow connection {CONNECTION_ID}",
)


def find_source(
    frozen: dict[str, Any], resolver: Resolver, get_connection: Callable[[str], Any] | None
) -> tuple[str, dict[str, Any]]:
    """The log store of an export.

    Args:
        frozen: As `freeze` gives it; its `source` is the document's, be it Bifrost's own key.
        resolver: Fills references in.
        get_connection: Finds an Airflow connection, or None where there is no Airflow.

    Returns:
        Its type, and its config with references filled in.

    Raises:
        ConfigError: None of the five places names one, or one that can't be read.
    """
    for source, pointer in _in_document(frozen):
        if source:
            config = resolver.resolve(source["config"], SOURCE_CONFIGS.get(source["type"]), f"{pointer}/config")
            return source["type"], _connected(config, resolver, get_connection)
    address = resolver.environ.get(VARIABLE)
    if address:
        return from_address(address, resolver)
    connection = _connection(get_connection, CONNECTION_ID)
    if connection is not None:
        return _from_connection(connection, CONNECTION_ID, resolver)
    raise ConfigError("no log store is named", allowed=_allowed())


def guard_host(frozen: dict[str, Any], config: PostgresConfig, resolver: Resolver) -> None:
    """Keep this machine's passwords from a host that only the document names.

    Args:
        frozen: As `freeze` gives it.
        config: Of the log store that `find_source` has found.
        resolver: Knows the document.
    """
    source = next((source for source, _ in _in_document(frozen) if source), None)
    if source is not None and source["config"].get("conn_id") is None:
        config.named_by_document(resolver.as_written(source["config"].get("password")))


def _in_document(frozen: dict[str, Any]) -> tuple[tuple[dict[str, Any] | None, str], ...]:
    """The sources that the document may name, with where each stands."""
    return (
        (frozen["export"].get("source"), f"{frozen['pointer']}/source"),
        (frozen.get("source"), frozen.get("source_pointer") or "/log_exports/source"),
    )


def place_of_object_storage(frozen: dict[str, Any]) -> str:
    """Where the document names the object storage of its source, for messages: `logs_store.object_storage`.

    Args:
        frozen: As `freeze` gives it.
    """
    source = next((pointer for source, pointer in _in_document(frozen) if source), "/source")
    written = Origins(frozen.get("moved")).written(f"{source}/config/object_storage")
    return written.removeprefix(frozen["pointer"]).strip("/").replace("/", ".")


def _connected(
    config: dict[str, Any], resolver: Resolver, get_connection: Callable[[str], Any] | None
) -> dict[str, Any]:
    """A source's config, with what an Airflow connection says in the place of `conn_id`."""
    conn_id = config.get("conn_id")
    if conn_id is None:
        return config
    connection = _connection(get_connection, conn_id)
    if connection is None:
        raise ConfigError(
            f"there is no Airflow connection {conn_id!r}, which the source names",
            hint=f"Make it in Airflow, or set AIRFLOW_CONN_{conn_id.upper()}.",
        )
    kind, found = _from_connection(connection, conn_id, resolver)
    if kind != "postgres":
        raise ConfigError(f"the connection {conn_id} is one of type {connection.conn_type!r}", allowed="postgres")
    return {**found, **{key: value for key, value in config.items() if key != "conn_id"}}


def from_address(address: str, resolver: Resolver) -> tuple[str, dict[str, Any]]:
    """Read the variable `BIFROST_LOG_STORE`.

    Raises:
        ConfigError: It is no address of a log store that can be read.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    where = f"the variable {VARIABLE}"
    if not parts.scheme:
        raise ConfigError(f"{where} holds no address", allowed=_ADDRESSES)
    kind = _supported(parts.scheme, where)
    if kind == "postgres":
        return kind, _told(postgres_source.from_address(address, where), resolver)
    path = unquote(parts.path[1:])
    if parts.netloc or not path:
        raise ConfigError(f"{where} names no file", allowed=_ADDRESS)
    return kind, {"path": resolver.absolute(path)}


def warn_of_unnamed(loaded: Loaded, environ: Mapping[str, str]) -> list[Problem]:
    """A warning for each document with an export whose log store only the workers' surroundings may name.

    Args:
        loaded: The documents.
        environ: The variables of whoever asks.
    """
    if environ.get(VARIABLE) or environ.get(_CONNECTION_VARIABLE):
        return []
    unnamed = {
        id(each.document): each.document
        for each in loaded.exports
        if each.export is not None and each.export.source is None and each.document.source is None
    }
    return [_unnamed(document) for document in unnamed.values()]


def _unnamed(document: Document) -> Problem:
    whole = document.text.value if document.text is not None else {}
    pointer = next((f"/{key}" for key in ("log_exports", "export") if key in whole), "")
    line, column = document.text.place(pointer) if document.text is not None else (None, None)
    return Problem(
        "warning",
        pointer,
        "no log store is named here: a run fails where neither variable nor connection names one",
        line=line,
        column=column,
        allowed=_allowed(),
        file=document.path.name,
    )


def _allowed() -> str:
    return f"in this order: {'; '.join(PLACES)}"


def _from_connection(connection: Any, conn_id: str, resolver: Resolver) -> tuple[str, dict[str, Any]]:
    kind = _supported(str(connection.conn_type), f"the connection {conn_id}")
    if kind == "postgres":
        return kind, _told(postgres_source.from_connection(connection, conn_id), resolver)
    path = str(connection.host or connection.schema or "")
    if not path:
        raise ConfigError(
            f"the connection {conn_id} names no file", allowed="the SQLite file's absolute path as its host"
        )
    return kind, {"path": resolver.absolute(path)}


def _told(config: dict[str, Any], resolver: Resolver) -> dict[str, Any]:
    """The config, once its password is known as a secret."""
    if config.get("password") and resolver.on_secret is not None:
        resolver.on_secret(config["password"])
    return config


def _supported(kind: str, where: str) -> str:
    kind = _KINDS.get(kind, kind)
    if kind not in SOURCE_CONFIGS:
        raise ConfigError(
            f"{where} names a log store of type {kind!r}: {NOT_YET.get(kind, 'there is no such log store')}",
            allowed=", ".join(sorted(SOURCE_CONFIGS)),
        )
    return kind


def _connection(get_connection: Callable[[str], Any] | None, conn_id: str) -> Any:
    if get_connection is None:
        return None
    try:
        return get_connection(conn_id)
    except Exception as error:  # Airflow's class has moved between versions, and none may be imported here
        if type(error).__name__ in {"AirflowNotFoundException", "AirflowRuntimeError"}:
            return None
        raise
