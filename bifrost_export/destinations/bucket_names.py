"""Names of buckets and containers, and addresses of stores: what is wrong with one, and how it is written."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from bifrost_export.errors import ConfigError
from bifrost_export.fields.plain_text import check_plain

_ANY_S3 = re.compile(r"[A-Za-z0-9._-]{1,255}")
# Too short a name is told by the store: it is no reason to doubt which store is meant.
_AWS = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?")
_GCS = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,220}[a-z0-9])?")
_CONTAINER = re.compile(r"\$web|[a-z0-9](?:-?[a-z0-9]){0,62}")
_ADDRESS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_PARTITION = r"aws(?:-[a-z]+)*"
ACCESS_POINT = re.compile(
    rf"arn:(?P<partition>{_PARTITION}):s3:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{{12}})"
    r":accesspoint[:/](?P<name>[a-z0-9][a-z0-9-]{1,48}[a-z0-9])"
)
_S3_HOSTS = re.compile(r"^(?P<bucket>[^/]+?)\.(?:s3|s3[.-][a-z0-9.-]+)\.amazonaws\.com(?:\.cn)?$")
_OF_AWS = (".amazonaws.com", ".amazonaws.com.cn")
_REFUSED_ENDS = {
    "--x-s3": "is a directory bucket, which lists whole folders alone: a commit needs lists by prefix",
    "--ol-s3": "is the alias of an Object Lambda access point, which can't be written to",
    "--table-s3": "is a table bucket, which takes no objects",
    ".mrap": "is the alias of a multi-Region access point, whose signatures (SigV4A) this package can't make",
}
_RULE_S3 = "3 to 63 lower-case letters, digits, '-' and '.', the first and last a letter or digit"
_RULE_GCS = "3 to 222 lower-case letters, digits, '-', '_' and '.', the first and last a letter or digit"
_RULE_AZURE = "3 to 63 lower-case letters, digits and single '-', the first and last a letter or digit"


def _refused(key: str, value: str, why: str, allowed: str, hint: str) -> ConfigError:
    return ConfigError(f"{key} {value!r} {why}", allowed=allowed, hint=hint)


def _write(key: str, name: str, rest: str = "") -> str:
    prefix = f', and prefix: "{rest.strip("/")}/"' if rest.strip("/") else ""
    return f'Write {key}: "{name}"{prefix}.' if name else f"Write the name alone in {key}."


def _apart(value: str) -> tuple[str, str] | None:
    """Name and rest of what is an address or a path in place of a name."""
    if "://" in value:
        parts = urlsplit(value)
        host, path = parts.netloc.rpartition("@")[2], parts.path.strip("/")
        if parts.scheme not in ("http", "https"):
            name = parts.netloc.partition("@")[0] if parts.scheme.startswith(("abfs", "wasb")) else host
            return name, path
        if match := _S3_HOSTS.match(host):
            return match["bucket"], path
        first, _, rest = path.partition("/")
        return first, rest
    if "/" in value:
        first, _, rest = value.strip("/").partition("/")
        return first, rest
    return None


def check_s3_bucket(value: str) -> None:
    """Refuse what can't be the name of a bucket in any store that speaks S3's language, or the ARN of an access point.

    Raises:
        ConfigError: It can't be one.
    """
    check_plain(value, "bucket")
    if value.startswith("arn:"):
        _check_arn(value)
        return
    apart = _apart(value)
    if apart is not None:
        raise _refused("bucket", value, "is not a name but an address or a path", _RULE_S3, _write("bucket", *apart))
    if match := _S3_HOSTS.match(value):
        raise _refused("bucket", value, "is a host", _RULE_S3, _write("bucket", match["bucket"]))
    for end, why in _REFUSED_ENDS.items():
        if value.endswith(end):
            raise _refused("bucket", value, why, "a general purpose bucket, or an access point", "Use another bucket.")
    if not _ANY_S3.fullmatch(value):
        raise _refused("bucket", value, "is not a valid name of a bucket", _RULE_S3, "Fix bucket.")


def check_amazons_bucket(value: str) -> None:
    """Refuse what other stores than Amazon's may take for a bucket's name.

    Raises:
        ConfigError: Amazon's S3 has no bucket of such a name.
    """
    is_valid = _AWS.fullmatch(value) and ".." not in value and not _ADDRESS.fullmatch(value)
    if not is_valid and not value.startswith("arn:"):
        raise _refused("bucket", value, "is not a valid name of a bucket", _RULE_S3, _lower(value, _AWS, "bucket"))


def _lower(value: str, pattern: re.Pattern[str], key: str) -> str:
    is_all = pattern.fullmatch(value.lower()) and value != value.lower()
    return f"Fix {key}{f': did you mean {value.lower()!r}?' if is_all else '.'}"


def _check_arn(value: str) -> None:
    parts = value.split(":")
    service = parts[2] if len(parts) > 2 else ""
    allowed = "the name of a bucket, or arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME"
    if service == "s3" and len(parts) == 6 and not parts[3] and not parts[4]:
        name, _, rest = parts[5].partition("/")
        raise _refused("bucket", value, "is the ARN of a bucket", allowed, _write("bucket", name, rest.rstrip("*")))
    if service == "s3" and value.endswith(".mrap"):
        why = "is a multi-Region access point, whose signatures (SigV4A) this package can't make"
        raise _refused("bucket", value, why, allowed, "Use an access point of one region, or a bucket.")
    if not ACCESS_POINT.fullmatch(value):
        raise _refused("bucket", value, "is not the ARN of an access point", allowed, "Fix bucket.")


def check_gcs_bucket(value: str) -> None:
    """Refuse what can't be the name of a bucket in Cloud Storage.

    Raises:
        ConfigError: It can't be one.
    """
    check_plain(value, "bucket")
    apart = _apart(value.removeprefix("projects/_/buckets/")) or (
        (value.removeprefix("projects/_/buckets/"), "") if value.startswith("projects/_/buckets/") else None
    )
    if apart is not None:
        raise _refused("bucket", value, "is not a name but an address or a path", _RULE_GCS, _write("bucket", *apart))
    is_long = any(len(part) > 63 for part in value.split("."))
    if not _GCS.fullmatch(value) or ".." in value or _ADDRESS.fullmatch(value) or is_long:
        raise _refused("bucket", value, "is not a valid name of a bucket", _RULE_GCS, _lower(value, _GCS, "bucket"))


def check_container(value: str) -> None:
    """Refuse what can't be the name of a container in Azure Blob Storage.

    Raises:
        ConfigError: It can't be one.
    """
    check_plain(value, "container")
    apart = _apart(value)
    if apart is not None:
        why = "is not a name but an address or a path"
        raise _refused("container", value, why, _RULE_AZURE, _write("container", *apart))
    if not _CONTAINER.fullmatch(value) or len(value) > 63:
        hint = _lower(value, _CONTAINER, "container")
        raise _refused("container", value, "is not a valid name of a container", _RULE_AZURE, hint)


def check_endpoint(value: str, name: str | None, key: str = "endpoint_url") -> None:
    """Refuse what can't be the address of a store, or names the bucket or container too.

    Args:
        value: What the key says.
        name: The bucket or container, where it is known.
        key: The key.

    Raises:
        ConfigError: It can't be one.
    """
    check_plain(value, key)
    parts = urlsplit(value)
    allowed = "https://host, or http://host:port"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _refused(key, value, "is not an address", allowed, f"Write it with https:// in {key}.")
    if parts.query or parts.fragment:
        bare = value.partition("?")[0].partition("#")[0]
        raise ConfigError(f"{key} {bare!r} has a query behind it", allowed=allowed, hint=f"Write {key}: {bare!r}.")
    if not name:
        return
    if parts.path.rstrip("/").endswith(f"/{name}"):
        bare = value.rstrip("/").removesuffix(f"/{name}")
        raise _refused(key, value, f"ends in {name!r}, which stands beside it", allowed, f"Write {key}: {bare!r}.")
    if parts.hostname.startswith(f"{name.lower()}."):
        bare = value.replace(f"//{name}.", "//", 1)
        raise _refused(key, value, f"begins with {name!r}, which stands beside it", allowed, f"Write {key}: {bare!r}.")


def check_blob_host(value: str) -> None:
    """Refuse the address of another of Azure's services than its blobs.

    Raises:
        ConfigError: It is one.
    """
    host = urlsplit(value).hostname or ""
    for service in ("dfs", "file", "queue", "table", "web"):
        if f".{service}.core." in host:
            blobs = value.replace(f".{service}.core.", ".blob.core.", 1)
            why = f"is the account's address for {service}, not for blobs"
            raise _refused("endpoint_url", value, why, "https://ACCOUNT.blob.core.windows.net", f"Write {blobs!r}.")


def is_amazons(endpoint_url: str | None, conn_id: str | None) -> bool:
    """Return whether a bucket is surely in Amazon's own S3: a connection may lead elsewhere."""
    if endpoint_url is None:
        return conn_id is None
    return (urlsplit(endpoint_url).hostname or "").endswith(_OF_AWS)
