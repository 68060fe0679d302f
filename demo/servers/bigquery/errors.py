"""BigQuery's errors, as its API writes them."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """An error of the service.

    Args:
        code: HTTP status.
        reason: The service's word for it.
        message: What it says.
    """

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message

    @property
    def proto(self) -> dict[str, str]:
        """As it stands in the status of a job."""
        return {"reason": self.reason, "message": self.message}

    @property
    def body(self) -> dict[str, Any]:
        """As an answer."""
        return {"error": {"code": self.code, "message": self.message, "errors": [{**self.proto, "domain": "global"}]}}


def missing(what: str, name: str) -> ApiError:
    """What is not there."""
    return ApiError(404, "notFound", f"Not found: {what} {name}")


def denied(kind: str, name: str, permission: str) -> ApiError:
    """What an account has no right to."""
    told = f"Permission {permission} denied on {kind.lower()} {name} (or it may not exist)."
    return ApiError(403, "accessDenied", f"Access Denied: {kind} {name}: {told}")


def bad_query(message: str) -> ApiError:
    """A query that can't be run."""
    return ApiError(400, "invalidQuery", message)
