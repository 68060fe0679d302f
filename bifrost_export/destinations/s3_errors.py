"""What S3's and botocore's errors mean for a run: permanent with what to do, or passing."""

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

HINTS = {
    "NoSuchBucket": "Create the bucket, or mend destination.config.bucket and region.",
    "InvalidAccessKeyId": "Mend the access key id: the store does not know it.",
    "InvalidClientTokenId": "Mend the access key id: the store does not know it.",
    "SignatureDoesNotMatch": "Mend the secret access key: it does not fit the access key id.",
    "ExpiredToken": "Renew the session token.",
    "InvalidToken": "Renew the session token.",
    "AccessDenied": "Grant {rights} on the bucket and prefix.",
    "403": "Mend the credentials, or grant {rights} on the bucket and prefix.",
    "PermanentRedirect": "Mend destination.config.region: the bucket lies in another one.",
    "AuthorizationHeaderMalformed": "Mend destination.config.region: the bucket lies in another one.",
    "NoCredentialsError": "Give credentials, a conn_id, or run where the default chain finds some.",
    "PartialCredentialsError": "Give both access_key_id and secret_access_key.",
    "InvalidBucketName": "Mend destination.config.bucket.",
    "ParamValidationError": "Mend destination.config.",
}
REFUSED = {"InvalidAccessKeyId", "InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"}
"""Codes by which the store says that it does not know who asks."""
WITHOUT_BUCKET = {"NoSuchBucket", "InvalidBucketName", "PermanentRedirect", "AuthorizationHeaderMalformed"}
"""Codes by which it says that the bucket isn't there."""
ALL_RIGHTS = "s3:PutObject, s3:GetObject, s3:DeleteObject and s3:ListBucket"
PASSING = {
    "SlowDown",
    "RequestTimeout",
    "RequestTimeTooSkewed",
    "InternalError",
    "ServiceUnavailable",
    "Throttling",
    "ThrottlingException",
    "OperationAborted",
    "500",
    "502",
    "503",
    "504",
}
CONFLICTS = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}


def code_of(error: Any) -> str:
    """The store's own code of a `ClientError`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: Any) -> int:
    """The HTTP status of a `ClientError`, 0 when there was none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


@contextmanager
def told(what: str, rights: str = ALL_RIGHTS, *, who: str = "the store") -> Iterator[None]:
    """Turn botocore's errors into the tree's.

    Args:
        what: Names the action and the object.
        rights: What the policy has to grant for it.
        who: Who is asked.

    Raises:
        CredentialsRefusedError: The store does not know who asks.
        DestinationError: A person must mend it.
        DestinationUnavailableError: It is likely to pass.
    """
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError, SSLError
    from botocore.exceptions import ConnectionError as NotConnectedError

    try:
        yield
    except BifrostExportError:
        raise
    except ClientError as error:
        raise _answered(what, rights, error) from None
    except SSLError as error:
        raise DestinationError(
            f"{what}: {who}'s certificate is not trusted ({type(error).__name__})",
            hint="Mend destination.config.endpoint_url, or trust its authority by the variable AWS_CA_BUNDLE.",
        ) from None
    except (HTTPClientError, NotConnectedError, IncompleteReadError) as error:
        raise DestinationUnavailableError(
            f"{what}: no answer from {who} ({type(error).__name__})",
            hint=f"Look whether {who} can be reached from here; the task tries again.",
        ) from None
    except BotoCoreError as error:
        name = type(error).__name__
        raise DestinationError(f"{what}: {name}", hint=HINTS.get(name, "Mend destination.config.")) from None
    except ValueError as error:  # how botocore refuses an endpoint that is none
        raise DestinationError(f"{what}: {error}", hint="Mend destination.config.endpoint_url.") from None


def _answered(what: str, rights: str, error: Any) -> BifrostExportError:
    code, status = code_of(error), status_of(error)
    message = f"{what}: the store answered {code or status}"
    if code in PASSING or status >= 500 or status == 429:
        return DestinationUnavailableError(message, hint="Try again.")
    if error.operation_name == "AssumeRole":
        return CredentialsRefusedError(f"{message} to sts:AssumeRole", hint="Let these credentials assume role_arn.")
    hint = HINTS.get(code, "Look the code up at the store.").format(rights=rights)
    return (CredentialsRefusedError if code in REFUSED else DestinationError)(message, hint=hint)
