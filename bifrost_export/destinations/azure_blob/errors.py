"""What the errors of Azure's client mean for a run: permanent with what to do, or passing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bifrost_export.destinations.azure_blob.codes import CLOCK, EXPIRED, HINTS, PASSING, PASSING_HINTS, REFUSED, TAKEN
from bifrost_export.errors import (
    BifrostExportError,
    CredentialsRefusedError,
    DestinationError,
    DestinationUnavailableError,
)
from bifrost_export.services import answers, certificates
from bifrost_export.services.answers import said

ACTIONS = {
    "r": "read",
    "c": "write",
    "w": "write",
    "d": "delete",
    "l": "read",
    "t": "tags/write",
}
"""A SAS permission -> the end of the data action that a role needs for the same."""
CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
ROLE = "Storage Blob Data Contributor"


def code_of(error: Any) -> str:
    """Azure's own code of an error, such as `BlobNotFound`."""
    code = getattr(error, "error_code", None) or getattr(getattr(error, "error", None), "code", None)
    return str(getattr(code, "value", code) or "")


def is_refused(error: Any) -> bool:
    """Return whether an answer is about whoever asks, and not about the blob that was asked for."""
    return code_of(error) in REFUSED or error.status_code == 401


def is_conflict(error: Any) -> bool:
    """Return whether a put was refused because its condition wasn't met; leases and policies answer 409 and 412 too."""
    return getattr(error, "status_code", None) in (409, 412) and code_of(error) in TAKEN


def is_passing(error: Exception) -> bool:
    """Whether an error of Azure's client is likely to pass."""
    from azure.core.exceptions import HttpResponseError, IncompleteReadError, ServiceRequestError, ServiceResponseError

    if certificates.fault(error):
        return False
    if isinstance(error, ServiceRequestError | ServiceResponseError | IncompleteReadError):
        return True
    if not isinstance(error, HttpResponseError):
        return isinstance(error, ConnectionError | TimeoutError)
    status = error.status_code or 0
    return (status >= 500 and status not in (501, 505, 507)) or status in (408, 429) or code_of(error) in PASSING


@contextmanager
def told(what: str, permissions: str) -> Iterator[None]:
    """Turn the errors of Azure's client into the tree's.

    Args:
        what: Names the action and the blob.
        permissions: The SAS permissions that it needs, a letter each.

    Raises:
        CredentialsRefusedError: The store does not know who asks.
        DestinationError: A person must mend it.
        DestinationUnavailableError: It is likely to pass.
    """
    from azure.core.exceptions import AzureError

    try:
        yield
    except BifrostExportError:
        raise
    except (AzureError, ConnectionError, TimeoutError) as error:
        raise _told(what, permissions, error) from None


def _told(what: str, permissions: str, error: Any) -> BifrostExportError:
    status, name = getattr(error, "status_code", None), type(error).__name__
    if untrusted := certificates.fault(error):
        hint = certificates.hint("destination.config.endpoint_url", "REQUESTS_CA_BUNDLE")
        return DestinationError(f"{what}: the store's {untrusted}", hint=hint)
    if status is not None:
        return _answered(what, permissions, error)
    if is_passing(error):
        hint = (
            "Check whether the account can be reached from here, and whether its name is right; the task tries again."
        )
        return DestinationUnavailableError(f"{what}: no answer from the store ({name})", hint=hint)
    return _not_asked(what, error)


def _not_asked(what: str, error: Any) -> BifrostExportError:
    from azure.core.exceptions import ClientAuthenticationError

    name = type(error).__name__
    if "Signing" in name:
        hint = "Fix account_key: it is base64, as Azure shows it."
        return CredentialsRefusedError(f"{what}: account_key is not a valid key", hint=hint)
    if isinstance(error, ClientAuthenticationError):
        hint = "Give account_key, sas_token or conn_id, or run where the default chain finds an identity."
        return CredentialsRefusedError(f"{what}: Azure's sign-in refused ({name})", hint=hint)
    return DestinationError(f"{what}: {name}", hint="Fix destination.config.")


def _answered(what: str, permissions: str, error: Any) -> BifrostExportError:
    code, status = code_of(error), error.status_code
    detail = _detail(error)
    message = f"{what}: the store answered {said(code or status, _words(error))}{f' ({detail})' if detail else ''}"
    if is_passing(error):
        hint = PASSING_HINTS.get(code, "The task tries again.")
        return DestinationUnavailableError(message, hint=hint)
    if is_refused(error):
        hint = REFUSED.get(code, REFUSED["AuthenticationFailed"])
        if detail:
            hint = CLOCK if "date header" in detail else EXPIRED
        return CredentialsRefusedError(message, hint=hint)
    if code in HINTS:
        return DestinationError(message, hint=HINTS[code])
    if status == 403:
        return DestinationError(message, hint=_granting(permissions))
    return DestinationError(message, hint="Look the code up in the documentation of Azure Storage.")


def _words(error: Any) -> str:
    """What the store says; not what the client says of an answer without words."""
    words = str(getattr(error, "message", "") or "")
    return "" if words.startswith("Operation returned an invalid status") else words


def _detail(error: Any) -> str:
    """What Azure says of a signature that does not hold at this time; other details quote what was signed."""
    found = {str(key).lower(): value for key, value in (getattr(error, "additional_info", None) or {}).items()}
    detail = answers.safe(found.get("authenticationerrordetail"))
    return detail if any(word in detail.lower() for word in ("time frame", "date header")) else ""


def _granting(permissions: str) -> str:
    ends = sorted({ACTIONS[letter] for letter in permissions})
    actions = " and ".join(f"{CONTAINERS}/blobs/{end}" for end in ends)
    role = "Storage Blob Data Owner" if "t" in permissions else ROLE
    return f"Give sas_token the permissions {permissions}, or the identity {actions} (the role {role})."
