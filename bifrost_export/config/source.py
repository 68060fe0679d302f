"""Where the log store of an export is named: five places, looked at in their order (contract, section 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from bifrost_export.config.problems import Problem
from bifrost_export.config.references import Resolver
from bifrost_export.config.sources import NOT_YET, SOURCE_CONFIGS
from bifrost_export.errors import ConfigError

if TYPE_CHECKING:
    from bifrost_export.config.documents import Document, Loaded

VARIABLE = "BIFROST_LOG_STORE"
CONNECTION_ID = "bifrost_logs"
_CONNECTION_VARIABLE = "AIRFLOW_CONN_BIFROST_LOGS"
_ADDRESS = "sqlite:////absolute/path/logs.db, with four slashes"
PLACES = (
    "the export's `source`",
    "`log_exports.source`",
    "`logs_store` of the same document",
    f"the variable {VARIABLE} (sqlite:////path/logs.db)",
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
    for source, pointer in (
        (frozen["export"].get("source"), f"{frozen['pointer']}/source"),
        (frozen.get("source"), frozen.get("source_pointer") or "/log_exports/source"),
    ):
        if source:
            config = resolver.resolve(source["config"], SOURCE_CONFIGS.get(source["type"]), f"{pointer}/config")
            return source["type"], config
    address = resolver.environ.get(VARIABLE)
    if address:
        return from_address(address, resolver)
    connection = _connection(get_connection)
    if connection is not None:
        return _from_connection(connection, resolver)
    raise ConfigError("no log store is named", allowed=_allowed())


def from_address(address: str, resolver: Resolver) -> tuple[str, dict[str, Any]]:
    """Read the variable `BIFROST_LOG_STORE`.

    Raises:
        ConfigError: It is no address of a log store that can be read.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    if not parts.scheme:
        raise ConfigError(f"the variable {VARIABLE} holds no address", allowed=_ADDRESS)
    kind = _supported(parts.scheme.replace("postgresql", "postgres"), f"the variable {VARIABLE}")
    path = unquote(parts.path[1:])
    if parts.netloc or not path:
        raise ConfigError(f"the variable {VARIABLE} names no file", allowed=_ADDRESS)
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


def _from_connection(connection: Any, resolver: Resolver) -> tuple[str, dict[str, Any]]:
    kind = _supported(str(connection.conn_type), f"the connection {CONNECTION_ID}")
    path = str(connection.host or connection.schema or "")
    if not path:
        raise ConfigError(
            f"the connection {CONNECTION_ID} names no file", allowed="the SQLite file's absolute path as its host"
        )
    return kind, {"path": resolver.absolute(path)}


def _supported(kind: str, where: str) -> str:
    if kind not in SOURCE_CONFIGS:
        raise ConfigError(
            f"{where} names a log store of type {kind!r}: {NOT_YET.get(kind, 'there is no such log store')}",
            allowed=", ".join(sorted(SOURCE_CONFIGS)),
        )
    return kind


def _connection(get_connection: Callable[[str], Any] | None) -> Any:
    if get_connection is None:
        return None
    try:
        return get_connection(CONNECTION_ID)
    except Exception as error:  # Airflow's class has moved between versions, and none may be imported here
        if type(error).__name__ in {"AirflowNotFoundException", "AirflowRuntimeError"}:
            return None
        raise
