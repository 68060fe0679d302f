"""An export as a plan carries it: references unresolved, and no literal secret in it."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from typing import TYPE_CHECKING, Any

from bifrost_export.config.forms.defaults import POINTER as DEFAULTS
from bifrost_export.config.forms.source_map import Origins
from bifrost_export.config.models.export import Source
from bifrost_export.config.models.kinds import source_model
from bifrost_export.config.references.resolver import DOCUMENT
from bifrost_export.config.transformations import transform_config
from bifrost_export.errors import DocumentError
from bifrost_export.fields.field_walk import Place, map_texts
from bifrost_export.fields.reference_text import is_literal
from bifrost_export.registry import DESTINATIONS

if TYPE_CHECKING:
    from bifrost_export.config.documents import LoadedExport


def freeze(loaded: LoadedExport) -> dict[str, Any]:
    """The export as JSON, in long form, with its document, and where both are written.

    It has the keys `name`, `document`, `pointer`, `moved`, `export`, `source`, `source_pointer`, `staging` and
    `log_retention_days`.
    A literal secret is replaced by `{"$document": <its JSON pointer>}`, and stays in the document.

    Raises:
        DocumentError: The export is broken.
    """
    if loaded.export is None:
        raise DocumentError(loaded.errors)
    document = loaded.document
    export = loaded.export.model_dump(mode="json")
    destination = DESTINATIONS.load(loaded.export.destination.type).Config
    pointer = f"{loaded.pointer}/destination/config"
    hidden = partial(_hidden, document.origins)
    export["destination"]["config"] = map_texts(export["destination"]["config"], destination, pointer, hidden)
    export["data"]["transformations"] = [
        map_texts(each, transform_config(each["type"]), f"{loaded.pointer}/data/transformations/{index}", hidden)
        for index, each in enumerate(export["data"]["transformations"])
    ]
    if loaded.export.source is not None:
        export["source"] = _source(loaded.export.source, f"{loaded.pointer}/source", document.origins)
    return {
        "name": loaded.export.name,
        "document": str(document.path.absolute()),
        "pointer": loaded.pointer,
        "moved": document.origins.of(loaded.pointer, DEFAULTS, "/logs_store"),
        "export": export,
        "source": None
        if document.source is None
        else _source(document.source, document.source_pointer, document.origins),
        "source_pointer": document.source_pointer,
        "staging": document.staging.model_dump(mode="json"),
        "log_retention_days": document.log_retention_days,
    }


def config_hash(frozen: dict[str, Any]) -> str:
    """SHA-256, in hex, of the export and its source: what the output depends on, however and wherever it is written."""
    export = {key: value for key, value in frozen["export"].items() if key != "airflow"}
    wanted = _without_places({"export": export, "source": frozen["source"]})
    return hashlib.sha256(json.dumps(wanted, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _without_places(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: None if key == DOCUMENT else _without_places(each) for key, each in value.items()}
    return [_without_places(each) for each in value] if isinstance(value, list) else value


def _source(source: Source, pointer: str, origins: Origins) -> dict[str, Any]:
    found = source.model_dump(mode="json")
    hidden = partial(_hidden, origins)
    found["config"] = map_texts(found["config"], source_model(source.type), f"{pointer}/config", hidden)
    return found


def _hidden(origins: Origins, text: str, place: Place, pointer: str) -> Any:
    return {DOCUMENT: origins.written(pointer)} if place.secret and is_literal(text) else text
