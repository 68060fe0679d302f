"""Find a store and a key by what people write: `s3://bucket/key`, `gs://bucket/key`, Azure's addresses, a path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from bifrost_export.errors import ConfigError

if TYPE_CHECKING:
    from bifrost_export.destinations.object_store.port import ObjectStore

ALLOWED = (
    "s3://bucket/key, gs://bucket/key, https://account.blob.core.windows.net/container/key,"
    " abfss://container@account.dfs.core.windows.net/key, az://container/key with a connection, file:///path, or a path"
)
_IN_ACCOUNT = ("abfss", "abfs", "wasbs", "wasb")
_TYPES = {"gs": "gcs", **dict.fromkeys((*_IN_ACCOUNT, "az", "https", "http"), "azure_blob"), "file": None}
"""The type of destination that a scheme belongs to, where it isn't the type itself."""


def type_of(address: str) -> str | None:
    """The type of the destination that an address is of; None for a file's."""
    scheme, separator, _ = address.partition("://")
    return _TYPES.get(scheme, scheme) if separator else None


def open_bucket(
    address: str, conn_id: str | None = None, encryption: Mapping[str, str] | None = None
) -> tuple[ObjectStore, str] | None:
    """The bucket or container that an address names, and the key in it; None for an address of another kind.

    Args:
        address: See `ALLOWED`.
        conn_id: An Airflow connection; without it the cloud's default chain signs in.
        encryption: `kms_key_id` and `sse` of what is written, where the store is told.

    Raises:
        ConfigError: The store does not know such an encryption.
    """
    scheme, _, rest = address.partition("://")
    place, _, key = rest.partition("/")
    if not place:
        return None
    if scheme == "s3":
        return _s3(place, conn_id, encryption or {}), key.lstrip("/")
    if scheme in ("gs", "gcs"):
        return _gcs(place, conn_id, encryption or {}), key.lstrip("/")
    if encryption:
        raise ConfigError(
            f"{' and '.join(encryption)} can't be told to {scheme}://", allowed="s3://, and gs:// with kms_key_id"
        )
    if scheme in _IN_ACCOUNT and "@" in place:
        container, _, host = place.partition("@")
        return _azure(container, host, conn_id), key.lstrip("/")
    if scheme == "az" and conn_id is not None:
        return _azure(place, None, conn_id), key.lstrip("/")
    if scheme == "https" and ".blob." in place:
        container, _, key = key.partition("/")
        return _azure(container, place, conn_id), key
    return None


def _s3(bucket: str, conn_id: str | None, encryption: Mapping[str, Any]) -> ObjectStore:
    from bifrost_export.destinations.s3.config import S3Config
    from bifrost_export.destinations.s3.store import S3Store

    # What is staged is compared when it is read, whatever the store checks on arrival.
    return S3Store(S3Config(bucket=bucket, conn_id=conn_id, checksums="when_supported", **encryption))


def _gcs(bucket: str, conn_id: str | None, encryption: Mapping[str, Any]) -> ObjectStore:
    from bifrost_export.destinations.gcs.config import GCSConfig
    from bifrost_export.destinations.gcs.store import GCSStore

    return GCSStore(GCSConfig(bucket=bucket, conn_id=conn_id, kms_key_name=encryption.get("kms_key_id")))


def _azure(container: str, host: str | None, conn_id: str | None) -> ObjectStore:
    from bifrost_export.destinations.azure_blob.config import AzureBlobConfig
    from bifrost_export.destinations.azure_blob.store import AzureStore

    account = None if host is None else host.partition(".")[0]
    url = None if host is None or conn_id is not None else f"https://{host.replace('.dfs.', '.blob.', 1)}"
    return AzureStore(AzureBlobConfig(container=container, account_name=account, endpoint_url=url, conn_id=conn_id))


def local_path(address: str) -> Path:
    """The file that a path or a `file:` address names.

    Raises:
        ConfigError: It is an address of another kind.
    """
    parts = urlsplit(address)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return Path(unquote(parts.path)).absolute()
    if "://" in address:
        raise ConfigError(f"{address!r} is of no kind that can be read", allowed=ALLOWED)
    return Path(address).expanduser().absolute()


def local_root(manifest: Path, keys: Sequence[str]) -> Path:
    """The folder that a local manifest's keys are relative to: where its files are, else what the keys' begin says.

    Args:
        manifest: The manifest's path: `<folder>/<root>_manifests/<export>/<window>.json`.
        keys: The keys that it names.
    """
    beside = manifest.parents[min(2, len(manifest.parents) - 1)]
    below: dict[Path, list[str]] = {}
    for folder in (beside, *beside.parents):
        root = beside.relative_to(folder).as_posix()
        below[folder] = [key for key in keys if _is_below("" if root == "." else f"{root}/", key)]
    for folder, found in below.items():
        if any((folder / key).is_file() for key in found):
            return folder
    return next((folder for folder in reversed(below) if below[folder]), beside)


def _is_below(root: str, key: str) -> bool:
    """Whether a key lies below a root, wherever else it would lead."""
    return key.startswith(root) and not any(each in ("", ".", "..") for each in key.split("/"))
