"""What AWS's answers about clusters, workgroups and passwords mean for a run: permanent with what to do, or passing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bifrost_export.destinations import s3_errors
from bifrost_export.errors import (
    BifrostExportError,
    CredentialsRefusedError,
    DestinationError,
    DestinationUnavailableError,
)

_HINTS = {
    "ClusterNotFound": "Mend destination.config.cluster, or region.",
    "ClusterNotFoundFault": "Mend destination.config.cluster, or region.",
    "ResourceNotFoundException": "Mend destination.config.workgroup, or region.",
    "AccessDenied": "Grant {action}.",
    "AccessDeniedException": "Grant {action}.",
    "UnauthorizedOperation": "Grant {action}.",
}
_REFUSED = s3_errors.REFUSED | {
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "ExpiredTokenException",
    "IncompleteSignature",
    "MissingAuthenticationTokenException",
}
_PASSING = s3_errors.PASSING | {"RequestLimitExceeded", "InternalServerException", "ConflictException"}


@contextmanager
def told(what: str, action: str) -> Iterator[None]:
    """Turn botocore's errors into the tree's.

    Args:
        what: Names what AWS is asked.
        action: What a policy has to grant for it.

    Raises:
        CredentialsRefusedError: AWS does not know who asks.
        DestinationError: A person must mend it.
        DestinationUnavailableError: It is likely to pass.
    """
    from botocore.exceptions import ClientError

    with s3_errors.told(what, action, who="AWS"):
        try:
            yield
        except ClientError as error:
            raise _answered(what, action, error) from None


def _answered(what: str, action: str, error: Any) -> BifrostExportError:
    code, status = s3_errors.code_of(error), s3_errors.status_of(error)
    message = f"{what}: AWS answered {code or status}"
    if code in _PASSING or status >= 500 or status == 429:
        return DestinationUnavailableError(message, hint="The task tries again.")
    if code in _REFUSED:
        return CredentialsRefusedError(message, hint="Mend aws_conn_id's keys, or the machine's own.")
    hint = _HINTS.get(code, "Look the code up; mend what it names.").format(action=action)
    return DestinationError(message, hint=hint)
