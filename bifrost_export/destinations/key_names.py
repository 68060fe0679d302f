"""Let the errors of a store name the keys that the user wrote: staging has other keys than a destination."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bifrost_export.errors import BifrostExportError

_KEYS = re.compile(
    r"destination\.config(?:\.(?P<key>\w+)"
    r"(?P<more>(?:(?:, | and | or )(?:account_name|container|endpoint_url|kms_key_id|prefix|region)\b)*))?"
)

_URL = dict.fromkeys(("account_name", "bucket", "container", "prefix"), "log_exports.staging.url")
_ENCRYPTED = {name: f"log_exports.staging.{name}" for name in ("kms_key_id", "sse")}
STAGING = {**_URL, **_ENCRYPTED, "kms_key_name": "log_exports.staging.kms_key_id", "": "log_exports.staging.conn_id"}
"""Key of a destination -> key of `log_exports.staging`; the address and the account come by its connection."""

_OF_BUCKET = ("bucket", "prefix", "kms_key_id", "sse")
REDSHIFT = {
    **{name: f"destination.config.staging.{name}" for name in _OF_BUCKET},
    "region": "destination.config.region",
    "staging": "destination.config.staging",
    "": "destination.config.aws_conn_id",
}
"""Key of a destination -> key of `redshift`, for its staging bucket."""


def rename(text: str, names: Mapping[str, str]) -> str:
    """Return a text with other names of keys.

    Args:
        text: Of an error.
        names: Key of a destination -> what the user wrote; `""` for every other key.
    """

    def written(match: re.Match[str]) -> str:
        found = [match["key"] or "", *re.findall(r"\w+_\w+|container|prefix|region", match["more"] or "")]
        return " and ".join(dict.fromkeys(names.get(key, names[""]) for key in found))

    return _KEYS.sub(written, text)


@contextmanager
def naming(names: Mapping[str, str]) -> Iterator[None]:
    """Rename keys in the errors that leave the block.

    Args:
        names: As for `rename`.
    """
    try:
        yield
    except BifrostExportError as error:
        for name in ("message", "allowed", "hint"):
            if text := getattr(error, name):
                setattr(error, name, rename(text, names))
        error.args = (error.message,)
        raise


class Renaming:
    """A store, or an upload to it, whose errors name other keys.

    Args:
        inner: The store or upload.
        names: As for `rename`.
    """

    def __init__(self, inner: Any, names: Mapping[str, str]) -> None:
        self._inner, self._names = inner, names

    def __getattr__(self, name: str) -> Any:
        with naming(self._names):
            found = getattr(self._inner, name)
        if not callable(found) or name in ("client", "locked"):
            return found

        def call(*arguments: Any, **named: Any) -> Any:
            with naming(self._names):
                answer = found(*arguments, **named)
            if name == "begin":
                return Renaming(answer, self._names)
            return self._each(answer) if name in ("list", "list_uploads") else answer

        return call

    def _each(self, answers: Iterator[Any]) -> Iterator[Any]:
        with naming(self._names):
            yield from answers
