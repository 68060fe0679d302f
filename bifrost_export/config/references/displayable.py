"""Which values of a document are never shown: secrets, what may be one, and all that is Bifrost's own."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from bifrost_export.config.models.kinds import config_model
from bifrost_export.fields.field_walk import place_at
from bifrost_export.fields.pointer import steps_of, value_at
from bifrost_export.fields.reference_text import is_literal
from bifrost_export.redaction.names import _LIKE_A_SECRET

MASK = "***"
_USER_IN_URL = re.compile(r"://[^/@\s]*@")
_OURS = ("$schema", "log_exports", "export", "filters", "transformations")
_BIFROSTS = (
    ["logs_store", "type"],
    ["logs_store", "enabled"],
    *(["logs_store", "config", key] for key in ("path", "host", "port", "db_name", "ssl_mode")),
    *(["logs_store", "object_storage", key] for key in ("type", "bucket", "prefix", "region", "endpoint")),
    ["client", "log_retention_days"],
)
"""What of Bifrost's own is no secret, since messages are about it."""


def shown(whole: Any, pointer: str, value: Any) -> Any:
    """What may be told of a value: a text, a number or a truth value; None for an object, and `***` for a secret.

    Args:
        whole: The whole document, whose types say what is a secret.
        pointer: Where the value stands.
        value: The value.
    """
    if value is None or isinstance(value, dict | list | tuple):
        return None
    if may_be_secret(whole, pointer) and not (isinstance(value, str) and not is_literal(value)):
        return MASK
    return _USER_IN_URL.sub(f"://{MASK}@", value) if isinstance(value, str) else value


def may_be_secret(whole: Any, pointer: str) -> bool:
    """Whether a place holds a secret, or may: by its field's marker, or by its name where no field is declared."""
    steps = steps_of(pointer)
    if steps[:1] and steps[0] not in _OURS:
        return steps not in _BIFROSTS
    for depth, (holder, step) in enumerate(pairwise(steps), start=1):
        if step == "config" and steps[depth + 1 :]:
            return _in_config(*_kind(value_at(whole, steps[:depth]), holder), steps[depth + 1 :])
    return any(_LIKE_A_SECRET.search(step) for step in steps[1:])


def _kind(holder: Any, name: str) -> tuple[str, Any]:
    """Part and type of a `config`: those of the object that holds it, else those of the word beside it."""
    if name in ("destination", "source"):
        return name, value_at(holder, ["type"])
    return "destination", value_at(holder, ["destination"])


def _in_config(part: str, kind: Any, steps: list[str]) -> bool:
    place = place_at(config_model(part, kind), [int(step) if step.isdecimal() else step for step in steps])
    return place is None or place.secret or steps[0] == "credentials"
