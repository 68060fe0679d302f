"""Tell from a setting's name whether its value is a secret."""

from __future__ import annotations

import re

_LIKE_A_SECRET = re.compile(r"secret|passw|token|credential|(^|_)key|(^|_)sas", re.IGNORECASE)


_SECRET_SETTING = re.compile(r"passphrase|connection_string|shared_access|account_key", re.IGNORECASE)


_NO_SECRET_SETTING = re.compile(r"_(uri|url|id|path|name|expir\w*|life\w*)$", re.IGNORECASE)


def is_like_a_secret(setting: str) -> bool:
    """Whether a connection's setting has the name of a secret; `token_uri` and `key_path` have not."""
    named = _LIKE_A_SECRET.search(setting) or _SECRET_SETTING.search(setting)
    return bool(named) and not _NO_SECRET_SETTING.search(setting)
