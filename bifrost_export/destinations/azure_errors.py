"""What the errors of Azure's client mean for a run: permanent with what to do, or passing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bifrost_export.errors import (
    BifrostExportError,
    CredentialsRefusedError,
    DestinationError,
    DestinationUnavailableError,
)

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
REFUSED = {
    "AuthenticationFailed": "Mend account_key, or renew sas_token: Azure does not know it, or it has run out.",
    "InvalidAuthenticationInfo": "Mend account_key or sas_token: it can't be read.",
    "AuthorizationFailure": "Mend account_key, renew sas_token, or open the account's firewall to this machine.",
    "AccountIsDisabled": "Enable the storage account.",
    "KeyBasedAuthenticationNotPermitted": "The account refuses keys: use sas_token, conn_id or the default chain.",
    "NoAuthenticationInformation": "Give account_key, sas_token or conn_id.",
}
"""Codes by which the store says that it does not know who asks, or does not want to."""
HINTS = {
    "ContainerNotFound": "Create the container, or mend destination.config.container.",
    "ContainerBeingDeleted": "The container is being deleted: create it again in a minute.",
    "ResourceNotFound": "Mend destination.config.account_name, container or endpoint_url.",
    "InvalidResourceName": "Mend destination.config.container.",
    "OutOfRangeInput": "Mend destination.config.container.",
    "AuthorizationSourceIPMismatch": "Renew sas_token so that it allows this machine's address.",
    "AuthorizationProtocolMismatch": "Use https in destination.config.endpoint_url: sas_token allows nothing else.",
    "BlobArchived": "The blob is archived: rehydrate it, or use another access_tier.",
}
PASSING = {"ServerBusy", "OperationTimedOut", "InternalError", "Md5Mismatch", "Crc64Mismatch"}


def code_of(error: Any) -> str:
    """Azure's own code of an error, such as `BlobNotFound`."""
    code = getattr(error, "error_code", None) or getattr(getattr(error, "error", None), "code", None)
    return str(getattr(code, "value", code) or "")


def is_passing(error: Exception) -> bool:
    """Whether an error of Azure's client is likely to pass."""
    from azure.core.exceptions import HttpResponseError, IncompleteReadError, ServiceRequestError, ServiceResponseError

    if isinstance(error, ServiceRequestError | ServiceResponseError | IncompleteReadError):
        return True
    if not isinstance(error, HttpResponseError):
        return isinstance(error, ConnectionError | TimeoutError)
    status = error.status_code or 0
    return status >= 500 or status in (408, 429) or code_of(error) in PASSING


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
    from azure.core.exceptions import ClientAuthenticationError

    code, status, name = code_of(error), getattr(error, "status_code", None), type(error).__name__
    if is_passing(error):
        answer = f"the store answered {code or status}" if status else f"no answer from the store ({name})"
        hint = "Look whether the account can be reached from here, and whether its name is right; the task tries again."
        return DestinationUnavailableError(f"{what}: {answer}", hint="Try again." if status else hint)
    if status is None:
        if "Signing" in name:
            return CredentialsRefusedError(f"{what}: account_key is no key", hint="Mend account_key: it is base64.")
        if isinstance(error, ClientAuthenticationError):
            hint = "Give account_key, sas_token or conn_id, or run where the default chain finds an identity."
            return CredentialsRefusedError(f"{what}: Azure's sign-in refused ({name})", hint=hint)
        return DestinationError(f"{what}: {name}", hint="Mend destination.config.")
    message = f"{what}: the store answered {code or status}"
    if code in REFUSED or status == 401:
        return CredentialsRefusedError(message, hint=REFUSED.get(code, REFUSED["AuthenticationFailed"]))
    if code in HINTS:
        return DestinationError(message, hint=HINTS[code])
    if status == 403:
        return DestinationError(message, hint=_granting(permissions))
    return DestinationError(message, hint="Look the code up in the documentation of Azure Storage.")


def _granting(permissions: str) -> str:
    ends = sorted({ACTIONS[letter] for letter in permissions})
    actions = " and ".join(f"{CONTAINERS}/blobs/{end}" for end in ends)
    role = "Storage Blob Data Owner" if "t" in permissions else ROLE
    return f"Give sas_token the permissions {permissions}, or the identity {actions} (the role {role})."
