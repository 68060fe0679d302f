"""Find a TLS fault in the errors of HTTP clients, which all wrap it in another way."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator

_VERIFY = re.compile(r"certificate verify failed: ([^(\[\]]+?)\s*(?:\(_ssl|\]|$)", re.IGNORECASE)
_NO_TLS = ("WRONG_VERSION_NUMBER", "wrong version number", "HTTP_REQUEST", "http request", "record layer failure")
_NO_FILE = ("Could not find a suitable TLS CA certificate bundle", "invalid path: ")


def _within(error: BaseException) -> Iterator[BaseException]:
    """The errors that an error wraps, itself first."""
    found, seen = [error], set()
    while found:
        each = found.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        inner = [each.__cause__, each.__context__, *each.args]
        inner += [getattr(each, name, None) for name in ("reason", "inner_exception", "original_error")]
        inner += list(getattr(each, "kwargs", {}).values()) if isinstance(getattr(each, "kwargs", None), dict) else []
        found += [one for one in inner if isinstance(one, BaseException)]


def fault(error: BaseException) -> str | None:
    """Return what is wrong with the TLS of a server; None where an error is about something else.

    Args:
        error: What a client raised.

    Returns:
        Words to stand behind "the store's", such as `certificate is not trusted (self-signed certificate)`.
    """
    for each in _within(error):
        if isinstance(each, ssl.SSLCertVerificationError):
            return f"certificate is not trusted ({each.verify_message or 'it could not be verified'})"
        text = str(each)
        if match := _VERIFY.search(text):
            return f"certificate is not trusted ({match[1].rstrip(' .')})"
        if isinstance(each, ssl.SSLError) and any(word in text for word in _NO_TLS):
            return "address does not speak TLS: it is http, not https"
        if any(word in text for word in _NO_FILE):
            return "certificate can't be checked: the file of trusted authorities is missing"
    return None


def hint(address: str | None, variable: str) -> str:
    """Return what to do about it.

    Args:
        address: The key that holds the server's address, where there is one.
        variable: The variable by which the client is given further authorities.
    """
    fix = f"Fix {address}, or set" if address else "Set"
    return f"{fix} the variable {variable} to a PEM file that holds the authority of the server's certificate."
