"""What the errors of Google's clients mean for a run: permanent with what to do, or passing."""

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

PASSING_REASONS = {"rateLimitExceeded", "userRateLimitExceeded", "backendError", "internalError"}
SIGN_IN = "Mend credentials.service_account_key or the connection: Google does not know the account or the key."
KMS = "Let the project's Cloud Storage service agent use the key: roles/cloudkms.cryptoKeyEncrypterDecrypter."


def reason_of(error: Any) -> str:
    """Google's own word for an error, such as `forbidden`; never its message, which may quote what was sent."""
    for each in getattr(error, "errors", None) or ():
        if isinstance(each, dict) and each.get("reason"):
            return str(each["reason"])
    return type(error).__name__


def lacks_bucket(error: Any) -> bool:
    """Whether a 404 is about the bucket, and not about an object in it."""
    text = str(getattr(error, "message", "") or error)
    return error.code == 404 and "bucket" in text.lower() and "no such object" not in text.lower()


def is_passing(error: Exception) -> bool:
    """Whether an error of Google's clients is likely to pass."""
    from google.api_core.exceptions import GoogleAPICallError, RetryError
    from google.auth.exceptions import TransportError
    from requests.exceptions import RequestException

    if isinstance(error, GoogleAPICallError):
        code = error.code or 0
        return code >= 500 or code in (408, 429) or reason_of(error) in PASSING_REASONS
    return isinstance(error, RetryError | RequestException | TransportError | ConnectionError | TimeoutError)


@contextmanager
def told(what: str, rights: str, hint: str = "") -> Iterator[None]:
    """Turn the errors of Google's clients into the tree's.

    Args:
        what: Names the action and the object.
        rights: The permissions that it needs.
        hint: What else to look at when they are not enough.

    Raises:
        CredentialsRefusedError: Google does not know who asks.
        DestinationError: A person must mend it.
        DestinationUnavailableError: It is likely to pass.
    """
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError
    from google.cloud.storage.exceptions import DataCorruption

    try:
        yield
    except BifrostExportError:
        raise
    except GoogleAPICallError as error:
        raise _answered(what, rights, hint, error) from None
    except GoogleAuthError as error:
        raise _not_signed_in(what, error) from None
    except DataCorruption:
        raise DestinationUnavailableError(
            f"{what}: the store's checksum is not that of the bytes", hint="Try again."
        ) from None
    except Exception as error:
        if not is_passing(error):
            raise
        raise DestinationUnavailableError(
            f"{what}: no answer from the store ({type(error).__name__})",
            hint="Look whether the store can be reached from here; the task tries again.",
        ) from None


def _answered(what: str, rights: str, hint: str, error: Any) -> BifrostExportError:
    code, reason = error.code or 0, reason_of(error)
    message = f"{what}: the store answered {int(code)} {reason}"
    if is_passing(error):
        return DestinationUnavailableError(message, hint="Try again.")
    if code == 401:
        return CredentialsRefusedError(message, hint=SIGN_IN)
    if lacks_bucket(error):
        return DestinationError(message, hint="Create the bucket, or mend destination.config.bucket.")
    if "kms" in str(error).lower():
        return DestinationError(message, hint=KMS)
    if code == 403:
        granted = f"Grant {rights} on the bucket; the role roles/storage.objectUser holds what an export needs."
        return DestinationError(message, hint=f"{granted} {hint}".strip())
    return DestinationError(message, hint="Look the reason up in the documentation of Cloud Storage.")


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
