"""Who may do what at a stand-in for one of Google's services, which itself asks nobody for a token.

A gate stands in a fault proxy: `proxy.gate = Gate(auth, storage_permissions)`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from urllib.parse import parse_qs, urlsplit

from demo.servers.google_auth import GoogleAuth

_OBJECTS = re.compile(r"^/(?:upload/|download/|resumable/upload/)?(?:storage/v1/)?b/[^/]+/o(?:/(?P<object>.+))?$")


@dataclass
class Gate:
    """Refuses requests without a token that holds (401), or without a permission (403).

    Args:
        auth: Knows the tokens.
        permissions_of: The permissions that a request needs, by method and path.
    """

    auth: GoogleAuth
    permissions_of: Callable[[str, str], tuple[str, ...]]

    def __call__(self, method: str, path: str, headers: Message) -> tuple[int, bytes] | None:
        """The refusal of a request as (status, JSON), or None where it may pass."""
        account = self.auth.account_of(headers.get("Authorization", ""))
        if account is None:
            return 401, error_body(401, "authError", "Invalid Credentials")
        permission = next((each for each in self.permissions_of(method, path) if not account.may(each)), None)
        if permission is None:
            return None
        told = f"{account.email} does not have {permission} access to the resource (or it may not exist)."
        return 403, error_body(403, "forbidden", f"{told} Permission '{permission}' denied on resource.")


def error_body(status: int, reason: str, message: str) -> bytes:
    """An error as Google's services write it."""
    errors = [{"message": message, "domain": "global", "reason": reason}]
    return json.dumps({"error": {"code": status, "message": message, "errors": errors}}).encode()


def storage_permissions(method: str, path: str) -> tuple[str, ...]:
    """What a request to Cloud Storage needs."""
    parts = urlsplit(path)
    match, query = _OBJECTS.match(parts.path), parse_qs(parts.query)
    if match is None:
        return ("storage.buckets.get",) if method == "GET" else ("storage.buckets.create",)
    if "upload_id" in query and method in ("PUT", "DELETE"):
        return ()  # whoever knows a session's address may go on with it
    if method in ("POST", "PUT"):
        is_new = query.get("ifGenerationMatch") == ["0"]
        return ("storage.objects.create",) if is_new else ("storage.objects.create", "storage.objects.delete")
    if method == "DELETE":
        return ("storage.objects.delete",)
    return ("storage.objects.get",) if match["object"] else ("storage.objects.list",)
