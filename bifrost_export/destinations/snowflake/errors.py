"""What Snowflake's errors mean for a run: permanent with what to do, or passing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bifrost_export.destinations.snowflake import sign_in_errors
from bifrost_export.destinations.warehouse.engine import ConflictError
from bifrost_export.errors import (
    BifrostExportError,
    DestinationError,
    DestinationUnavailableError,
)

_CONFLICTS = {625, 200001}
_FAILED = {261000}
"""The service could not carry a statement out; in a transaction mostly for another's sake."""
_HELD = re.compile(r"has locked table '([^']+)'")
_NO_WAREHOUSE = 606
_NO_ANSWER = {
    "OperationalError",
    "InterfaceError",
    "HttpError",
    "ServiceUnavailableError",
    "BadGatewayError",
    "GatewayTimeoutError",
    "InternalServerError",
    "RequestTimeoutError",
    "TooManyRequests",
    "OtherHTTPRetryableError",
    "RequestExceedMaxRetryError",
}
_VALUE = re.compile(
    r"(?s)\b(String|[Vv]alue|Timestamp|Date|Time|Boolean|Number|JSON|Variant) (['\"]).*\2"
    r"(?= (?:is|to|cannot|can|was|in|for)\b)"
)
_COLUMN = re.compile(r'column (?:"[^"]*"(?:\["[^"]*":\d+\])?|[\w$.]+)')
_CANCELLED = {604, 630, 57014}
_PASSING = {390111, 390112, 390113, 390114, 390115, 390195, 250002, 250003, 250005, 251011, 251012, 253002, 300001}
_HTTP = 290_000
"""An answer that is not Snowflake's own: this and its HTTP status."""
_LASTING = {400, 401, 403, 404, 405, 410, 411, 413, 414, 415, 501}
"""HTTP statuses that another try does not change."""
_HINTS = {
    2003: "Create it, or grant it: bifrost-export plan CONFIG --iam tells the statements.",
    2043: "Create it, or grant it: bifrost-export plan CONFIG --iam tells the statements.",
    3001: "Grant it: bifrost-export plan CONFIG --iam tells the statements.",
    90105: "Create the database, or grant USAGE on it; look at destination.config.database.",
    90106: "Create the schema, or grant USAGE on it; look at destination.config.schema.",
    1003: "This is a fault of this package: report it.",
}


@contextmanager
def told(what: str, *, seconds: float, grant: str | None = None) -> Iterator[None]:
    """Turn the driver's errors into the tree's.

    Args:
        what: Names the action and the object.
        seconds: How long a statement waits for a table that others hold.
        grant: The statement by which the role may use the warehouse that the config names; None: it names none.

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
        raise _answered(what, error, seconds, grant) from None
    except (OSError, RequestException) as error:
        raise _unanswered(what, type(error).__name__) from None


def _unanswered(what: str, name: str) -> DestinationUnavailableError:
    return DestinationUnavailableError(
        f"{what}: no answer from Snowflake ({name})",
        hint="Look whether the account can be reached from here; the task tries again.",
    )


def _answered(what: str, error: Any, seconds: float, grant: str | None) -> BifrostExportError:
    number = int(error.errno or 0)
    if number == _HTTP + sign_in_errors.FAILED:  # the driver adds both where the answer was HTTP's
        number = sign_in_errors.FAILED
    if sign_in_errors.is_of_sign_in(what, number):
        return sign_in_errors.refused(what, sign_in_errors.sentence_of(error), number, _PASSING)
    said = without_values(sign_in_errors.sentence_of(error), number)
    if (held := _HELD.search(str(error.raw_msg or error.msg or ""))) or number in _CONFLICTS:
        return _held(what, held[1] if held else "it needs", seconds)
    if number in _FAILED:
        return ConflictError(f"{what}: Snowflake failed at it ({number})", hint="It is likely to pass: try again.")
    if number in _CANCELLED:
        return DestinationUnavailableError(
            f"{what}: the statement was cancelled in Snowflake ({number}): {said}",
            hint="Look who cancelled it, or at STATEMENT_TIMEOUT_IN_SECONDS; the task tries again.",
        )
    if number - _HTTP in _LASTING:
        return sign_in_errors.not_found(what, said)
    if number == _NO_WAREHOUSE:
        return DestinationError(f"{what}: {said} ({number})", hint=_of_warehouse(grant))
    if number in _PASSING or type(error).__name__ in _NO_ANSWER:
        return _unanswered(what, f"{type(error).__name__} {number}: {said}")
    return DestinationError(f"{what}: {said} ({number})", hint=_hint(number))


def _of_warehouse(grant: str | None) -> str:
    if grant is None:
        return "Set destination.config.warehouse, or the user's default warehouse."
    return (
        f"Check destination.config.warehouse: the warehouse must exist, and the role must be allowed to use it: {grant}"
        " (bifrost-export plan CONFIG --iam prints every grant)."
    )


def _hint(number: int) -> str:
    if 100_000 <= number < 101_000:
        return "Fix the column's type in the table, or leave the column out of the export; then clear from plan."
    return _HINTS.get(number, "Fix what Snowflake names.")


def _held(what: str, table: str, seconds: float) -> ConflictError:
    return ConflictError(
        f"{what}: somebody else holds the table {table} for longer than a run waits ({seconds:.0f} s)",
        hint="It passes when they let go, and the task tries again. Who it is: SHOW LOCKS IN ACCOUNT (an administrator"
        " sees everybody's); SELECT SYSTEM$ABORT_TRANSACTION(<transaction>) ends one that is left over.",
    )


def without_values(said: str, number: int) -> str:
    """A sentence without the row's value that an error about a value quotes; names of columns stay.

    Args:
        said: The sentence.
        number: The error's number.
    """
    if not 100_000 <= number < 101_000:
        return said
    told, count = _VALUE.subn(r"\1 ...", said)
    if count:
        return told
    # A sentence that is not known: what is quoted may be a value, but for what is named as a column.
    columns = _COLUMN.findall(said)
    head = re.split(r"['\"]", said)[0].strip()
    return f"{head} ... ({columns[-1]})" if columns and head != said else head
