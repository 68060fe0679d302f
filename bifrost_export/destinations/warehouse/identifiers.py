"""Names of databases, schemas and tables: checked when they are read, quoted wherever they are used."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from bifrost_export.errors import ConfigError
from bifrost_export.fields.markers import ConnectionText
from bifrost_export.fields.reference_text import is_broken, without_references

ALLOWED = "1 to 100 letters, digits, spaces and _ $ -, the first a letter or _"
_NAME = re.compile(r"[^\W\d][\w$ -]{0,99}")
_TABLE = re.compile(r"(?:[^\W\d]|\{dataset\})(?:[\w$ -]|\{dataset\}){0,99}")
DATASET = "{dataset}"


def check_identifier(value: str) -> str:
    """Refuse what can't name a database, schema or table.

    Raises:
        ConfigError: It can't.
    """
    return _checked(value, _NAME, ALLOWED)


def is_identifier(value: str) -> bool:
    """Whether a text from elsewhere than the document can name a table, and can be quoted."""
    return _TABLE.fullmatch(value) is not None and DATASET not in value


def check_table(value: str) -> str:
    """Refuse what can't name a table; `{dataset}` may stand in it.

    Raises:
        ConfigError: It can't.
    """
    return _checked(value, _TABLE, f"{ALLOWED}, and {{dataset}}")


def _checked(value: str, pattern: re.Pattern[str], allowed: str) -> str:
    # What a reference stands for is looked at again when it is filled in.
    if not is_broken(value) and not pattern.fullmatch(without_references(value)):
        hint = "Database and schema have keys of their own." if "." in value else None
        raise ConfigError(f"{value!r} is no name that a warehouse takes", allowed=allowed, hint=hint)
    return value


Identifier = Annotated[ConnectionText, AfterValidator(check_identifier)]
"""A database, schema or dataset."""

TableName = Annotated[ConnectionText, AfterValidator(check_table)]
"""A table, with `{dataset}` where the dataset's name goes."""
