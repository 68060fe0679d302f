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
from bifrost_export.services import certificates
from bifrost_export.services.answers import said
from bifrost_export.services.google_answers import is_passing, lacks_bucket, reason_of, words_of

SIGN_IN = "Fix credentials.service_account_key or the connection: Google does not know the account or the key."
CLOCK = "Set the clock of the machine that runs the task (NTP): Google takes a signature of the next minutes alone."
KMS = "Let the project's Cloud Storage service agent use the key: roles/cloudkms.cryptoKeyEncrypterDecrypter."
_RETAINED = (
    "A retention policy or a hold of the bucket keeps the object: shorten it to less than the time between runs of a"
    " window, or use another bucket."
)
_PAYS = "Turn Requester Pays off for the bucket: an export names no project to bill."
_PERIMETER = "Let the account through the perimeter of VPC Service Controls, or run where it may pass."
_PROJECT = "Fix destination.config.project_id, or enable Cloud Storage and billing for the project."
HINTS = {
    "retentionPolicyNotMet": _RETAINED,
    "objectUnderActiveHold": _RETAINED,
    "userProjectMissing": _PAYS,
    "userProjectAccountProblem": _PROJECT,
    "userProjectInconsistent": _PROJECT,
    "accessNotConfigured": _PROJECT,
    "accountDisabled": _PROJECT,
    "billingNotEnabled": _PROJECT,
    "projectInvalid": _PROJECT,
    "vpcServiceControls": _PERIMETER,
    "securityPolicyViolated": _PERIMETER,
    "orgPolicy": "Change the organization's policy, or use a bucket that it allows.",
    "quotaExceeded": "Raise the project's quota.",
    "dailyLimitExceeded": "Raise the project's quota.",
    "invalidStorageClass": "Fix destination.config.storage_class.",
    "uploadTooLarge": "Set data.max_rows_per_file or data.max_file_size, so that parts get smaller.",
    "notImplemented": "Use Cloud Storage itself: what answers here does not know what an export needs.",
}
"""What to do about a reason."""
_BY_WORDS = (
    ("requester pays", _PAYS),
    ("vpcservicecontrols", _PERIMETER),
    ("prohibited by organization's policy", _PERIMETER),
    ("violates constraint", HINTS["orgPolicy"]),
    ("retention policy", _RETAINED),
    ("active hold", _RETAINED),
    ("billing account", _PROJECT),
    ("storage class", HINTS["invalidStorageClass"]),
)
"""The same where the reason is vague, such as `forbidden`, and the words are not."""


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
        raise _untrusted(what, error) or _not_signed_in(what, error) from None
    except DataCorruption:
        raise DestinationUnavailableError(
            f"{what}: the store's checksum is not that of the bytes", hint="Try again."
        ) from None
    except Exception as error:
        if untrusted := _untrusted(what, error):
            raise untrusted from None
        if not is_passing(error):
            raise
        raise DestinationUnavailableError(
            f"{what}: no answer from the store ({type(error).__name__})",
            hint="Check whether the store can be reached from here; the task tries again.",
        ) from None


def _untrusted(what: str, error: Exception) -> DestinationError | None:
    fault = certificates.fault(error)
    if fault is None:
        return None
    return DestinationError(f"{what}: Google's {fault}", hint=certificates.hint(None, "REQUESTS_CA_BUNDLE"))


def _answered(what: str, rights: str, hint: str, error: Any) -> BifrostExportError:
    code, reason, words = error.code or 0, reason_of(error), words_of(error)
    message = f"{what}: the store answered {said(f'{int(code)} {reason}', words)}"
    if is_passing(error):
        return DestinationUnavailableError(message, hint="The task tries again.")
    if code == 401:
        return CredentialsRefusedError(message, hint=SIGN_IN)
    known = HINTS.get(reason) or next((each for word, each in _BY_WORDS if word in words.lower()), None)
    if known:
        return DestinationError(message, hint=known)
    if lacks_bucket(error):
        return DestinationError(message, hint="Create the bucket, or fix destination.config.bucket.")
    if "kms" in str(error).lower():
        return DestinationError(message, hint=KMS)
    if code == 403:
        granted = f"Grant {rights} on the bucket; the role roles/storage.objectUser holds what an export needs."
        return DestinationError(message, hint=f"{granted} {hint}".strip())
    return DestinationError(message, hint="Look the reason up in the documentation of Cloud Storage.")


def _not_signed_in(what: str, error: Any) -> BifrostExportError:
    from google.auth.exceptions import DefaultCredentialsError, InvalidOperation, RefreshError, TransportError

    name = type(error).__name__
    if isinstance(error, TransportError) or getattr(error, "retryable", False):
        return DestinationUnavailableError(
            f"{what}: Google's sign-in gave no answer ({name})",
            hint="Check whether the key's token_uri can be reached from here; the task tries again.",
        )
    if isinstance(error, InvalidOperation):  # the client would renew what an anonymous connection hasn't got
        hint = "Give credentials.service_account_key, or a conn_id that signs in."
        return CredentialsRefusedError(
            f"{what}: the store demands a sign-in, and the connection is anonymous", hint=hint
        )
    if isinstance(error, RefreshError):
        words = _description(error)
        hint = (
            CLOCK if any(word in words.lower() for word in ("iat and exp", "timeframe", "token used too")) else SIGN_IN
        )
        return CredentialsRefusedError(f"{what}: Google's sign-in refused ({said(name, words)})", hint=hint)
    if isinstance(error, DefaultCredentialsError):
        hint = "Give credentials, a conn_id, or run where the default chain finds some."
        return DestinationError(f"{what}: {name}", hint=hint)
    return DestinationError(f"{what}: {name}", hint="Fix credentials.service_account_key: it can't be used to sign.")


def _description(error: Any) -> str:
    """What the sign-in says of a refusal, in its own words."""
    told = next((each for each in error.args if isinstance(each, dict)), {})
    return str(told.get("error_description") or told.get("error") or "")
