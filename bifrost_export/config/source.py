"""Where the log store of an export is named: five places, looked at in their order (contract, section 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import BaseModel

from bifrost_export.config.forms.source_map import Origins
from bifrost_export.config.models.kinds import NOT_YET, source_model
from bifrost_export.config.references.resolver import Resolver
from bifrost_export.errors import ConfigError, UnknownNameError
from bifrost_export.fields.field_walk import Place, map_texts
from bifrost_export.logstore.source_config import SourceConfig
from bifrost_export.problem import Problem
from bifrost_export.registry import LOG_STORES

if TYPE_CHECKING:
    from bifrost_export.config.documents import Document, Loaded

VARIABLE = "BIFROST_LOG_STORE"
CONNECTION_ID = "bifrost_logs"
_CONNECTION_VARIABLE = "AIRFLOW_CONN_BIFROST_LOGS"
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
            config = resolver.resolve(source["config"], source_model(source["type"]), f"{pointer}/config")
            return source["type"], _connected(source["type"], config, resolver, get_connection)
    address = resolver.environ.get(VARIABLE)
    if address:
        return from_address(address, resolver)
    connection = _connection(get_connection, CONNECTION_ID)
    if connection is not None:
        return _from_connection(connection, CONNECTION_ID, resolver)
    raise ConfigError("no log store is named", allowed=_allowed())


def guard_host(frozen: dict[str, Any], config: BaseModel, resolver: Resolver) -> None:
    """Keep this machine's secrets from a host that only the document names.

    Args:
        frozen: As `freeze` gives it.
        config: Of the log store that `find_source` has found.
        resolver: Knows the document.
    """
    source = next((source for source, _ in _in_document(frozen) if source), None)
    if source is not None and source["config"].get("conn_id") is None and isinstance(config, SourceConfig):
        config.named_by_document(resolver.as_written(source["config"]))


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
    type_: str, config: dict[str, Any], resolver: Resolver, get_connection: Callable[[str], Any] | None
) -> dict[str, Any]:
    """A source's config, with what an Airflow connection says in the place of `conn_id`."""
    conn_id = config.get("conn_id")
    if conn_id is None or not _reads_connections(source_model(type_)):
        return config
    connection = _connection(get_connection, conn_id)
    if connection is None:
        raise ConfigError(
            f"there is no Airflow connection {conn_id!r}, which the source names",
            hint=f"Make it in Airflow, or set AIRFLOW_CONN_{conn_id.upper()}.",
        )
    kind, found = _from_connection(connection, conn_id, resolver)
    if kind != type_:
        raise ConfigError(f"the connection {conn_id} is one of type {connection.conn_type!r}", allowed=type_)
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
        addresses = [LOG_STORES.config_model(name).ADDRESS for name in LOG_STORES.configs]
        raise ConfigError(f"{where} holds no address", allowed=", or ".join(addresses))
    kind = _supported(parts.scheme, where)
    model = _model(kind)
    return kind, _told(model.from_address(address, where), model, resolver)


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
    model = _model(kind)
    return kind, _told(model.from_connection(connection, conn_id), model, resolver)


def _model(kind: str) -> type[SourceConfig]:
    """The log store's model; one that isn't a `SourceConfig` has neither address nor connection."""
    model = source_model(kind)
    return model if issubclass(model, SourceConfig) else SourceConfig


def _reads_connections(model: type[BaseModel]) -> bool:
    """Whether a connection says its keys; without, what `conn_id` means is the log store's own matter."""
    if not issubclass(model, SourceConfig):
        return False
    return getattr(model.from_connection, "__func__", None) is not getattr(SourceConfig.from_connection, "__func__", 0)


def _told(config: dict[str, Any], model: type[BaseModel], resolver: Resolver) -> dict[str, Any]:
    """The config, with absolute paths, once its secrets are known as such."""

    def change(text: str, place: Place, _: str) -> str:
        if place.secret and text and resolver.on_secret is not None:
            resolver.on_secret(text)
        return resolver.absolute(text) if place.path else text

    found: dict[str, Any] = map_texts(config, model, "", change)
    return found


def _supported(kind: str, where: str) -> str:
    # No scheme has an underscore, and Airflow writes types of connections either way.
    kind = _KINDS.get(kind, kind.replace("-", "_"))
    try:
        source_model(kind)
    except UnknownNameError as error:
        told = NOT_YET.get(kind, "there is no such log store")
        raise ConfigError(
            f"{where} names a log store of type {kind!r}: {told}", allowed=error.allowed, hint=error.hint
        ) from None
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
