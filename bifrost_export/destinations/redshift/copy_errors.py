"""What COPY says of S3, of its role and of what it reads: the fields of its message, and the system's own table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bifrost_export.errors import BifrostExportError, DestinationError, DestinationUnavailableError

LOAD_ERRORS = (
    "SELECT column_name, line_number, column_type, error_message, file_name FROM sys_load_error_detail"
    " WHERE session_id = pg_backend_pid() ORDER BY start_time DESC LIMIT 1"
)
"""Where Redshift tells more of a COPY that this session has tried."""
_S3 = re.compile(r"S3ServiceException:\s*(.*?),?\s*Status\s+(\d+)[^,]*,\s*Error\s+(\w+)", re.DOTALL)
_CONTEXT = re.compile(r"(?ms)^\s*context:\s*(.*?)\s*(?=^\s*(?:query|location|process|node|slice)\s*:|^\s*-{5,}|\Z)")
_VALUE = re.compile(r"(?is)\bvalues?\b\s*(?:of|is|[:=])?\s*(['\"`]).*\1")
_FOREIGN = {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
REGION = (
    "The staging bucket must be in Redshift's region, since COPY reads Parquet from no other: set"
    " destination.config.staging.bucket to such a bucket."
)


def context_of(facts: Mapping[str, str]) -> str:
    """What an error's detail has as `context`, on one line; empty without one."""
    found = _CONTEXT.search(str(facts.get("D", "")))
    return without_values(" ".join(found[1].split())) if found else ""


def without_values(text: str) -> str:
    """A text without the value that it quotes."""
    return _VALUE.sub("the value", text)


def explain(what: str, facts: Mapping[str, str]) -> BifrostExportError | None:
    """The error that COPY's answer stands for; None where it is not about S3, a role or a file.

    Args:
        what: Names the action and the object.
        facts: The fields of the answer, by their letters.
    """
    message, context = str(facts.get("M", "")), context_of(facts)
    whole = f"{message} {facts.get('D', '')}"
    if match := _S3.search(whole):
        return _of_s3(what, match[1].strip(), int(match[2]), match[3], context)
    if "not authorized to assume IAM Role" in whole or "not authorized to get credentials of role" in whole:
        return DestinationError(
            f"{what}: Redshift may not assume staging.iam_role: {_line(message)}",
            hint="Attach the role to the cluster or workgroup, and let it trust redshift.amazonaws.com.",
        )
    if "disk full" in whole.lower():
        return DestinationUnavailableError(
            f"{what}: Redshift's disks are full: {_join(message, context)}",
            hint="Free space (SVV_TABLE_INFO, VACUUM) or resize the cluster; the task tries again.",
        )
    if "Spectrum Scan Error" in whole or "Load into table" in whole:
        return DestinationError(
            f"{what}: COPY could not read a staged file: {_join(message, context)}",
            hint="Compare the column's type in the table with the type that is named; then clear load.",
        )
    return None


def _of_s3(what: str, reason: str, status: int, code: str, context: str) -> BifrostExportError:
    told = f"{reason}. {context}" if context and context not in reason else reason
    if status >= 500 or code in ("SlowDown", "InternalError", "RequestTimeout", "Throttling", "TooManyRequests"):
        return DestinationUnavailableError(f"{what}: S3 answered {code}: {told}", hint="The task tries again.")
    if status in (301, 307) or code in _FOREIGN or "different region" in reason.lower():
        return DestinationError(f"{what}: S3 refused Redshift ({code}: {told})", hint=REGION)
    if code in ("NoSuchKey", "NoSuchBucket") or status == 404:
        hint = "Clear load and what follows it; look for who else deletes in the staging bucket."
        return DestinationError(f"{what}: S3 refused Redshift ({code}: {told})", hint=hint)
    return DestinationError(
        f"{what}: S3 refused Redshift ({code}: {told})",
        hint="Let the role or keys of COPY read the staging bucket: s3:GetObject and s3:ListBucket"
        " (and kms:Decrypt where it is encrypted by a key of yours).",
    )


def _line(message: str) -> str:
    return without_values(" ".join(message.split()))


def _join(message: str, context: str) -> str:
    line = _line(message)
    return f"{line}: {context}" if context and context not in line else line


def with_load_error(error: DestinationError, rows: Sequence[Sequence[Any]]) -> DestinationError:
    """An error with what `sys_load_error_detail` tells, but for the value.

    Args:
        error: What COPY said.
        rows: The rows of `LOAD_ERRORS`.
    """
    if not rows:
        return error
    column, line, kind, reason, file = (str(each).strip() if each is not None else "" for each in rows[0])
    told = f"column {column or '?'} ({kind or 'type unknown'}), line {line or '?'} of {file or '?'}: "
    return DestinationError(f"{error.message}; sys_load_error_detail: {told}{_line(reason)}", hint=error.hint)
