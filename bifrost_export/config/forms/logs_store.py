"""Bifrost's own key `logs_store`, read as a source: it has more keys than one, which are left alone."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from bifrost_export.config.checks.checker import Checker
from bifrost_export.config.checks.messages import of_wrong_key
from bifrost_export.config.documents import Document
from bifrost_export.config.export_reading import read_source
from bifrost_export.config.models.kinds import NOT_YET, config_model
from bifrost_export.fields.field_walk import fields_of
from bifrost_export.logstore.payloads.config import ObjectStorage
from bifrost_export.registry import LOG_STORES

_DEFAULT_PATH = "./logs.db"  # Bifrost's own, in its app folder
_POSTGRES = ("host", "port", "user", "password", "db_name", "ssl_mode")


def read_logs_store(checker: Checker, document: Document, store: Any) -> None:
    """Take the document's source from it.

    Args:
        checker: Notes its problems.
        document: Gets the source.
        store: What stands under the key, of any JSON type.
    """
    if not isinstance(store, dict) or store.get("enabled") is False:
        return
    read = [f"/logs_store/config/{key}" for key in ("path", *_POSTGRES)]
    whole = ("/logs_store/type", "/logs_store/config", "/logs_store/object_storage")
    for pointer in ("/logs_store", *whole, *read):
        checker.stand_twice(pointer, but=pointer)
    kind, config = store.get("type"), store.get("config")
    document.source_pointer = "/logs_store"
    if not isinstance(kind, str) or kind not in LOG_STORES.names():
        told = NOT_YET.get(str(kind), "there is no such log store")
        checker.add("/logs_store/type", told, allowed=", ".join(LOG_STORES.names()))
        return
    wanted = _wanted(checker, kind, config if isinstance(config, dict) else {})
    if store.get("object_storage") is not None:
        checker.origins.move("/logs_store/config/object_storage", "/logs_store/object_storage")
        wanted["object_storage"] = _object_storage(store["object_storage"])
    document.source = read_source(checker, {"type": kind, "config": wanted}, "/logs_store")


def _wanted(checker: Checker, kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """The keys of `logs_store.config` that are read, of those that Bifrost has there."""
    if kind == "sqlite":
        path = config.get("path")
        return {"path": path if isinstance(path, str) and path else _DEFAULT_PATH}
    if kind == "postgres":
        _refuse_command(checker, config)
        known: Collection[str] = _POSTGRES
    else:  # one of an installed package, which may read what Bifrost writes there
        model = config_model("source", kind)
        known = fields_of(model) if model is not None else ()
    return {key: config[key] for key in known if config.get(key) not in (None, "")}


def _object_storage(value: Any) -> Any:
    """The keys that are read; Bifrost may have more of them."""
    if not isinstance(value, dict):
        return value
    known = set(ObjectStorage.model_fields) - {"conn_id"}
    return {key: each for key, each in value.items() if key in known and each not in (None, "")}


def _refuse_command(checker: Checker, config: dict[str, Any]) -> None:
    if config.get("password_command"):
        message, _, _ = of_wrong_key("password_command", [])
        hint = "Name the log store in log_exports.source, with a password from a variable."
        checker.add("/logs_store/config/password_command", message, of_key=True, hint=hint)
