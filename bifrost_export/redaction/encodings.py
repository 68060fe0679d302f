"""The forms in which libraries write a secret elsewhere: whole, in parts, and encoded."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import parse_qs, quote, quote_plus

_IN_KEYS = ("private_key", "private_key_id", "client_secret", "refresh_token")
_LINE = 16
"""The fewest characters of a line of a key that count."""
_SHORTEST = 8
"""What is shorter stands encoded in too many words that are none of it."""

_STATED = re.compile(r"(?:AccountKey|SharedAccessSignature)=([^;]+)", re.IGNORECASE)


def forms_of(secret: str) -> list[str]:
    """A secret, its parts that are secrets by themselves, and each of them in the encodings of URLs and of base64.

    Args:
        secret: A password, a token, a query with a signature, a connection string, the JSON of an account's key.
    """
    found: dict[str, None] = {}
    for part in (secret, *_parts(secret)):
        found[part] = None
        if len(part) < _SHORTEST:
            continue
        encoded = base64.b64encode(part.encode()).decode().rstrip("=")
        found |= dict.fromkeys((quote(part, safe=""), quote(part), quote_plus(part), encoded))
    return list(found)


def _parts(secret: str) -> list[str]:
    if secret.lstrip().startswith("{"):
        return _of_key(secret)
    stated = [match[1] for match in _STATED.finditer(secret)]
    signatures = [each for text in (secret, *stated) for each in parse_qs(text.lstrip("?")).get("sig", [])]
    return [*stated, *signatures, *([secret[1:]] if secret.startswith("?") else [])]


def _of_key(text: str) -> list[str]:
    """The parts of an account's key: each value that signs, and the lines of one that has several."""
    try:
        key = json.loads(text)
    except ValueError:
        return []
    values = [value for name in _IN_KEYS if isinstance(value := key.get(name), str) and value]
    lines = [line for value in values for line in value.splitlines() if line != value]
    return [*values, *(line for line in lines if len(line) >= _LINE and "-----" not in line)]
