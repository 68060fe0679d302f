"""Where an export reads and writes, in words for its DAG's page: the keys as written, and no credentials."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bifrost_export.airflow.marking_up import plain
from bifrost_export.config.references import DOCUMENT
from bifrost_export.config.source import CONNECTION_ID, VARIABLE
from bifrost_export.config.sources import SOURCE_CONFIGS
from bifrost_export.config.texts import fields_of, model_below
from bifrost_export.registry import DESTINATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import BaseModel

_CREDENTIALS = "credentials"
_CONNECTION = "conn_id"
_USER_IN_URL = re.compile(r"://[^/@\s]*@")


def destination_in_words(frozen: Mapping[str, Any]) -> str:
    """Where an export writes.

    Args:
        frozen: As `freeze` gives it.
    """
    destination = frozen["export"]["destination"]
    return _in_words(destination, DESTINATIONS.load(destination["type"]).Config)


def source_in_words(frozen: Mapping[str, Any]) -> str:
    """Where an export reads.

    Args:
        frozen: As `freeze` gives it.
    """
    source = frozen["export"].get("source") or frozen.get("source")
    if not source:
        places = f"the variable {plain(VARIABLE)} or the Airflow connection {plain(CONNECTION_ID)}"
        return f"The log store that {places} names."
    return _in_words(source, SOURCE_CONFIGS[source["type"]])


def _in_words(place: Mapping[str, Any], model: type[BaseModel]) -> str:
    config = place["config"]
    keys = ", ".join(f"{plain(key)} {plain(_shown(value))}" for key, value in _open(config, model))
    return " ".join(filter(None, [f"{plain(place['type'])}{keys and f', {keys}'}.", _signing_in(config, model)]))


def _open(config: Mapping[str, Any], model: type[BaseModel] | None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The keys that are no credentials, with their values."""
    fields = fields_of(model) if model is not None else {}
    for key, value in config.items():
        place, below = fields.get(key, (None, ()))
        if value in (None, "", {}) or key == _CONNECTION or _is_secret(key, value, model):
            continue
        if isinstance(value, dict):
            yield from _open(value, model_below(below, value), prefix if key == _CREDENTIALS else f"{prefix}{key} ")
        elif place is not None or model is None:
            yield f"{prefix}{key}", value


def _is_secret(key: str, value: Any, model: type[BaseModel] | None) -> bool:
    place, _ = fields_of(model).get(key, (None, ())) if model is not None else (None, ())
    return (place is not None and place.secret) or (isinstance(value, dict) and set(value) == {DOCUMENT})


def _shown(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return _USER_IN_URL.sub("://***@", text)


def _signing_in(config: Mapping[str, Any], model: type[BaseModel]) -> str | None:
    if config.get(_CONNECTION) is not None:
        return f"Signs in with the Airflow connection {plain(str(config[_CONNECTION]))}."
    if _CONNECTION not in fields_of(model):
        return None
    inner = config.get(_CREDENTIALS)
    given = isinstance(inner, dict) or any(_is_secret(key, value, model) for key, value in config.items())
    return f"Signs in with the {'document' if given else 'machine'}'s own credentials."
