"""Payloads in S3 and what speaks its language, through `S3Hook`."""

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
_GONE = ("NoSuchKey", "404")
_PASSING = (
    *("SlowDown", "RequestTimeout", "RequestTimeTooSkewed", "InternalError", "ServiceUnavailable", "Throttling"),
    *("ThrottlingException", "OperationAborted"),
)
_OTHER_REGION = "Mend region of object_storage: the bucket lies in another one."
_HINTS = {
    "NoSuchBucket": "Mend bucket, region or endpoint of object_storage: there is no such bucket.",
    "InvalidBucketName": "Mend bucket of object_storage.",
    "InvalidAccessKeyId": "Mend access_key_id of object_storage: the store does not know it.",
    "SignatureDoesNotMatch": "Mend secret_access_key of object_storage: it does not fit the access_key_id.",
    "ExpiredToken": "Renew session_token of object_storage.",
    "InvalidToken": "Renew session_token of object_storage.",
    "AccessDenied": f"Grant {RIGHTS['s3']} on the bucket and prefix.",
    "403": f"Mend the credentials of object_storage, or grant {RIGHTS['s3']} on the bucket and prefix.",
    "PermanentRedirect": _OTHER_REGION,
    "AuthorizationHeaderMalformed": _OTHER_REGION,
    "NoCredentialsError": "Give access_key_id and secret_access_key, or conn_id, or run where the machine has a role.",
}


class S3Payloads:
    """Objects of one bucket.

    Args:
        config: Where they are.
        connections: How many threads will ask at once.
    """

    def __init__(self, config: ObjectStorage, connections: int) -> None:
        self.bucket = config.bucket
        with self._told("sign in"):
            self._client = _client(config, connections)

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
            raise _answered(what, error) from None
        except SSLError as error:
            hint = "Mend endpoint of object_storage, or trust its authority by the variable AWS_CA_BUNDLE."
            raise LogStoreError(f"{what}: its certificate is not trusted ({type(error).__name__})", hint=hint) from None
        except (HTTPClientError, NotConnectedError) as error:
            raise _busy(what, f"no answer ({type(error).__name__})") from None
        except BotoCoreError as error:
            name = type(error).__name__
            if name in ("IncompleteReadError", "FlexibleChecksumError"):
                raise _busy(what, name) from None
            raise LogStoreError(f"{what}: {name}", hint=_hint(name)) from None
        except ValueError:  # how botocore refuses an endpoint that is none
            raise LogStoreError(f"{what}: the endpoint is no address", hint=_hint("")) from None


def _client(config: ObjectStorage, connections: int) -> Any:
    try:
        from airflow.providers.amazon.aws.hooks.s3 import S3Hook
    except ImportError as error:
        raise LogStoreError(
            f"offloaded payloads in S3 need Airflow's amazon provider ({error})",
            hint="Install it where tasks run: pip install 'bifrost-export[amazon]'.",
        ) from None
    from airflow.sdk import Connection
    from botocore.config import Config

    settings = Config(
        retries={"max_attempts": 5, "mode": "adaptive"},  # it also slows down when the store throttles
        connect_timeout=20,
        read_timeout=60,
        max_pool_connections=connections,
        s3={"addressing_style": "path"} if config.force_path_style else None,
    )
    hook: Any = S3Hook(aws_conn_id=config.conn_id or _CONNECTION, region_name=config.region or None, config=settings)
    if config.conn_id:
        connection = _find(hook, config.conn_id)
        login, password, extra = connection.login, connection.password, dict(connection.extra_dejson)
    else:
        login, password = config.access_key_id or None, config.secret_access_key or None
        given = {"aws_session_token": config.session_token, "role_arn": config.role_arn}
        extra = {key: value for key, value in given.items() if value}
    if config.endpoint:
        extra["endpoint_url"] = config.endpoint
    # In memory: no credential reaches an environment or a file.
    made = Connection(
        conn_id=config.conn_id or _CONNECTION, conn_type="aws", login=login, password=password, extra=json.dumps(extra)
    )
    hook.get_connection = lambda _conn_id: made
    return hook.get_conn()


def _find(hook: Any, conn_id: str) -> Any:
    try:
        return hook.get_connection(conn_id)
    except Exception as error:  # noqa: BLE001 (each secrets backend fails in its own way)
        raise LogStoreError(
            f"there is no Airflow connection {conn_id!r} ({type(error).__name__}), which object_storage names",
            hint=f"Make it in Airflow, or set AIRFLOW_CONN_{conn_id.upper()}.",
        ) from None


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _answered(what: str, error: Any) -> BifrostExportError:
    code = _code(error)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _PASSING or status >= 500 or status == 429:
        return _busy(what, f"the store answered {code or status}")
    if error.operation_name == "AssumeRole":
        hint = f"Let these credentials assume role_arn. {WAY_OUT}"
        return LogStoreError(f"{what}: the store answered {code or status} to sts:AssumeRole", hint=hint)
    return LogStoreError(f"{what}: the store answered {code or status}", hint=_hint(code))


def _busy(what: str, happened: str) -> LogStoreBusyError:
    return LogStoreBusyError(
        f"{what}: {happened}", hint="Look whether the store can be reached from here; the task tries again."
    )


def _hint(code: str) -> str:
    return f"{_HINTS.get(code, 'Mend object_storage.')} {WAY_OUT}"
