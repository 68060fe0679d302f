"""Payloads in S3 and what speaks its language, through `S3Hook`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bifrost_export import connections
from bifrost_export.errors import BifrostExportError, LogStoreBusyError, LogStoreError
from bifrost_export.logstore.payloads.port import RIGHTS, named_connection, way_out
from bifrost_export.services import certificates
from bifrost_export.services.s3_answers import code_of, described, is_passing
from bifrost_export.services.s3_codes import HINTS

if TYPE_CHECKING:
    from bifrost_export.logstore.payloads.config import ObjectStorage

_GONE = ("NoSuchKey", "404")
_HINTS = {
    "NoSuchBucket": "Fix bucket, region or endpoint of {place}: there is no such bucket.",
    "InvalidAccessKeyId": "Fix {place}.access_key_id: the store does not know it.",
    "SignatureDoesNotMatch": "Fix {place}.secret_access_key: it does not fit the access_key_id.",
    "ExpiredToken": "Renew {place}.session_token.",
    "InvalidToken": "Renew {place}.session_token.",
    "AccessDenied": "Grant {rights} on the bucket and prefix.",
    "403": "Fix the credentials of {place}, or grant {rights} on the bucket and prefix.",
    "InvalidObjectState": "Restore the payloads: they are archived.",
    "NoCredentialsError": "Give {place} an access_key_id and secret_access_key, or conn_id, or run where the machine"
    " has a role.",
}
"""What to do about a code, where it is not the same as for a destination."""


class S3Payloads:
    """Objects of one bucket.

    Args:
        config: Where they are.
        threads: How many will ask at once.
    """

    def __init__(self, config: ObjectStorage, threads: int) -> None:
        self.bucket, self.place = config.bucket, config.place
        with self._told("sign in"):
            self._client = _client(config, threads)

    def read(self, key: str, first: int, last: int) -> bytes | None:
        """A stretch of an object, as the port tells."""
        from botocore.exceptions import ClientError

        with self._told("read an offloaded payload"):
            try:
                found = self._client.get_object(Bucket=self.bucket, Key=key, Range=f"bytes={first}-{last}")
            except ClientError as error:
                if code_of(error) in _GONE:
                    return None
                if code_of(error) in ("InvalidRange", "416"):
                    return b""
                raise
            with found["Body"] as body:
                return bytes(body.read(last - first + 1))

    def any_key(self, folder: str) -> str | None:
        """The first key that begins so."""
        with self._told("list offloaded payloads"):
            found = self._client.list_objects_v2(Bucket=self.bucket, Prefix=folder, MaxKeys=1)
        return next((str(each["Key"]) for each in found.get("Contents", ())), None)

    @contextmanager
    def _told(self, action: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
        from botocore.exceptions import ConnectionError as NotConnectedError

        what = f"object storage s3://{self.bucket}, {action}"
        try:
            yield
        except BifrostExportError:
            raise
        except ClientError as error:
            raise self._answered(what, error) from None
        except (HTTPClientError, NotConnectedError) as error:
            if fault := certificates.fault(error):
                hint = certificates.hint(f"{self.place}.endpoint", "AWS_CA_BUNDLE")
                raise LogStoreError(f"{what}: the store's {fault}", hint=hint) from None
            raise _busy(what, f"no answer ({type(error).__name__})") from None
        except BotoCoreError as error:
            name = type(error).__name__
            if name in ("IncompleteReadError", "FlexibleChecksumError"):
                raise _busy(what, name) from None
            raise LogStoreError(f"{what}: {name}", hint=self._hint(name)) from None
        except ValueError:  # how botocore refuses an endpoint that is none
            raise LogStoreError(f"{what}: the endpoint is no address", hint=self._hint("")) from None

    def _answered(self, what: str, error: Any) -> BifrostExportError:
        message = f"the store answered {described(error)}"
        if is_passing(error):
            return _busy(what, message)
        if error.operation_name == "AssumeRole":
            hint = f"Let these credentials assume {self.place}.role_arn. {way_out(self.place)}"
            return LogStoreError(f"{what}: {message} (to sts:AssumeRole)", hint=hint)
        return LogStoreError(f"{what}: {message}", hint=self._hint(code_of(error)))

    def _hint(self, code: str) -> str:
        known = _HINTS.get(code) or HINTS.get(code, "Fix {place}.").replace("destination.config", "{place}")
        hint = known.replace("credentials.", "").replace("endpoint_url", "endpoint")
        return f"{hint.format(place=self.place, rights=RIGHTS['s3'])} {way_out(self.place)}"


def _client(config: ObjectStorage, threads: int) -> Any:
    try:
        from airflow.providers.amazon.aws.hooks.s3 import S3Hook
    except ImportError as error:
        raise connections.missing("reading payloads from S3", "amazon", "amazon", error, LogStoreError) from None
    from botocore.config import Config

    settings = Config(
        retries={"max_attempts": 5, "mode": "adaptive"},  # it also slows down when the store throttles
        connect_timeout=20,
        read_timeout=60,
        max_pool_connections=threads,
        # Stretches of an object have no checksum to compare, and some stores refuse to be asked for one.
        response_checksum_validation="when_required",
        s3={"addressing_style": "path"} if config.force_path_style else None,
    )
    return connections.hook_with(
        S3Hook,
        _connection(config),
        aws_conn_id=config.conn_id or connections.IN_MEMORY,
        region_name=config.region or None,
        config=settings,
    ).get_conn()


def _connection(config: ObjectStorage) -> Any:
    if config.conn_id:
        return named_connection(config, endpoint_url=config.endpoint or None)
    config.require_host()
    return connections.make(
        "aws",
        login=config.access_key_id or None,
        password=config.secret_access_key or None,
        aws_session_token=config.session_token or None,
        role_arn=config.role_arn or None,
        endpoint_url=config.endpoint or None,
    )


def _busy(what: str, happened: str) -> LogStoreBusyError:
    return LogStoreBusyError(
        f"{what}: {happened}", hint="Look whether the store can be reached from here; the task tries again."
    )
