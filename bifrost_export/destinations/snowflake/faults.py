"""What Snowflake's errors mean for a run: permanent with what to do, or passing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bifrost_export.destinations.warehouse.engine import ConflictError
from bifrost_export.errors import (
    BifrostExportError,
    CredentialsRefusedError,
    DestinationError,
    DestinationUnavailableError,
)

_REFUSED = {390100, 390101, 390102, 390144, 390318, 390190, 390432}
_SIGN_IN = {250001}
"""What the driver says of a sign-in, whatever the reason; the reason's own number stands in the text."""
_CONFLICTS = {625, 200001}
_FAILED = {261000}
"""The service could not carry a statement out; in a transaction mostly for another's sake."""
_HELD = re.compile(r"has locked table '([^']+)'")
_CANCELLED = {604, 630, 57014}
_PASSING = {390111, 390112, 390114, 390195, 250002, 250003, 250005, 251001, 253002, 300001}
_HINTS = {
    2003: "Create it, or grant it: bifrost-export plan CONFIG --iam tells the statements.",
    2043: "Create it, or grant it: bifrost-export plan CONFIG --iam tells the statements.",
    3001: "Grant it: bifrost-export plan CONFIG --iam tells the statements.",
    606: "Set destination.config.warehouse, or the user's default warehouse.",
    90105: "Create the database, or grant USAGE on it; look at destination.config.database.",
    90106: "Create the schema, or grant USAGE on it; look at destination.config.schema.",
    1003: "This is a fault of this package: report it.",
}


@contextmanager
def told(what: str, *, seconds: float) -> Iterator[None]:
    """Turn the driver's errors into the tree's.

    Args:
        what: Names the action and the object.
        seconds: How long a statement waits for a table that others hold.

    Raises:
        CredentialsRefusedError: Snowflake does not know who asks.
        DestinationError: A person must mend it.
        ConflictError: Another transaction stood in the way.
        DestinationUnavailableError: It is likely to pass.
    """
    from requests.exceptions import RequestException
    from snowflake.connector.errors import Error

    try:
        yield
    except BifrostExportError:
        raise
    except Error as error:
        raise _answered(what, error, seconds) from None
    except (OSError, RequestException) as error:
        raise _unanswered(what, type(error).__name__) from None


def _unanswered(what: str, name: str) -> DestinationUnavailableError:
    return DestinationUnavailableError(
        f"{what}: no answer from Snowflake ({name})",
        hint="Look whether the account can be reached from here; the task tries again.",
    )


def _answered(what: str, error: Any, seconds: float) -> BifrostExportError:
    number = int(error.errno or 0)
    said = _first_line(error)
    if number in _REFUSED or (number in _SIGN_IN and _is_refusal(said)):
        return CredentialsRefusedError(
            f"{what}: Snowflake refused user, password or key",
            hint="Mend destination.config.credentials or the connection; look at the user's lock and network policy.",
        )
    if (held := _HELD.search(str(error.raw_msg or error.msg or ""))) or number in _CONFLICTS:
        return _held(what, held[1] if held else "it needs", seconds)
    if number in _FAILED:
        return ConflictError(f"{what}: Snowflake failed at it ({number})", hint="It is likely to pass: try again.")
    if number in _CANCELLED:
        return DestinationUnavailableError(
            f"{what}: the statement was cancelled in Snowflake ({number})",
            hint="Look who cancelled it, or at STATEMENT_TIMEOUT_IN_SECONDS; the task tries again.",
        )
    if number in _PASSING or number in _SIGN_IN or type(error).__name__ in ("OperationalError", "InterfaceError"):
        return _unanswered(what, f"{type(error).__name__} {number}")
    return DestinationError(f"{what}: {said} ({number})", hint=_HINTS.get(number, "Look it up; mend what it names."))


def _held(what: str, table: str, seconds: float) -> ConflictError:
    return ConflictError(
        f"{what}: somebody else holds the table {table} for longer than a run waits ({seconds:.0f} s)",
        hint="It passes when they let go, and the task tries again. Who it is: SHOW LOCKS IN ACCOUNT (an administrator"
        " sees everybody's); SELECT SYSTEM$ABORT_TRANSACTION(<transaction>) ends one that is left over.",
    )


def _is_refusal(said: str) -> bool:
    words = ("incorrect username", "password", "jwt", "not allowed to access", "authentication", "user is", "role")
    return any(word in said.lower() for word in words)


def _first_line(error: Any) -> str:
    """What Snowflake says, without the query's id and without what follows a colon in errors about values."""
    lines = [line.strip() for line in str(error.raw_msg or error.msg or "").splitlines() if line.strip()]
    said = " ".join(lines[:2]) or type(error).__name__
    is_about_a_value = 100000 <= int(error.errno or 0) < 101000
    return said.partition("'")[0].strip() if is_about_a_value else said[:300]
