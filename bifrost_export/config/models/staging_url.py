"""What `log_exports.staging.url` can be: a folder of this machine, or a prefix of a bucket."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bifrost_export.errors import ConfigError

ALLOWED = (
    "file:///folder, s3://bucket/prefix, gs://bucket/prefix, az://container/prefix with conn_id,"
    " abfss://container@account.dfs.core.windows.net/prefix,"
    " https://account.blob.core.windows.net/container/prefix"
)
_IN_ACCOUNT = ("abfss", "abfs", "wasbs", "wasb")
_BUCKETS = ("s3", "gs", "gcs", "az", "https", *_IN_ACCOUNT)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_KEY = "log_exports.staging.url"


def staging_url_problem(url: str) -> ConfigError | None:
    """Return what is wrong with a URL, or None.

    Args:
        url: With its references resolved, or without any.
    """
    found = _problem(url)
    if found is None:
        return None
    what, hint = found
    return ConfigError(f"{_KEY} {_shown(url)!r} {what}", allowed=ALLOWED, hint=hint)


def folder_of(url: str) -> Path | None:
    """Return the folder that a `file:` URL names; None for a URL of another kind."""
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def _problem(url: str) -> tuple[str, str | None] | None:
    if _CONTROL.search(unquote(url)):
        return "contains a control character", "Remove it."
    scheme, separator, rest = url.partition(":")
    if not separator or "/" in scheme:
        # A relative path would be another folder for each process.
        absolute = url.startswith("/")
        return "is not a URL", f"Write file://{url}." if absolute else "Write file:// and an absolute path."
    if scheme not in ("file", *_BUCKETS):
        return f"has the unknown scheme {scheme!r}", None
    if "?" in url or "#" in url:
        hint = "Set log_exports.staging.conn_id to an Airflow connection that signs in."
        return "ends in a query or a fragment, which staging does not use", hint
    return _folder_problem(url, rest) if scheme == "file" else _bucket_problem(scheme, rest)


def _folder_problem(url: str, rest: str) -> tuple[str, str | None] | None:
    parts = urlsplit(url)
    if not rest.startswith("/"):
        return "names a relative path", "Write file:// and an absolute path."
    if parts.netloc not in ("", "localhost"):
        return f"names the host {parts.netloc!r}", "Write three slashes before an absolute path: file:///folder."
    path = unquote(parts.path)
    if not path.strip("/"):
        return "names no folder", "Name a folder of its own, such as file:///var/lib/bifrost_staging."
    if ".." in path.split("/"):
        return "contains '..'", "Write the folder itself."
    return None


def _bucket_problem(scheme: str, rest: str) -> tuple[str, str | None] | None:
    if not rest.startswith("//"):
        return "has no '//' behind its scheme", None
    place, _, key = rest[2:].partition("/")
    if scheme in _IN_ACCOUNT:
        container, at, host = place.partition("@")
        if not (container and at and host):
            return "does not name a container and an account", None
    elif "@" in place:
        hint = "Set log_exports.staging.conn_id to the connection, and name the bucket alone."
        return "holds credentials or a connection before '@'", hint
    if not place:
        return "names no bucket", None
    if scheme == "https":
        if ".blob." not in place:
            return "is not the address of a container in Azure Blob Storage", None
        container, _, key = key.partition("/")
        if not container:
            return "names no container", None
    middle = key.removesuffix("/").split("/")
    if any(part in (".", "..") or (not part and len(middle) > 1) for part in middle):
        return "has an empty, '.' or '..' folder in its prefix", "Write the prefix with single slashes."
    return None


def _shown(url: str) -> str:
    """The URL without what may be a secret in it."""
    before = re.split(r"[?#]", url, maxsplit=1)
    shown = before[0] + ("?..." if len(before) > 1 else "")
    scheme, separator, rest = shown.partition("://")
    place, slash, key = rest.partition("/")
    if separator and "@" in place and scheme not in _IN_ACCOUNT:
        place = f"***@{place.rpartition('@')[2]}"
    return f"{scheme}{separator}{place}{slash}{key}"
