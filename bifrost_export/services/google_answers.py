"""What the errors of Google's clients hold: the reason, the words, and whether the fault is likely to pass."""

from __future__ import annotations

import re
from typing import Any

from bifrost_export.services import certificates

PASSING_REASONS = {
    *("backendError", "concurrentUpdate", "internalError", "rateLimitExceeded", "userRateLimitExceeded"),
    *("clientClosedRequest", "requestTimeout"),
}
_REQUEST = re.compile(r"^[A-Z]+ https?://\S+: ")


def _told(error: Any) -> tuple[str, str]:
    """Reason and words of an error; where the client has lost them, as it does with uploads, those of the answer."""
    errors = [each for each in getattr(error, "errors", None) or () if isinstance(each, dict)]
    body = _body(getattr(error, "response", None))
    errors += [each for each in body.get("errors", ()) if isinstance(each, dict)]
    reason = next((str(each["reason"]) for each in errors if each.get("reason")), "")
    words = next((str(each["message"]) for each in errors if each.get("message")), str(body.get("message") or ""))
    return reason, words


def _body(response: Any) -> dict[str, Any]:
    try:
        found = response.json()["error"]
    except (AttributeError, KeyError, TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {"message": found}


def reason_of(error: Any) -> str:
    """Google's own word for an error, such as `forbidden`."""
    return _told(error)[0] or type(error).__name__


def words_of(error: Any) -> str:
    """Return what Google says of an error, without the address of the request, which may hold an upload's secret."""
    words = _told(error)[1]
    if not words:
        words = _REQUEST.sub("", str(getattr(error, "message", "") or ""))
    return "" if words.startswith("<") or "://" in words.partition(" ")[0] else words


def is_conflict(error: Any) -> bool:
    """Return whether a put's condition was not met; an organization's policy answers 412 too."""
    return error.code in (409, 412) and "constraint" not in words_of(error)


def lacks_bucket(error: Any) -> bool:
    """Whether a 404 is about the bucket, and not about an object in it."""
    text = str(getattr(error, "message", "") or error)
    return error.code == 404 and "bucket" in text.lower() and "no such object" not in text.lower()


def is_passing(error: Exception) -> bool:
    """Whether an error of Google's clients is likely to pass."""
    from google.api_core.exceptions import GoogleAPICallError, RetryError
    from google.auth.exceptions import TransportError
    from google.cloud.storage.exceptions import InvalidResponse
    from requests.exceptions import RequestException

    if isinstance(error, GoogleAPICallError | InvalidResponse):  # the second while the client itself tries again
        code = int(error.code if isinstance(error, GoogleAPICallError) else error.response.status_code)
        passes = (code >= 500 and code not in (501, 505, 507)) or code in (408, 429, 499)
        return passes or reason_of(error) in PASSING_REASONS
    if certificates.fault(error):
        return False
    return isinstance(error, RetryError | RequestException | TransportError | ConnectionError | TimeoutError)
