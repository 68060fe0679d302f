"""Keys, tokens and names of places as they must be: a newline or a blank at their end comes from a file or a variable.

Clients put such a text into a header, where the request fails without a word about the reason.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo

from bifrost_export.errors import ConfigError
from bifrost_export.fields.markers import ConnectionText, Secret

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_UNSEEN = re.compile(r"[^\x21-\x7e]")
_NAMES = {"\n": "a newline", "\r": "a carriage return", "\t": "a tab", "\0": "a NUL character", " ": "a blank"}
_HINT = "Remove it where the value is kept: files and variables often end in a newline (use printf, not echo)."


def _named(character: str) -> str:
    return _NAMES.get(character, f"the character U+{ord(character):04X}")


def check_plain(value: str, name: str, *, is_key: bool = False, may_have_blanks: bool = False) -> None:
    """Refuse a text that ends in a newline or a blank, or has a control character in it; the text is never shown.

    Args:
        value: The text.
        name: Its key, or where it comes from.
        is_key: It is a key or token, which has visible ASCII characters alone.
        may_have_blanks: It is a password, which may begin and end with blanks.

    Raises:
        ConfigError: It is not plain.
    """
    found = (_UNSEEN if is_key else _CONTROL).search(value)
    if found is None and not may_have_blanks and value != value.strip():
        found = re.search(r"^\s|\s$", value)
    if found is None:
        return
    where = "ends with" if found.end() == len(value) else "begins with" if found.start() == 0 else "contains"
    allowed = "visible ASCII characters alone" if is_key else "a text without control characters"
    raise ConfigError(f"{name} {where} {_named(found[0])}", allowed=allowed, hint=_HINT)


def _key(value: str | None, info: ValidationInfo) -> str | None:
    if value is not None:
        check_plain(value, str(info.field_name), is_key=True)
    return value


def _password(value: str | None, info: ValidationInfo) -> str | None:
    if value is not None:
        check_plain(value, str(info.field_name), may_have_blanks=True)
    return value


def _place(value: str | None, info: ValidationInfo) -> str | None:
    if value is not None:
        check_plain(value, str(info.field_name))
    return value


KeyText = Annotated[Secret, AfterValidator(_key)]
"""A key, a token or the like: visible ASCII characters."""

Password = Annotated[Secret, AfterValidator(_password)]
"""A password or a user's name: no control characters."""

PlaceText = Annotated[ConnectionText, AfterValidator(_place)]
"""A place to connect to: no control characters, no blanks around it."""
