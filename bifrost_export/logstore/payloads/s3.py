"""Payloads in S3 and what speaks its language, through `S3Hook`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bifrost_export import connections
from bifrost_export.errors import BifrostExportError, LogStoreBusyError, LogStoreError
from bifrost_export.logstore.payloads.port import RIGHTS, named_connection, way_out

if TYPE_CHECKING:
    from bifrost_export.config.object_storage import ObjectStorage

_GONE = ("NoSuchKey", "404")
_PASSING = (
    *("SlowDown", "RequestTimeout", "RequestTimeTooSkewed", "InternalError", "ServiceUnavailable", "Throttling"),
    *("ThrottlingException", "OperationAborted"),
)
_OTHER_REGION = "Mend {place}.region: the bucket lies in another one."
_HINTS = {
    "NoSuchBucket": "Mend bucket, region or endpoint of {place}: there is no such bucket.",
    "InvalidBucketName": "Mend {place}.bucket.",
    "InvalidAccessKeyId": "Mend {place}.access_key_id: the store does not know it.",
    "SignatureDoesNotMatch": "Mend {place}.secret_access_key: it does not fit the access_key_id.",
    "ExpiredToken": "Renew {place}.session_token.",
    "InvalidToken": "Renew {place}.session_token.",
    "AccessDenied": f"Grant {RIGHTS['s3']} on the bucket and prefix.",
    "403": f"Mend the credentials of {{place}}, or grant {RIGHTS['s3']} on the bucket and prefix.",
    "PermanentRedirect": _OTHER_REGION,
    "AuthorizationHeaderMalformed": _OTHER_REGION,
    "NoCredentialsError": "Give {place} an access_key_id and secret_access_key, or conn_id, or run where the machine"
    " has a role.",
}


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
                if _code(error) in _GONE:
                    return None
                if _code(error) in ("InvalidRange", "416"):
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
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, SSLError
        from botocore.exceptions import ConnectionError as NotConnectedError

        what = f"object storage s3://{self.bucket}, {action}"
        try:
            yield
        except BifrostExportError:
            raise
        except ClientError as error:
            raise self._answered(what, error) from None
        except SSLError as error:
            hint = f"Mend {self.place}.endpoint, or trust its authority by the variable AWS_CA_BUNDLE."
            raise LogStoreError(f"{what}: its certificate is not trusted ({type(error).__name__})", hint=hint) from None
        except (HTTPClientError, NotConnectedError) as error:
            raise _busy(what, f"no answer ({type(error).__name__})") from None
        except BotoCoreError as error:
            name = type(error).__name__
            if name in ("IncompleteReadError", "FlexibleChecksumError"):
                raise _busy(what, name) from None
            raise LogStoreError(f"{what}: {name}", hint=self._hint(name)) from None
        except ValueError:  # how botocore refuses an endpoint that is none
            raise LogStoreError(f"{what}: the endpoint is no address", hint=self._hint("")) from None

    def _answered(self, what: str, error: Any) -> BifrostExportError:
        code = _code(error)
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if code in _PASSING or status >= 500 or status == 429:
            return _busy(what, f"the store answered {code or status}")
        if error.operation_name == "AssumeRole":
            hint = f"Let these credentials assume {self.place}.role_arn. {way_out(self.place)}"
            return LogStoreError(f"{what}: the store answered {code or status} to sts:AssumeRole", hint=hint)
        return LogStoreError(f"{what}: the store answered {code or status}", hint=self._hint(code))

    def _hint(self, code: str) -> str:
        return f"{_HINTS.get(code, 'Mend {place}.').format(place=self.place)} {way_out(self.place)}"


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


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _busy(what: str, happened: str) -> LogStoreBusyError:
    return LogStoreBusyError(
        f"{what}: {happened}", hint="Look whether the store can be reached from here; the task tries again."
    )
