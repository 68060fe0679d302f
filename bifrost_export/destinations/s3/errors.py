"""What S3's and botocore's errors mean for a run: permanent with what to do, or passing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bifrost_export.errors import (
    BifrostExportError,
    ConfigError,
    CredentialsRefusedError,
    DestinationError,
    DestinationUnavailableError,
)
from bifrost_export.services import certificates
from bifrost_export.services.s3_answers import code_of, described, is_passing, status_of
from bifrost_export.services.s3_codes import HINTS, REFUSED

ALL_RIGHTS = "s3:PutObject, s3:GetObject, s3:DeleteObject and s3:ListBucket"
_UNKNOWN = "Look the code up in the store's documentation."


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
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
    from botocore.exceptions import ConnectionError as NotConnectedError

    try:
        yield
    except BifrostExportError:
        raise
    except ClientError as error:
        raise _answered(what, rights, error) from None
    except (HTTPClientError, NotConnectedError, IncompleteReadError) as error:
        if "Invalid header value" in str(error):  # the message quotes it, with the keys in it
            raise ConfigError(
                f"{what}: the credentials contain a newline or another control character",
                hint="Fix the keys of the profile, role or process that the default chain found.",
            ) from None
        untrusted = certificates.fault(error)
        if untrusted:
            hint = certificates.hint("destination.config.endpoint_url", "AWS_CA_BUNDLE")
            raise DestinationError(f"{what}: {who}'s {untrusted}", hint=hint) from None
        raise DestinationUnavailableError(
            f"{what}: no answer from {who} ({type(error).__name__})",
            hint=f"Check whether {who} can be reached from here; the task tries again.",
        ) from None
    except BotoCoreError as error:
        raise _not_asked(what, error) from None
    except ValueError as error:  # how botocore refuses an endpoint that is none
        raise DestinationError(f"{what}: {error}", hint="Fix destination.config.endpoint_url.") from None


def _not_asked(what: str, error: Exception) -> BifrostExportError:
    name = type(error).__name__
    if name == "FlexibleChecksumError":
        return DestinationUnavailableError(f"{what}: the bytes that arrived have another checksum", hint="Retry.")
    return DestinationError(f"{what}: {name}", hint=HINTS.get(name, "Fix destination.config."))


def _answered(what: str, rights: str, error: Any) -> BifrostExportError:
    code, status = code_of(error), status_of(error)
    message = f"{what}: the store answered {described(error)}"
    if is_passing(error):
        return DestinationUnavailableError(message, hint="The task tries again.")
    if error.operation_name == "AssumeRole":
        return CredentialsRefusedError(f"{message} (to sts:AssumeRole)", hint="Let these credentials assume role_arn.")
    hint = HINTS.get(code, HINTS["AccessDenied"] if status == 403 else _UNKNOWN).format(rights=rights)
    return (CredentialsRefusedError if code in REFUSED or status == 401 else DestinationError)(message, hint=hint)
