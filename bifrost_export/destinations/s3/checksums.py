"""How S3 checks the bytes of a put on arrival (`checksums`): by SHA-256, by Content-MD5, or not at all.

botocore's own default, a CRC32 in a trailer of a chunked body, is never used: many stores refuse it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Literal

from bifrost_export.errors import DestinationError, DestinationUnavailableError
from bifrost_export.services.s3_answers import code_of, described, status_of, words_of

Mode = Literal["required", "when_supported", "off"]
SHA256, MD5, NONE = "SHA-256", "Content-MD5", "none"
HEADER, OF_READING = "x-amz-checksum-sha256", "x-amz-checksum-mode"
CONDITIONS = ("If-None-Match", "If-Match")
_LOWER = {SHA256: MD5, MD5: NONE}
_VAGUE = {
    *("", "400", "501", "BadRequest", "Bad Request", "InvalidArgument", "InvalidHeader", "InvalidRequest"),
    *("MalformedHeader", "NotImplemented", "NotSupported", "UnsupportedHeader", "XNotImplemented"),
}
"""Codes by which stores refuse a header that they don't know, among other things."""


def checksum_of(data: bytes) -> str:
    """Return the SHA-256 of some bytes as S3 writes it."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def may_refuse_checksums(error: Any) -> bool:
    """Return whether an answer to a put may be about its checksum's header."""
    if status_of(error) not in (400, 501):
        return False
    return code_of(error) in _VAGUE or "checksum" in words_of(error).lower()


def refused_header(what: str, error: Any, headers: Sequence[str]) -> DestinationError | None:
    """Return the error for a put whose condition or checksum the store does not know; None for any other answer.

    Args:
        what: Names the action and the object.
        error: The store's answer.
        headers: The headers of the request that not every store knows.
    """
    words = f"{error.response.get('Error', {}).get('Header', '')} {words_of(error)}".strip().lower()
    ours = (HEADER, OF_READING)
    named = [header for header in headers if header.lower() in words or (header in ours and "checksum" in words)]
    is_unknown = status_of(error) == 501 or code_of(error) in ("NotImplemented", "XNotImplemented")
    if not headers or not (
        is_unknown or (status_of(error) == 400 and code_of(error) in _VAGUE and (named or not words))
    ):
        return None
    named = named or list(headers)
    steps = []
    if any(header in ours for header in named):
        steps.append("Set destination.config.checksums to when_supported or off.")
    if any(header in CONDITIONS for header in named):
        steps.append("Every put of a run has a condition: use a store that knows If-None-Match and If-Match.")
    return DestinationError(
        f"{what}: the store answered {described(error)}: it does not know the header {' or '.join(named)}",
        hint=" ".join(steps),
    )


class Checksums:
    """The checksums of one bucket's puts.

    Args:
        mode: `checksums` of the config. With `when_supported`, a store that refuses SHA-256 gets Content-MD5, and one
            that refuses that too gets neither; what a store has refused is not tried again.
    """

    def __init__(self, mode: Mode) -> None:
        self.mode = mode
        self.level = NONE if mode == "off" else SHA256

    def arguments(self, data: bytes) -> dict[str, str]:
        """Return the arguments of a put that carry the checksum of its bytes."""
        if self.level == SHA256:
            return {"ChecksumSHA256": checksum_of(data)}
        if self.level == MD5:
            return {"ContentMD5": base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()}
        return {}

    def of_upload(self) -> dict[str, str]:
        """Return the arguments that announce the checksums of a multipart upload."""
        return {"ChecksumAlgorithm": "SHA256"} if self.level == SHA256 else {}

    def send(self, call: Callable[..., dict[str, Any]], checksums: Callable[[], dict[str, str]]) -> dict[str, Any]:
        """Send a request with its checksum, and with a lesser one if the store may have refused that.

        Args:
            call: Sends it.
            checksums: Gives the arguments of the checksum at the level of the moment.

        Returns:
            The store's answer.
        """
        from botocore.exceptions import ClientError

        first = self.level
        while True:
            try:
                return call(**checksums())
            except ClientError as error:
                if self.mode != "when_supported" or self.level == NONE or not may_refuse_checksums(error):
                    self.level = first  # the checksum was not what was refused
                    raise
                self.level = _LOWER[self.level]


def is_proven(what: str, answer: dict[str, Any], data: bytes) -> bool:
    """Return whether the store's answer proves that the bytes have arrived: by SHA-256, or an ETag that is their MD5.

    Raises:
        DestinationUnavailableError: The store answers another SHA-256.
    """
    if answer.get("ChecksumSHA256") is not None:
        compare(what, answer, checksum_of(data))
        return True
    return str(answer.get("ETag")).strip('"') == hashlib.md5(data, usedforsecurity=False).hexdigest()


def compare(what: str, answer: dict[str, Any], checksum: str) -> None:
    """Compare the checksum that the store answers, if it does, with the bytes' own.

    Raises:
        DestinationUnavailableError: They differ.
    """
    answered = answer.get("ChecksumSHA256")
    if answered is not None and answered.partition("-")[0] != checksum:
        raise DestinationUnavailableError(
            f"{what}: the store's checksum {answered} is not that of the bytes, {checksum}", hint="Retry."
        )
