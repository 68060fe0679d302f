"""The words that config models are written in: a strict base model and the kinds of text fields.

A destination's own config model, which lives in the destination's file, is written in them too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bifrost_export.errors import ConfigError

SECRET = "x-secret"  # noqa: S105 - the name of a marker
CONNECTION = "x-connection"
LITERAL = "x-literal"
PATH = "x-path"
MARKERS = (SECRET, CONNECTION, LITERAL, PATH)
"""What fields say of themselves to this package alone."""

Secret = Annotated[str, Field(json_schema_extra={SECRET: True, CONNECTION: True})]
"""Text that is never shown; a literal gives a warning. Any variable may be referenced."""

ConnectionText = Annotated[str, Field(json_schema_extra={CONNECTION: True})]
"""Text that says where to connect to (account, host, bucket). Any variable may be referenced."""

PathText = Annotated[str, Field(json_schema_extra={CONNECTION: True, PATH: True})]
"""A path on this machine; a relative one is taken from the document's folder. Any variable may be referenced."""

LiteralText = Annotated[str, Field(json_schema_extra={LITERAL: True})]
"""Text in which no reference may stand (`name`, `type`, `format`, `schedule`, `enabled`)."""


class Strict(BaseModel):
    """A frozen model that refuses unknown keys; every field has a description."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, validate_default=True, hide_input_in_errors=True
    )

    def refused(self) -> Iterator[tuple[str, ConfigError]]:
        """Yield each key whose value `trust` refuses, with the error; of a config's own keys alone, no secret is known.

        An address with a reference in it is left for the task that resolves it.
        """
        return iter(())
