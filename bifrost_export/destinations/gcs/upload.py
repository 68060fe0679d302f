"""An object that goes to Cloud Storage block by block: a resumable upload.

The client library can't send a stream of unknown length with a checksum of the whole, nor find out after a lost
answer how much has arrived; both are asked of a session here.
"""

from __future__ import annotations

import base64
import re
import time
from contextlib import AbstractContextManager, suppress
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from bifrost_export.destinations.object_store.port import DeletionRefusedError, KeyTakenError, Stored
from bifrost_export.errors import DestinationUnavailableError
from bifrost_export.redaction.listeners import tell
from bifrost_export.services.google_answers import is_passing

TIMEOUT = (20, 120)
"""Seconds to connect, and to wait for an answer."""
PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds to wait after each answer that did not come."""
WHOLE, GOING_ON = 200, 308
_RANGE = re.compile(r"bytes=0-(\d+)")


class Crc32c:
    """The checksum that Cloud Storage keeps of every object."""

    def __init__(self) -> None:
        import google_crc32c

        self._checksum = google_crc32c.Checksum()

    def update(self, data: bytes) -> Crc32c:
        """Take the next bytes."""
        self._checksum.update(data)
        return self

    @property
    def value(self) -> str:
        """As the store writes it: base64."""
        return base64.b64encode(self._checksum.digest()).decode()


def compare(what: str, answered: str | None, checksum: str) -> None:
    """Compare the store's checksum with the bytes' own.

    Raises:
        DestinationUnavailableError: They differ.
    """
    if answered != checksum:
        raise DestinationUnavailableError(
            f"{what}: the store's checksum {answered} is not that of the bytes, {checksum}", hint="Try again."
        )


class Bucket(Protocol):
    """**Protocol.** What an upload asks of its bucket; `GCSStore` is one."""

    @property
    def session(self) -> Any:
        """The HTTP session, signed in."""
        ...

    @property
    def retry(self) -> Any:
        """How the client retries."""
        ...

    def putting(self, key: str) -> AbstractContextManager[str]:
        """Translate the errors of a put while the context is active; enters with the object's address."""
        ...

    def told(self, action: str, key: str, rights: str) -> AbstractContextManager[None]:
        """Translate the client's errors while the context is active."""
        ...

    def delete(self, key: str) -> None:
        """Delete an object."""
        ...


class ResumableUpload:
    """One resumable upload.

    Args:
        store: The bucket.
        key: The object's name.
        blob: What is said about it, as the client wants it.
    """

    def __init__(self, store: Bucket, key: str, blob: Any) -> None:
        self.store, self.key = store, key
        self.size = 0
        self.crc32c = Crc32c()
        with store.putting(key):
            self.session = blob.create_resumable_upload_session(
                content_type=blob.content_type, if_generation_match=0, checksum=None, retry=store.retry
            )
        # Whoever knows a session may go on with it, and clients log its address at the level DEBUG.
        for known in parse_qs(urlsplit(self.session).query).get("upload_id", ()):
            tell(known)

    def block(self, data: bytes) -> None:
        """Send the next bytes."""
        self._send(data, None)

    def finish(self, data: bytes) -> Stored:
        """Send the last bytes, with the checksum of the whole; the object is there if the name was free."""
        with self.store.putting(self.key) as what:
            answer = self._send(data, self.size + len(data))
            try:
                compare(what, answer.get("crc32c"), self.crc32c.value)
            except DestinationUnavailableError:
                with suppress(DeletionRefusedError):
                    self.store.delete(self.key)
                raise
        return Stored(self.key, self.size, f"crc32c:{self.crc32c.value}")

    def _send(self, data: bytes, total: int | None) -> dict[str, Any]:
        """Send bytes until the store has them all; gives its answer to the last."""
        self.crc32c.update(data)
        begin, end = self.size, self.size + len(data)
        arrived, is_unknown = begin, False
        answer: dict[str, Any]
        with self.store.putting(self.key) as what:
            for pause in (*PAUSES, None):
                try:
                    if is_unknown or arrived == end:
                        status, arrived, answer = self._ask(total)
                    else:
                        status, arrived, answer = self._put(data[arrived - begin :], arrived, total)
                    is_unknown = False
                except Exception as error:
                    if pause is None or not is_passing(error):
                        raise
                    is_unknown = True
                    time.sleep(pause)
                    continue
                if arrived == end if total is None else status == WHOLE:
                    self.size = end
                    return answer
                if not begin <= arrived <= end:
                    break
        raise DestinationUnavailableError(f"{what}: the store has lost bytes that it had taken", hint="Try again.")

    def _put(self, data: bytes, begin: int, total: int | None) -> tuple[int, int, Any]:
        headers = {"Content-Range": f"bytes {begin}-{begin + len(data) - 1}/{'*' if total is None else total}"}
        if total is not None:
            headers["x-goog-hash"] = f"crc32c={self.crc32c.value}"
        return self._request(data, headers)

    def _ask(self, total: int | None) -> tuple[int, int, Any]:
        """How much has arrived."""
        return self._request(b"", {"Content-Range": f"bytes */{'*' if total is None else total}"})

    def _request(self, data: bytes, headers: dict[str, str]) -> tuple[int, int, Any]:
        """Gives (status, bytes that have arrived, the object's description when it is whole)."""
        from google.api_core.exceptions import from_http_response

        answer = self.store.session.put(
            self.session, data=data, headers=headers, timeout=TIMEOUT, allow_redirects=False
        )
        if answer.status_code in (200, 201):
            return WHOLE, 0, answer.json()
        if answer.status_code == GOING_ON:
            match = _RANGE.fullmatch(answer.headers.get("Range", ""))
            return GOING_ON, int(match[1]) + 1 if match else 0, {}
        if answer.status_code in (404, 410):
            raise KeyTakenError(self.key)  # the session is gone: it was abandoned, or its last answer was lost
        raise from_http_response(answer)

    def abandon(self) -> None:
        """End the session; what it holds goes with it."""
        with self.store.told("abandoning an upload of", self.key, ""):
            self.store.session.delete(self.session, timeout=TIMEOUT).close()
