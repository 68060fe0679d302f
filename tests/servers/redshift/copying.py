"""Reads S3 as Redshift's COPY does: by a manifest, Parquet by position, types compared strictly."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.servers.redshift.sql import Copy, SqlError

_FITTING = {
    "bigint": ("int64",),
    "integer": ("int32",),
    "double precision": ("double",),
    "boolean": ("bool",),
    "date": ("date32[day]",),
    "timestamp without time zone": ("timestamp[us, tz=UTC]", "timestamp[us]"),
    "character varying": ("string", "large_string"),
}


@dataclass
class Lake:
    """The S3 that COPY reads.

    Args:
        url: Its endpoint.
        roles: Each role that the cluster may assume, with the keys that it stands for.
    """

    url: str
    roles: dict[str, tuple[str, str]] = field(default_factory=dict)

    def client(self, copy: Copy) -> Any:
        """A client with the rights that a COPY names."""
        if copy.role is not None:
            if copy.role not in self.roles:
                who = "User arn:aws:redshift:us-west-2:123456789012:dbuser:c/awsuser"
                raise SqlError("XX000", f"{who} is not authorized to assume IAM Role {copy.role}")
            key, secret = self.roles[copy.role]
        else:
            key, secret = copy.keys["aws_access_key_id"], copy.keys["aws_secret_access_key"]
        settings = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1})
        region = {"region_name": "us-west-2", "config": settings}
        return boto3.client("s3", endpoint_url=self.url, aws_access_key_id=key, aws_secret_access_key=secret, **region)


def read(lake: Lake, copy: Copy, types: dict[str, str]) -> Iterator[bytes]:
    """The rows of a COPY as CSV, in which null is an empty field and an empty text is `""`.

    Args:
        lake: Where the files are.
        copy: The statement.
        types: The table's types by column.

    Raises:
        SqlError: A file is missing, refused, or does not fit.
    """
    try:
        client = lake.client(copy)
        for bucket, key, size in _files(client, copy):
            body = client.get_object(Bucket=bucket, Key=key)["Body"].read()
            if size is not None and size != len(body):
                raise _unreadable(f"s3://{bucket}/{key}: content_length is not its size")
            yield from _rows(body, f"s3://{bucket}/{key}", copy, types)
    except ClientError as error:
        told, status = error.response["Error"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        raise SqlError(
            "XX000", f"S3ServiceException:{told.get('Message', '')},Status {status},Error {told['Code']},Rid 1"
        ) from None


def _files(client: Any, copy: Copy) -> Iterator[tuple[str, str, int | None]]:
    bucket, _, key = copy.address.removeprefix("s3://").partition("/")
    if not copy.is_manifest:
        listed = client.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", [])
        if not listed:
            raise SqlError("XX000", f"The specified S3 prefix '{key}' does not exist")
        yield from ((bucket, each["Key"], None) for each in listed)
        return
    entries = json.load(client.get_object(Bucket=bucket, Key=key)["Body"])["entries"]
    for entry in entries:
        if "content_length" not in entry.get("meta", {}):
            raise SqlError("XX000", "Manifest file entry has no content_length, which columnar formats need")
        place, _, name = entry["url"].removeprefix("s3://").partition("/")
        yield place, name, int(entry["meta"]["content_length"])


def _rows(body: bytes, where: str, copy: Copy, types: dict[str, str]) -> Iterator[bytes]:
    file = pq.ParquetFile(io.BytesIO(body))
    schema = file.schema_arrow
    if len(schema) != len(copy.columns):
        counts = f"({len(schema)}) does not match table ({len(copy.columns)})"
        raise _unreadable(f"{where}: Number of columns in the data file {counts}")
    for found, name in zip(schema, copy.columns, strict=True):
        kind = types[name].partition("(")[0]
        if str(found.type) not in _FITTING.get(kind, ()):
            raise _unreadable(
                f"File '{where}' has an incompatible Parquet schema for column '{where}.{name}'."
                f" Column type: {kind.upper()}, Parquet schema:\n  optional {found.type} {name} [i:5 d:1 r:0]"
            )
    for batch in file.iter_batches(65_536):
        sink = io.BytesIO()
        columns = [_plain(column) for column in batch.columns]
        table = pa.table(columns, names=list(copy.columns))
        options = pa_csv.WriteOptions(include_header=False, quoting_style="needed")
        pa_csv.write_csv(table, sink, options)
        yield sink.getvalue()


def _unreadable(context: str) -> SqlError:
    return SqlError("XX000", "Spectrum Scan Error", context)


def _plain(column: pa.Array) -> pa.Array:
    """A column as CSV writes it; times without their zone."""
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us")).cast(pa.string())
    if pa.types.is_boolean(column.type):
        return pc.if_else(column, "t", "f")
    return column
