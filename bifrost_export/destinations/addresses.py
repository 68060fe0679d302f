"""Find a store and a key by what people write: `s3://bucket/key`, a path."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from bifrost_export.errors import ConfigError

if TYPE_CHECKING:
    from bifrost_export.destinations.store import ObjectStore

ALLOWED = "s3://bucket/key, file:///path, or a path"


def open_bucket(address: str, conn_id: str | None = None) -> tuple[ObjectStore, str] | None:
    """The bucket that an address names, and the key in it; None for an address of another kind.

    Args:
        address: `s3://bucket/key`.
        conn_id: An Airflow connection; without it the cloud's default chain signs in.
    """
    parts = urlsplit(address)
    if parts.scheme == "s3" and parts.netloc:
        from bifrost_export.destinations.s3 import S3Config
        from bifrost_export.destinations.s3_store import S3Store

        return S3Store(S3Config(bucket=parts.netloc, conn_id=conn_id)), address.partition(parts.netloc)[2].lstrip("/")
    return None


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
    for folder in manifest.parents:
        if any((folder / key).is_file() for key in keys):
            return folder
    beside = manifest.parents[min(2, len(manifest.parents) - 1)]
    roots = [folder for folder in (beside, *beside.parents) if _all_below(beside.relative_to(folder).as_posix(), keys)]
    return roots[-1] if keys else beside


def _all_below(folder: str, keys: Sequence[str]) -> bool:
    return folder == "." or all(key.startswith(f"{folder}/") for key in keys)
