"""Secrets that a command has resolved, and how they are kept out of everything it prints."""

from __future__ import annotations

import json
import logging
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bifrost_export.redaction.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHORTEST = 4
_MASK = "***"


class Masker:
    """Learns secrets while a command runs, and masks them in text."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def learn(self, secret: str) -> None:
        """Mask this value from now on, also as Python and JSON would quote it.

        One of fewer than 4 characters would tear holes into every word, and is left.
        """
        if len(secret) >= _SHORTEST:
            doubled = secret.replace("\\", "\\\\")
            self._secrets |= {secret, doubled, doubled.replace("'", "\\'"), repr(secret)[1:-1]}
            self._secrets |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}

    def mask(self, text: str) -> str:
        """The text with every learnt secret replaced, longer ones first."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, _MASK)
        return text


@contextmanager
def masked_logs(masker: Masker) -> Iterator[None]:
    """Mask what any library logs while the block lasts, whoever writes it down.

    The clients of clouds log whole requests at the level DEBUG, and what they sign with.
    """
    make = logging.getLogRecordFactory()

    def masked(*arguments: Any, **named: Any) -> logging.LogRecord:
        record = make(*arguments, **named)
        if isinstance(record.msg, str):
            record.msg, record.args, record.exc_info = printable(masker.mask(_text_of(record))), (), None
        return record

    logging.setLogRecordFactory(masked)
    try:
        yield
    finally:
        logging.setLogRecordFactory(make)


def _text_of(record: logging.LogRecord) -> str:
    try:
        text = record.getMessage()
    except (TypeError, ValueError):  # a library's mistake, which logging itself would tell with all that it holds
        text = f"{record.msg} {record.args!r}"
    error = record.exc_info[1] if record.exc_info else None
    return text if error is None else "\n".join([text, *traceback.format_exception(error)]).rstrip()
