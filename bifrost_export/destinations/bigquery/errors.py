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
_VALUE = re.compile(
    r"(?is)\b((?:could not|failed to|unable to) (?:parse|convert|cast)(?: value| input string)?|input string|value"
    r"|(?:invalid|bad) (?:json|date|timestamp|datetime|numeric|double|int64|bool)(?: literal| string| value)?):? ?"
    r"(?:'.*'|\".*\")|\b(bad \w+ value): .*"
)
"""Words of a message that a row's value stands behind."""
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
_LASTING = (
    (
        "billingnotenabled",
        "Enable billing for the project: the sandbox takes no DML, and deletes tables after 60 days.",
    ),
    ("billing has not been enabled", "Enable billing for the project."),
    ("free tier", "Enable billing for the project."),
    ("free query bytes", "Enable billing for the project, or wait for the next month."),
    (
        "vpcservicecontrols",
        "Let the administrator of VPC Service Controls allow this account; the identifier finds the denial.",
    ),
    ("vpc service controls", "Let the administrator of VPC Service Controls allow this account and network."),
    ("prohibited by organization's policy", "Ask the organization's administrator; the identifier finds the denial."),
    ("accessnotconfigured", "Enable the BigQuery API in the project."),
    ("has not been used in project", "Enable the BigQuery API in the project."),
    ("responsetoolarge", "Report it: this is a defect of the package."),
    ("notimplemented", "Fix what BigQuery names."),
)
"""Words of a message, or a reason, with what to do; all in lower case."""
_PASSING_HINTS = {
    "quotaExceeded": "Raise the quota that is named, or let fewer runs load at once; the task tries again.",
    "rateLimitExceeded": "Let fewer runs load at once; the task tries again.",
    "resourcesExceeded": "Set a larger reservation, or export smaller windows; the task tries again.",
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
    code, reason = int(error.code or 0), (reasons or [type(error).__name__])[0]
    said = without_values(message)
    if "stopped" in reasons:
        return DestinationUnavailableError(
            f"{what}: the job was cancelled in BigQuery: {said}", hint="Look who cancelled it; the task tries again."
        )
    if code == 401:
        return CredentialsRefusedError(f"{what}: BigQuery answered {code}: {said}", hint=SIGN_IN)
    if (hint := _lasting(code, reason, message)) is not None:
        return DestinationError(f"{what}: BigQuery refused it ({reason}): {said}", hint=hint)
    if code >= 500 or code in (408, 429) or reason in _PASSING:
        return DestinationUnavailableError(
            f"{what}: BigQuery answered {reason}: {said}", hint=_PASSING_HINTS.get(reason, "The task tries again.")
        )
    return DestinationError(f"{what}: BigQuery refused it ({reason}): {said}", hint="Fix what BigQuery names.")


def _lasting(code: int, reason: str, message: str) -> str | None:
    """What to do about a refusal that another try does not change, where it is a known one."""
    lower = message.lower()
    for words, hint in _LASTING:
        if words in lower or words == reason.lower():
            return hint
    if code == 404 and " was not found in location " in lower:
        return "Set destination.config.location to the dataset's location, or leave it out."
    if code == 404:
        return "Create it, or fix destination.config."
    if code == 403 and reason not in _PASSING:
        return GRANTS if _DENIED.search(message) else "Fix what BigQuery names."
    return None


def _cancelled(what: str, message: str) -> ConflictError:
    table = f"the table {found[1]}" if (found := _AGAINST.search(message)) else "the same table"
    return ConflictError(
        f"{what}: BigQuery cancelled the transaction, since another one has changed {table}",
        hint="It passes when that one ends, and the task tries again; let fewer runs publish at once. Who it is: the"
        " project's INFORMATION_SCHEMA.JOBS and SESSIONS; CALL BQ.ABORT_SESSION('<session>') ends one that is left"
        " over.",
    )


def without_values(message: str) -> str:
    """A message without what may be a row's value, on one line.

    Args:
        message: What the service says.
    """
    return " ".join(_VALUE.sub(lambda match: f"{match[1] or match[2]} ...", message).split())[:2_000]


def _not_signed_in(what: str, error: Any) -> BifrostExportError:
    from google.auth.exceptions import DefaultCredentialsError, RefreshError, TransportError

    name = type(error).__name__
    if isinstance(error, TransportError) or getattr(error, "retryable", False):
        return DestinationUnavailableError(
            f"{what}: Google's sign-in gave no answer ({name})",
            hint="Look whether the key's token_uri can be reached from here; the task tries again.",
        )
    if isinstance(error, RefreshError):
        said = str(error.args[0]) if error.args else name
        return CredentialsRefusedError(f"{what}: Google's sign-in refused ({name}): {said}", hint=SIGN_IN)
    if isinstance(error, DefaultCredentialsError):
        hint = "Give credentials, a conn_id, or run where the default chain finds some."
        return DestinationError(f"{what}: {name}", hint=hint)
    return DestinationError(f"{what}: {name}", hint="Mend credentials.service_account_key: it can't be used to sign.")
