"""What Redshift's errors mean for a run: permanent with what to do, or passing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bifrost_export.destinations.redshift import copy_errors
from bifrost_export.destinations.warehouse.engine import ConflictError
from bifrost_export.errors import (
    BifrostExportError,
    CredentialsRefusedError,
    DestinationError,
    DestinationUnavailableError,
)

_CONFLICTS = {"40001", "40P01", "55P03"}
_REFUSED = {"28000", "28P01", "28001"}
_PASSING = {"57P01", "57P02", "57P03", "53000", "53100", "53200", "53300", "08000", "08003", "08006"}
_CANCELLED = "57014"
GRANTS = "Grant it: bifrost-export plan CONFIG --iam tells the statements."
_HINTS = {
    "3D000": "Create the database, or mend destination.config.database.",
    "3F000": "Create the schema, or mend destination.config.schema.",
    "42501": GRANTS,
    "42P01": "Look who drops tables while a run publishes; clear from plan.",
    "42601": "This is a fault of this package: report it.",
}
_SERIAL = re.compile(r"\b1023\b|[Ss]erializable isolation violation")


@contextmanager
def told(what: str, *, held: str | None = None, seconds: float = 0) -> Iterator[None]:
    """Turn the driver's errors into the tree's.

    Args:
        what: Names the action and the object.
        held: The table that it waits for, so that a timeout means that somebody else holds it.
        seconds: How long it waits for it.

    Raises:
        CredentialsRefusedError: Redshift does not know who asks.
        DestinationError: A person must mend it.
        ConflictError: Another transaction stood in the way.
        DestinationUnavailableError: It is likely to pass.
    """
    from redshift_connector.error import Error, InterfaceError

    try:
        yield
    except BifrostExportError:
        raise
    except InterfaceError as error:
        # The driver tells a refused sign-in as if there had been no answer.
        raise (_answered(what, error) if _facts(error) else _unanswered(what, error)) from None
    except Error as error:
        if held and _facts(error).get("C") == _CANCELLED:
            raise _held(held, seconds) from None
        raise _answered(what, error) from None
    except (OSError, EOFError) as error:
        raise _unanswered(what, error) from None


def _unanswered(what: str, error: Exception) -> BifrostExportError:
    told_of = str(error)
    if "SSL" in told_of or "certificate" in told_of:
        return DestinationError(
            f"{what}: the connection by TLS failed ({type(error).__name__})",
            hint="Look at the endpoint, and at sslmode in the connection's extra.",
        )
    return DestinationUnavailableError(
        f"{what}: no answer from Redshift ({type(error).__name__})",
        hint="Look whether the endpoint can be reached from here (security group, VPC); the task tries again.",
    )


def _facts(error: Any) -> dict[str, Any]:
    """The fields of the server's answer, by their letters."""
    return error.args[0] if error.args and isinstance(error.args[0], dict) else {}


def _held(table: str, seconds: float) -> ConflictError:
    return ConflictError(
        f"somebody else holds the table {table} for longer than a run waits ({seconds:.0f} s)",
        hint="It passes when they let go, and the task tries again. Who it is: SELECT * FROM svv_transactions ORDER BY"
        " txn_start (a superuser sees everybody's, and stv_locks); SELECT pg_terminate_backend(<pid>) ends a session"
        " that is left over.",
    )


def _answered(what: str, error: Any) -> BifrostExportError:
    facts = _facts(error)
    code = str(facts.get("C", ""))
    message = " ".join(str(facts.get("M", "")).split()) or type(error).__name__
    if code in _CONFLICTS or _SERIAL.search(f"{message} {facts.get('D', '')}"):
        return ConflictError(
            f"{what}: another transaction stood in the way ({code or message})",
            hint="The task tries again; let fewer runs publish at once, and look who else writes there.",
        )
    if code == _CANCELLED:
        return DestinationUnavailableError(
            f"{what}: Redshift cancelled the statement ({message})",
            hint="Look who cancelled it, or at the queue's timeout; the task tries again.",
        )
    if (of_copy := copy_errors.explain(what, facts)) is not None:
        return of_copy
    if code in _PASSING or not facts:
        said_ = f": {_without_values(message)}" if facts else ""
        return DestinationUnavailableError(
            f"{what}: {code or type(error).__name__}{said_}", hint="The task tries again."
        )
    if code in _REFUSED:
        return CredentialsRefusedError(
            f"{what}: Redshift refused user or password: {message}",
            hint="Fix destination.config.credentials or the connection.",
        )
    context = copy_errors.context_of(facts)
    return DestinationError(
        f"{what}: {_without_values(message)}{f': {context}' if context else ''} ({code})",
        hint=_HINTS.get(code, "Fix what Redshift names."),
    )


def _without_values(message: str) -> str:
    """A message without what might be a row's value: names stand in double quotes, values behind a colon."""
    return message.partition(":")[0] if "invalid input syntax" in message else copy_errors.without_values(message)
