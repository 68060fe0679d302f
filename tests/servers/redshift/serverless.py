"""A stand-in for Redshift Serverless's own API: where a workgroup is, and passwords for an hour."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from demo.servers.serving import serving


@dataclass
class Serverless:
    """The workgroups of a region.

    Args:
        workgroups: By name: host and port, or None for one that has no endpoint yet.
        make_user: Told a user and the password that was drawn for it.
        may_not: Actions that whoever asks has no right to.
        asked: The actions, in order.
        url: Where it answers.
    """

    workgroups: dict[str, tuple[str, int] | None]
    make_user: Callable[[str, str], None]
    may_not: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, action: str, told: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body."""
        self.asked.append(action)
        if action in self.may_not:
            return 400, _error("AccessDeniedException", f"not authorized to perform: redshift-serverless:{action}")
        name = told.get("workgroupName", "")
        if name not in self.workgroups:
            return 400, _error("ResourceNotFoundException", f"Workgroup {name} not found")
        if action == "GetWorkgroup":
            place = self.workgroups[name]
            endpoint = {"address": place[0], "port": place[1]} if place else {}
            status = "AVAILABLE" if place else "CREATING"
            return 200, {"workgroup": {"workgroupName": name, "status": status, "endpoint": endpoint}}
        if action == "GetCredentials":
            user, password = "IAM:exporter", secrets.token_urlsafe(24)
            self.make_user(user, password)
            return 200, {"dbUser": user, "dbPassword": password, "expiration": time.time() + 3600}
        return 400, _error("ValidationException", f"the stand-in has no {action}")


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"__type": kind, "message": message}


@contextmanager
def serverless(
    workgroups: dict[str, tuple[str, int] | None], make_user: Callable[[str, str], None]
) -> Iterator[Serverless]:
    """Answer on a free port of the loopback while the block lasts.

    Args:
        workgroups: By name: host and port, or None for one that has no endpoint yet.
        make_user: Told a user and the password that was drawn for it.
    """
    service = Serverless(workgroups, make_user)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class names it so)
            """Say nothing."""

        def do_POST(self) -> None:
            """Answer a request that somebody has signed."""
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if not self.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256"):
                status, told = 403, _error("MissingAuthenticationTokenException", "Missing Authentication Token")
            else:
                action = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
                status, told = service.answer(action, json.loads(body))
            data = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    with serving(server):
        yield service
