"""What Snowflake says to a sign-in that it refuses, and what to do about it."""

from __future__ import annotations

import re
from typing import Any

from bifrost_export.errors import BifrostExportError, CredentialsRefusedError, DestinationUnavailableError

FAILED = 250001
"""What the driver says of a sign-in, whatever the reason; the reason stands in the text."""
_SETTINGS = {251001, 251005, 251006, 251007, 251008, 251009}
"""What the driver refuses before it asks the service."""
_PASSING_WORDS = re.compile(
    r"(?i)service is (temporarily )?unavailable|could not connect to snowflake backend|will be handled by"
    r"|internal error|timed? ?out|too many requests|maintenance|please retry|retry (your|the) request"
)
_AT = re.compile(r"^(?:None: )?Failed to connect to DB[:.] *(?:[\w.-]+:\d+\. *)?")
"""What the driver puts before the service's own sentence."""
_FOR_MFA = (
    "Set destination.config.credentials.private_key (a key pair), or set credentials.password to a programmatic access"
    " token: Snowflake refuses a password without MFA."
)
_HINTS = (
    (r"mfa|multi-?factor|duo|passcode", _FOR_MFA),
    (r"network policy is required", "Give the user a network policy, which programmatic access tokens need."),
    (
        r"not allowed to access|network policy|\bip\b",
        "Allow this machine's address in the network policy of the user or the account.",
    ),
    (
        r"\brole\b",
        "Grant the role to the user (GRANT ROLE <role> TO USER <user>), or fix destination.config.role.",
    ),
    (
        r"locked",
        "Wait as long as Snowflake says, or let an administrator run ALTER USER <user> SET MINS_TO_UNLOCK = 0.",
    ),
    (r"disabled", "Let an administrator run ALTER USER <user> SET DISABLED = FALSE."),
    (r"password.*(expired|chang)", "Set a new password, or use a key pair or a programmatic access token."),
    (
        r"jwt",
        "Compare the key with RSA_PUBLIC_KEY_FP of DESC USER <user>; check credentials.username and the clock here.",
    ),
    (
        r"access token|\bpat\b",
        "Create a new programmatic access token for the user, and set it as credentials.password.",
    ),
    (
        r"account",
        "Fix destination.config.account: <organization>-<account>, or a locator with its region.",
    ),
)
_ELSE = "Fix destination.config.credentials or the connection."
_BAD_CREDENTIALS = re.compile(r"(?i)incorrect username|jwt|incorrect password|password is empty")


def is_of_sign_in(what: str, number: int) -> bool:
    """Whether an error is one of signing in.

    Args:
        what: What was done.
        number: The error's number.
    """
    is_known = number == FAILED or number in _SETTINGS or 390_000 <= number < 400_000
    return number == FAILED or (what == "signing in" and is_known)


def refused(what: str, said: str, number: int, passing: set[int]) -> BifrostExportError:
    """The error for a sign-in, with the service's own sentence.

    Args:
        what: What was done.
        said: What the driver says.
        number: The error's number.
        passing: Numbers of errors that pass.
    """
    sentence = _AT.sub("", said).strip() or f"error {number}"
    if _PASSING_WORDS.search(sentence) or number in passing:
        return DestinationUnavailableError(f"{what}: Snowflake says: {sentence}", hint="The task tries again.")
    lower = sentence.lower()
    hint = next((hint for words, hint in _HINTS if re.search(words, lower)), _ELSE)
    refusal = "refused user, password or key" if _BAD_CREDENTIALS.search(sentence) else "refused the sign-in"
    return CredentialsRefusedError(f"{what}: Snowflake {refusal}: {sentence}", hint=hint)


def not_found(what: str, said: str) -> CredentialsRefusedError:
    """The error for an account or host that answers, and is not Snowflake's or not this account's."""
    hint = _hint_of("account")
    return CredentialsRefusedError(f"{what}: there is no such account: {said}", hint=hint)


def _hint_of(word: str) -> str:
    return next(hint for words, hint in _HINTS if words == word)


def sentence_of(error: Any) -> str:
    """What an error of the driver says, on one line, without the query's id."""
    text = str(error.raw_msg or error.msg or "")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines)[:2_000] or type(error).__name__
