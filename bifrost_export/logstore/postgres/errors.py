"""PostgreSQL's faults in this package's words: what a person has to mend, and what passes."""

from __future__ import annotations

import re
from dataclasses import dataclass

import adbc_driver_manager as adbc

from bifrost_export.errors import BifrostExportError, LogStoreBusyError, LogStoreError
from bifrost_export.logstore.adaptive_pieces import SlowError

_TRY_AGAIN = "Try again; nothing was published from what was read so far."
_CANCELED = "57014"
_LOCKED = "55P03"
_PASSING = ("08", "40", "53", "57", "58", "25P03")
_CHANGED = ("42P01", "42703", "3F000", "42704")
_DENIED = ("42501",)
_REASON = re.compile(r"failed: (?:FATAL: +)?(.*)")

# What libpq says when a connection can't be had; it gives no code then.
_REFUSED = {
    r"requirement .!password. failed": (
        "The server asks for the password in clear, and only the document names it. Let the server use scram-sha-256,"
        " use an Airflow connection (conn_id), or ask an administrator to allow the host in BIFROST_EXPORT_HOSTS."
    ),
    r"password authentication failed|no password supplied|authentication failed": (
        "Check user and password of the source."
    ),
    r"role .* (does not exist|is not permitted to log in)": "Check the user of the source.",
    r"database .* does not exist": "Check db_name of the source.",
    r"permission denied for database": "GRANT CONNECT ON DATABASE to the user of the source.",
    r"no pg_hba\.conf entry": "The server's pg_hba.conf must let this machine and user in, with or without SSL.",
    r"does not support SSL": "Set ssl_mode to prefer or disable, or switch SSL on in the server.",
    r"certificate|SSL error|sslmode|private key file": (
        "Check ssl_mode of the source, and its certificates: ssl_root_cert, ssl_cert, ssl_key."
    ),
}


@dataclass(frozen=True)
class Place:
    """Which log store a fault is told of.

    Args:
        address: Host, port and database, without user and password.
        secret: What may stand in no message.
    """

    address: str
    secret: str | None = None

    def told(self, text: str) -> str:
        """The first line of a text, without the secret."""
        line = next((line.strip() for line in text.splitlines() if line.strip()), "unknown fault")
        return line.replace(self.secret, "***") if self.secret else line


def row_security_hint(user: str = "...") -> str:
    """What to do where row-level security keeps rows from a user."""
    return (
        f"Let the user see every row: ALTER ROLE {user} BYPASSRLS, or use the role that owns the table."
        " A policy is not enough: PostgreSQL cannot prove that a policy passes every row."
    )


def of_connecting(place: Place, error: Exception) -> BifrostExportError:
    """Why no connection could be had."""
    lines = [line.strip() for line in str(error).splitlines()]
    reasons = [match[1] for line in lines if (match := _REASON.search(line))] or [lines[0].rpartition("connect: ")[2]]
    said = place.told("; ".join(dict.fromkeys(reasons)))
    for pattern, hint in _REFUSED.items():
        if re.search(pattern, said):
            return LogStoreError(f"the log store {place.address} refuses the connection: {said}", hint=hint)
    return LogStoreBusyError(
        f"the log store {place.address} can't be reached: {said}",
        hint="Check host and port of the source if it stays so, and whether the server runs.",
    )


def of_statement(place: Place, error: Exception) -> BifrostExportError:
    """Why a statement failed."""
    code = getattr(error, "sqlstate", None)
    said = place.told(_primary(error))
    if code == _CANCELED:
        return SlowError(f"the log store {place.address} stopped a statement: {said}", hint=_TRY_AGAIN)
    if code == _LOCKED:
        return LogStoreBusyError(f"the table logs of {place.address} stayed locked by another: {said}", hint=_TRY_AGAIN)
    if code in _DENIED:
        hint = "Grant the user the right: GRANT SELECT ON logs TO ...; and GRANT USAGE ON SCHEMA ... TO ..."
        # The server's messages may be in any language: in another one, both remedies are named.
        if "permission denied" not in said:
            rows = row_security_hint()
            hint = rows if "row-level security" in said else f"{hint} If row-level security is on: {rows}"
        return LogStoreError(f"the log store {place.address} lets its user not read: {said}", hint=hint)
    if code is None or code.startswith(_PASSING):
        return LogStoreBusyError(f"the log store {place.address} went away or is busy: {said}", hint=_TRY_AGAIN)
    if code in _CHANGED:
        return LogStoreBusyError(
            f"the table logs of {place.address} was changed while it was read: {said}", hint=_TRY_AGAIN
        )
    return LogStoreError(f"the log store {place.address} can't be read: {said} (SQLSTATE {code})")


def _primary(error: Exception) -> str:
    """The message without its details, which may hold values of rows."""
    if isinstance(error, adbc.Error):
        for name, value in error.details:
            if name in ("PG_DIAG_MESSAGE_PRIMARY", b"PG_DIAG_MESSAGE_PRIMARY"):
                return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return str(error).partition("Query was")[0].rpartition("': ")[2]
