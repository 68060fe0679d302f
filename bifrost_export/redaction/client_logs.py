"""Temporary secrets that a cloud's client gets by itself, and tells in its log: found there, before anybody writes it.

Amazon's client logs at the level DEBUG what its token service has answered, and the headers of what it signs. Nobody
else hears of those secrets: the client renews them whenever it likes, for roles, for a machine's own account.
"""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import unescape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CLIENT = "botocore"
_NAMES = "AccessKeyId|SecretAccessKey|SessionToken|DbPassword"
_SECRET = re.compile(
    rf"<(?:{_NAMES})>([^<]+)</"
    rf"|[\"'](?:{_NAMES}|Token)[\"']\s*:\s*[\"']([^\"']+)[\"']"
    r"|x-amz-security-token[\"']?\s*[:=]\s*(?:b?[\"'])?([^\"'\s,&]+)",
    re.IGNORECASE,
)


def secrets_in(text: str) -> list[str]:
    """The secrets that a line of the client's log tells, as it writes them and, out of XML, as they are."""
    written = [next(filter(None, groups)) for groups in _SECRET.findall(text)]
    return list(dict.fromkeys(form for each in written for form in (each, unescape(each))))


@contextmanager
def overhearing(on_secret: Callable[[str], None]) -> Iterator[None]:
    """Be told each secret that the client's log tells while the block lasts, once, before a handler sees the line."""
    make = logging.getLogRecordFactory()
    known: set[str] = set()

    def overheard(*arguments: Any, **named: Any) -> logging.LogRecord:
        record = make(*arguments, **named)
        if record.levelno == logging.DEBUG and record.name.startswith(_CLIENT):
            for secret in secrets_in(record.getMessage()):
                if secret not in known:
                    known.add(secret)
                    on_secret(secret)
        return record

    logging.setLogRecordFactory(overheard)
    try:
        yield
    finally:
        logging.setLogRecordFactory(make)
