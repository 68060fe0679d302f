"""Payloads in Google Cloud Storage, through `GCSHook`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bifrost_export import connections
from bifrost_export.errors import BifrostExportError, LogStoreBusyError, LogStoreError
from bifrost_export.logstore.payloads.port import RIGHTS, named_connection, way_out
from bifrost_export.services import certificates, google_answers
from bifrost_export.services.answers import said
from bifrost_export.services.google_key import read_key

if TYPE_CHECKING:
    from bifrost_export.logstore.payloads.config import ObjectStorage

_TIMEOUT = (20, 60)
_RETRYING = 60.0
_HINTS = {
    401: "Fix {place}.credentials_json or the connection: the store does not know the account.",
    403: f"Grant {RIGHTS['gcs']} on the bucket, for example by the role Storage Object Viewer.",
    404: "Fix {place}.bucket: there is no such bucket.",
}


class GCSPayloads:
    """Objects of one bucket.

    Args:
        config: Where they are.
    """

    def __init__(self, config: ObjectStorage) -> None:
        self.name, self.place = config.bucket, config.place
        with self._told("sign in"):
            from google.api_core.retry import Retry

            self._retry = Retry(predicate=google_answers.is_passing, timeout=_RETRYING)
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
            if fault := certificates.fault(error):
                hint = certificates.hint(None, "REQUESTS_CA_BUNDLE")
                raise LogStoreError(f"{what}: Google's {fault}", hint=hint) from None
            raise _busy(what, f"no answer ({type(error).__name__})") from None
        except GoogleAPICallError as error:
            status = int(error.code or 0)
            told = said(f"{status} {google_answers.reason_of(error)}", google_answers.words_of(error))
            if google_answers.is_passing(error):
                raise _busy(what, f"the store answered {told}") from None
            raise LogStoreError(f"{what}: the store answered {told}", hint=self._hint(status)) from None
        except GoogleAuthError as error:
            raise LogStoreError(f"{what}: {type(error).__name__}", hint=self._hint(401)) from None
        except OSError as error:
            raise _busy(what, f"no answer ({type(error).__name__})") from None

    def _hint(self, status: int) -> str:
        return f"{_HINTS.get(status, 'Fix {place}.').format(place=self.place)} {way_out(self.place)}"


def _client(config: ObjectStorage) -> Any:
    try:
        from airflow.providers.google.cloud.hooks.gcs import GCSHook
    except ImportError as error:
        what = "reading payloads from Cloud Storage"
        raise connections.missing(what, "google", "google", error, LogStoreError) from None
    hook = connections.hook_with(GCSHook, _connection(config), gcp_conn_id=config.conn_id or connections.IN_MEMORY)
    try:
        return hook.get_conn()
    except (ValueError, OSError) as error:
        where = f"the connection {config.conn_id!r}" if config.conn_id else f"{config.place}.credentials_json"
        raise LogStoreError(
            f"object storage gs://{config.bucket}: the key of {where} can't be read ({type(error).__name__})",
            allowed="a service account's key as JSON, or the absolute path of its file",
            hint=way_out(config.place),
        ) from None


def _connection(config: ObjectStorage) -> Any:
    if config.conn_id:
        return named_connection(config, project=config.project_id or None)
    text = config.credentials_json or None
    key = None if text is None else read_key(text, f"{config.place}.credentials_json")
    return connections.make("google_cloud_platform", project=config.project_id or None, keyfile_dict=key)


def _busy(what: str, happened: str) -> LogStoreBusyError:
    return LogStoreBusyError(
        f"{what}: {happened}", hint="Look whether the store can be reached from here; the task tries again."
    )
