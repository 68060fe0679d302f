"""Resumable uploads as Cloud Storage takes them, in front of a server that does not.

The server sums up all that has arrived at each stretch, so that a part of 2 GiB takes it half an hour; it takes the
question how much has arrived for the end of the upload, and the end of it though the name is taken.
"""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from typing import IO, Any
from urllib.parse import parse_qs, quote, urlsplit

from tests.servers.fault_proxy import Answer
from tests.servers.google_gate import error_body

_RANGE = re.compile(r"bytes (?:(?P<first>\d+)-(?P<last>\d+)|\*)/(?:(?P<total>\d+)|\*)")


@dataclass
class _Session:
    held: IO[bytes] = field(default_factory=tempfile.TemporaryFile)
    size: int = 0
    end: Answer | None = None
    """What was answered to the last bytes, or to who ended it."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, first: int, data: bytes) -> None:
        """Hold bytes, unless some before them are missing."""
        if first <= self.size:
            self.held.seek(first)
            self.held.write(data)
            self.size = max(self.size, first + len(data))

    def close(self, answer: Answer) -> Answer:
        """Let go of the bytes."""
        self.held.close()
        self.end = answer
        return answer


class Sessions:
    """Holds the bytes of uploads that are not whole, and hands each on in one request.

    Args:
        forward: Asks the server.
        is_free: Whether an object's path is of none that is there.
    """

    def __init__(self, forward: Callable[[str, str, Message, Any], Answer], is_free: Callable[[str], bool]) -> None:
        self.forward, self.is_free = forward, is_free
        self.sessions: dict[str, _Session] = {}
        self.lock = threading.Lock()

    def __call__(self, method: str, path: str, headers: Message, body: bytes) -> Answer:
        """Answer a request."""
        session_id = parse_qs(urlsplit(path).query).get("upload_id", [""])[0]
        if not session_id:
            return self.forward(method, path, headers, body)
        with self.lock:
            if session_id not in self.sessions:
                self.sessions[session_id] = _Session()
            session = self.sessions[session_id]
        with session.lock:  # who asks again while the end is being handed on waits for its answer
            return session.end or self._answer(method, path, headers, body, session)

    def _answer(self, method: str, path: str, headers: Message, body: bytes, session: _Session) -> Answer:
        if method == "DELETE":
            session.close(Answer(404, [], error_body(404, "notFound", "Not Found")))
            return Answer(499, [], b"")
        told = _RANGE.fullmatch(headers.get("Content-Range", ""))
        if told is None:
            return session.close(self.forward(method, path, headers, body))
        if told["first"] is not None:
            session.take(int(told["first"]), body)
        if told["total"] is not None and int(told["total"]) == session.size:
            return session.close(self._finish(path, headers, session))
        return Answer(308, [("Range", f"bytes=0-{session.size - 1}")] if session.size else [], b"")

    def close(self) -> None:
        """Let go of all bytes."""
        for session in self.sessions.values():
            session.held.close()

    def _finish(self, path: str, headers: Message, session: _Session) -> Answer:
        parts = urlsplit(path)
        name = quote(parse_qs(parts.query)["name"][0], safe="")
        if not self.is_free(f"{parts.path.removeprefix('/upload')}/{name}"):
            text = "At least one of the pre-conditions you specified did not hold."
            return Answer(412, [], error_body(412, "conditionNotMet", text))
        if session.size:
            headers.replace_header("Content-Range", f"bytes 0-{session.size - 1}/{session.size}")
        return self.forward("PUT", path, headers, session.held)
