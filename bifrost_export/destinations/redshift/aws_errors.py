"""What AWS's answers about clusters, workgroups and passwords mean for a run: permanent with what to do, or passing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bifrost_export.destinations.s3 import errors
from bifrost_export.errors import (
    BifrostExportError,
    CredentialsRefusedError,
    DestinationError,
    DestinationUnavailableError,
)
from bifrost_export.services.s3_answers import code_of, described, is_passing
from bifrost_export.services.s3_codes import HINTS, PASSING, REFUSED

_HINTS = {
    "ClusterNotFound": "Fix destination.config.cluster, or region.",
    "ClusterNotFoundFault": "Fix destination.config.cluster, or region.",
    "ResourceNotFoundException": "Fix destination.config.workgroup, or region.",
    "AccessDenied": "Grant {action}.",
    "AccessDeniedException": "Grant {action}.",
    "UnauthorizedOperation": "Grant {action}.",
}
_CLOCKS = {code: HINTS[code] for code in ("RequestTimeTooSkewed", "RequestExpired")}
_REFUSED = REFUSED | {
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "ExpiredTokenException",
    "IncompleteSignature",
    "MissingAuthenticationTokenException",
}
_PASSING = PASSING | {"RequestLimitExceeded", "InternalServerException", "ConflictException"}


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

    with errors.told(what, action, who="AWS"):
        try:
            yield
        except ClientError as error:
            raise _answered(what, action, error) from None


def _answered(what: str, action: str, error: Any) -> BifrostExportError:
    code = code_of(error)
    message = f"{what}: AWS answered {described(error)}"
    if code in _PASSING or is_passing(error):
        return DestinationUnavailableError(message, hint="The task tries again.")
    if code in _REFUSED:
        return CredentialsRefusedError(message, hint="Fix aws_conn_id's keys, or the machine's own.")
    hint = {**_CLOCKS, **_HINTS}.get(code, "Look the code up in the documentation of AWS.").format(action=action)
    return DestinationError(message, hint=hint)
