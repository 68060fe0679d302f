"""What BigQuery's errors mean for a run: permanent with what to do, or passing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bifrost_export.destinations.warehouse.engine import ConflictError
from bifrost_export.destinations.warehouse.statements import CheckFailedError
from bifrost_export.errors import (
    BifrostExportError,
    CredentialsRefusedError,
    DestinationError,
    DestinationUnavailableError,
)

CHECK = "bifrost_export_check_"
"""What the message of a failed check begins with."""

_FAILED = re.compile(rf"{CHECK}(\w+)")
_CONFLICT = re.compile(r"(?i)aborted due to concurrent|concurrent update|could not serialize access")
_AGAINST = re.compile(r"against table [`'\"]?([\w:.-]*[\w])")
_DENIED = re.compile(r"(?:Permission|not have) (bigquery\.[\w.]*\w)")
"""How a message names the permission that is missing."""
_REQUEST = re.compile(r"^[A-Z]+ https?://\S+: ")
"""What the client puts before a message."""
_PASSING = {
    "rateLimitExceeded",
    "quotaExceeded",
    "backendError",
    "internalError",
    "jobBackendError",
    "jobInternalError",
    "jobRateLimitExceeded",
    "tableUnavailable",
    "resourcesExceeded",
}
SIGN_IN = "Mend credentials.service_account_key or the connection: Google does not know the account or the key."
GRANTS = "Grant it: bifrost-export plan CONFIG --iam tells the roles."


@contextmanager
def told(what: str) -> Iterator[None]:
    """Turn the client's errors into the tree's.

    Args:
        what: Names the action and the object.

    Raises:
        CredentialsRefusedError: Google does not know who asks.
        DestinationError: A person must mend it.
        ConflictError: Another transaction stood in the way.
        CheckFailedError: A check inside a transaction did not hold.
        DestinationUnavailableError: It is likely to pass.
    """
    from concurrent.futures import TimeoutError as FutureTimeoutError

    from google.api_core.exceptions import GoogleAPICallError, RetryError
    from google.auth.exceptions import GoogleAuthError
    from requests.exceptions import RequestException

    try:
        yield
    except (BifrostExportError, CheckFailedError):
        raise
    except GoogleAPICallError as error:
        raise _answered(what, error) from None
    except GoogleAuthError as error:
        raise _not_signed_in(what, error) from None
    except (RetryError, RequestException, FutureTimeoutError, OSError) as error:
        raise DestinationUnavailableError(
            f"{what}: no answer from BigQuery ({type(error).__name__})",
            hint="Look whether it can be reached from here; the task tries again.",
        ) from None


def _reasons(error: Any) -> list[str]:
    return [str(each.get("reason", "")) for each in error.errors or () if isinstance(each, dict)]


def _answered(what: str, error: Any) -> Exception:
    message, reasons = _REQUEST.sub("", str(error.message or error)), _reasons(error)
    if match := _FAILED.search(message):
        return CheckFailedError(match[1])
    if _CONFLICT.search(message):
        return _cancelled(what, message)
    if "stopped" in reasons:
        return DestinationUnavailableError(
            f"{what}: the job was cancelled in BigQuery", hint="Look who cancelled it; the task tries again."
        )
    code, reason = int(error.code or 0), (reasons or [type(error).__name__])[0]
    if code >= 500 or code in (408, 429) or reason in _PASSING:
        return DestinationUnavailableError(f"{what}: BigQuery answered {reason}", hint="The task tries again.")
    if code == 401:
        return CredentialsRefusedError(f"{what}: BigQuery answered {code}", hint=SIGN_IN)
    if code == 403:
        lacked = f": the account lacks {denied[1]}" if (denied := _DENIED.search(message)) else ""
        return DestinationError(f"{what}: BigQuery refused it ({reason}){lacked}", hint=GRANTS)
    if code == 404:
        return DestinationError(f"{what}: {_named(message)}", hint="Create it, or mend destination.config.")
    return DestinationError(f"{what}: {_without_values(message)} ({reason})", hint="Look at the job in BigQuery.")


def _cancelled(what: str, message: str) -> ConflictError:
    table = f"the table {found[1]}" if (found := _AGAINST.search(message)) else "the same table"
    return ConflictError(
        f"{what}: BigQuery cancelled the transaction, since another one has changed {table}",
        hint="It passes when that one ends, and the task tries again; let fewer runs publish at once. Who it is: the"
        " project's INFORMATION_SCHEMA.JOBS and SESSIONS; CALL BQ.ABORT_SESSION('<session>') ends one that is left"
        " over.",
    )


def _named(message: str) -> str:
    match = re.search(r"Not found: \w+ [\w:.-]+", message)
    return match[0] if match else "something that it needs was not found"


def _without_values(message: str) -> str:
    """The first sentence of a message; what follows may quote what was read."""
    return message.splitlines()[0].partition("; ")[0].partition(" value ")[0][:300]


def _not_signed_in(what: str, error: Any) -> BifrostExportError:
    from google.auth.exceptions import DefaultCredentialsError, RefreshError, TransportError

    name = type(error).__name__
    if isinstance(error, TransportError) or getattr(error, "retryable", False):
        return DestinationUnavailableError(
            f"{what}: Google's sign-in gave no answer ({name})",
            hint="Look whether the key's token_uri can be reached from here; the task tries again.",
        )
    if isinstance(error, RefreshError):
        return CredentialsRefusedError(f"{what}: Google's sign-in refused ({name})", hint=SIGN_IN)
    if isinstance(error, DefaultCredentialsError):
        hint = "Give credentials, a conn_id, or run where the default chain finds some."
        return DestinationError(f"{what}: {name}", hint=hint)
    return DestinationError(f"{what}: {name}", hint="Mend credentials.service_account_key: it can't be used to sign.")
