"""Payloads in Google Cloud Storage, through `GCSHook`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bifrost_export.errors import BifrostExportError, LogStoreBusyError, LogStoreError
from bifrost_export.logstore.payloads.port import RIGHTS, WAY_OUT

if TYPE_CHECKING:
    from bifrost_export.config.object_storage import ObjectStorage

_CONNECTION = "bifrost_export_object_storage"
_TIMEOUT = (20, 60)
_RETRYING = 60.0
_HINTS = {
    401: "Mend credentials_json of object_storage: the store does not know it.",
    403: f"Grant {RIGHTS['gcs']} on the bucket, for example by the role Storage Object Viewer.",
    404: "Mend bucket of object_storage: there is no such bucket.",
}


class GCSPayloads:
    """Objects of one bucket.

    Args:
        config: Where they are.
    """

    def __init__(self, config: ObjectStorage) -> None:
        self.name = config.bucket
        with self._told("sign in"):
            from google.cloud.storage.retry import DEFAULT_RETRY

            self._retry = DEFAULT_RETRY.with_timeout(_RETRYING)
            self._client = _client(config)
            self._bucket = self._client.bucket(config.bucket)

    def read(self, key: str, first: int, last: int) -> bytes | None:
        """A stretch of an object as it is stored, as the port tells."""
        from google.api_core.exceptions import NotFound, RequestRangeNotSatisfiable

        with self._told("read an offloaded payload"):
            try:
                return bytes(
                    self._bucket.blob(key).download_as_bytes(
                        start=first,
                        end=last,
                        raw_download=True,
                        checksum=None,  # there is none of a stretch
                        timeout=_TIMEOUT,
                        retry=self._retry,
                    )
                )
            except RequestRangeNotSatisfiable:
                return b""
            except NotFound:
                self.any_key(key)  # it fails where the bucket itself isn't there
                return None

    def any_key(self, folder: str) -> str | None:
        """The first key that begins so."""
        with self._told("list offloaded payloads"):
            found = self._client.list_blobs(
                self._bucket, prefix=folder, max_results=1, timeout=_TIMEOUT, retry=self._retry
            )
            return next((str(blob.name) for blob in found), None)

    @contextmanager
    def _told(self, action: str) -> Iterator[None]:
        from google.api_core.exceptions import GoogleAPICallError, RetryError
        from google.auth.exceptions import GoogleAuthError, TransportError
        from requests.exceptions import RequestException

        what = f"object storage gs://{self.name}, {action}"
        try:
            yield
        except BifrostExportError:
            raise
        except (RetryError, TransportError, RequestException) as error:
            raise _busy(what, f"no answer ({type(error).__name__})") from None
        except GoogleAPICallError as error:
            status = int(error.code or 0)
            if status >= 500 or status in (408, 429):
                raise _busy(what, f"the store answered {status}") from None
            raise LogStoreError(f"{what}: the store answered {status}", hint=_hint(status)) from None
        except GoogleAuthError as error:
            raise LogStoreError(f"{what}: {type(error).__name__}", hint=_hint(401)) from None
        except OSError as error:
            raise _busy(what, f"no answer ({type(error).__name__})") from None


def _client(config: ObjectStorage) -> Any:
    try:
        from airflow.providers.google.cloud.hooks.gcs import GCSHook
    except ImportError as error:
        raise LogStoreError(
            f"offloaded payloads in Cloud Storage need Airflow's google provider ({error})",
            hint="Install it where tasks run: pip install 'bifrost-export[google]'.",
        ) from None
    from airflow.sdk import Connection

    if config.conn_id:
        try:
            return GCSHook(gcp_conn_id=config.conn_id).get_conn()
        except Exception as error:
            if type(error).__name__ not in ("AirflowNotFoundException", "AirflowRuntimeError"):
                raise
            raise LogStoreError(
                f"there is no Airflow connection {config.conn_id!r}, which object_storage names",
                hint=f"Make it in Airflow, or set AIRFLOW_CONN_{config.conn_id.upper()}.",
            ) from None
    extra: dict[str, Any] = {"project": config.project_id} if config.project_id else {}
    extra |= _key(config.credentials_json)
    # In memory: no credential reaches an environment or a file.
    made = Connection(conn_id=_CONNECTION, conn_type="google_cloud_platform", extra=json.dumps(extra))

    class Hook(GCSHook):
        """The hook looks its connection up while it is made."""

        @classmethod
        def get_connection(cls, conn_id: str) -> Any:
            return made

    try:
        return Hook(gcp_conn_id=_CONNECTION).get_conn()
    except (ValueError, OSError) as error:
        raise LogStoreError(
            f"object storage gs://{config.bucket}: credentials_json can't be read ({type(error).__name__})",
            allowed="a service account's key as JSON, or the absolute path of its file",
            hint=WAY_OUT,
        ) from None


def _key(text: str | None) -> dict[str, Any]:
    if not text:
        return {}
    return {"keyfile_dict": text} if text.lstrip().startswith("{") else {"key_path": text}


def _busy(what: str, happened: str) -> LogStoreBusyError:
    return LogStoreBusyError(
        f"{what}: {happened}", hint="Look whether the store can be reached from here; the task tries again."
    )


def _hint(status: int) -> str:
    return f"{_HINTS.get(status, 'Mend object_storage.')} {WAY_OUT}"
