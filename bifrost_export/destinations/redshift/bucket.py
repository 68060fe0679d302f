"""The staging bucket: files wait there for COPY, under the run's token."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from bifrost_export.destinations.key_names import REDSHIFT, Renaming, naming
from bifrost_export.destinations.object_store.keys import folded
from bifrost_export.destinations.object_store.port import BLOCK, PutOptions
from bifrost_export.destinations.object_store.upload_stream import Writing
from bifrost_export.destinations.redshift import copy_errors
from bifrost_export.destinations.redshift.connection import checked_aws_connection
from bifrost_export.destinations.s3.config import S3Config
from bifrost_export.destinations.s3.errors import told
from bifrost_export.destinations.s3.store import S3Store
from bifrost_export.destinations.warehouse.engine import StagedGoneError, moment
from bifrost_export.errors import DestinationError
from bifrost_export.services.s3_answers import code_of
from bifrost_export.window import UTC

if TYPE_CHECKING:
    from pathlib import Path

    from bifrost_export.destinations.redshift.config import RedshiftConfig
    from bifrost_export.destinations.warehouse.engine import StagedFile
    from bifrost_export.destinations.warehouse.names import StagedNames

FOLDER = "bifrost_export_staging/"
"""Below the config's prefix; nothing else of ours stands there."""


def folder_of(prefix: str) -> str:
    """The folder of every run.

    Args:
        prefix: `staging.prefix` of the config.
    """
    prefix = folded(prefix)
    return (prefix if not prefix or prefix.endswith("/") else f"{prefix}/") + FOLDER


OPTIONS = PutOptions("application/octet-stream")
RIGHTS = "s3:PutObject, s3:GetObject, s3:DeleteObject and s3:ListBucket"

_ENDPOINT = re.compile(r"\.([a-z]{2}(?:-[a-z]+)+-\d)\.redshift(?:-serverless)?\.amazonaws\.com(?:\.cn)?$")


def region_of(config: RedshiftConfig) -> str | None:
    """Redshift's region, as its endpoint or the lookup of its cluster tells it; None where neither does."""
    if match := _ENDPOINT.search((config.host or "").lower()):
        return match[1]
    return config.region if config.cluster or config.workgroup else None


class StagingBucket:
    """The folder of one run.

    Args:
        config: The destination's config, with `staging`.
        names: The names of the run.
    """

    def __init__(self, config: RedshiftConfig, names: StagedNames) -> None:
        assert config.staging is not None  # noqa: S101 (asked by the caller)
        self.config = config
        self.names = names
        self.bucket = config.staging.bucket
        self.root = folder_of(config.staging.prefix)

    @cached_property
    def store(self) -> S3Store:
        """The bucket; its connection is one for AWS."""
        staging = self.config.staging
        assert staging is not None  # noqa: S101 (asked by the caller)
        with naming(REDSHIFT), told("signing in to S3"):
            conn_id = checked_aws_connection(self.config)
        store = S3Store(
            S3Config(
                bucket=self.bucket,
                region=self.config.region,
                conn_id=conn_id,
                kms_key_id=staging.kms_key_id,
                sse=staging.sse,
            )
        )
        store.if_free = {}  # the same name again replaces a file
        return cast("S3Store", Renaming(store, REDSHIFT))

    @property
    def client(self) -> Any:
        """The provider's S3 client."""
        return self.store.client

    def address(self, key: str) -> str:
        """`s3://bucket/key`."""
        return f"s3://{self.bucket}/{key}"

    def check_region(self) -> None:
        """Refuse a bucket in another region than Redshift's, where both are known: COPY reads no Parquet from there.

        Raises:
            DestinationError: It is in another region.
        """
        wanted = region_of(self.config)
        if wanted is None:
            return
        moment("head bucket")
        with naming(REDSHIFT), told(f"head s3://{self.bucket}", RIGHTS):
            answer = self.client.head_bucket(Bucket=self.bucket)
        found = answer.get("BucketRegion") or answer["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region")
        if found and found != wanted:
            raise DestinationError(
                f"the staging bucket {self.bucket} is in {found}, and Redshift is in {wanted}", hint=copy_errors.REGION
            )

    def put(self, name: str, file: Path) -> str:
        """Put a file into the run's folder; gives its key. The same name again replaces it."""
        key = f"{self.root}{self.names.folder}{name}"
        moment(f"put {name}")
        writing = Writing(self.store, key, OPTIONS)
        try:
            with file.open("rb") as body:
                while block := body.read(BLOCK):
                    writing.write(block)
            writing.finish()
        except BaseException as error:
            writing.abandon(error)
            raise
        return key

    def put_manifest(self, name: str, files: Sequence[StagedFile]) -> str:
        """Put the list that COPY reads: every file must be there, with its size; gives its address.

        Raises:
            StagedGoneError: A file is not there.
        """
        for file in files:
            self._check(file)
        entries = [
            {"url": self.address(file.key), "mandatory": True, "meta": {"content_length": file.bytes}} for file in files
        ]
        key = f"{self.root}{self.names.folder}{name}.manifest"
        moment(f"put {name}.manifest")
        self.store.put(key, json.dumps({"entries": entries}).encode(), OPTIONS)
        return self.address(key)

    def _check(self, file: StagedFile) -> None:
        from botocore.exceptions import ClientError

        with naming(REDSHIFT), told(f"head {self.address(file.key)}", RIGHTS):
            try:
                self.client.head_object(Bucket=self.bucket, Key=file.key)
            except ClientError as error:
                if code_of(error) not in ("404", "NoSuchKey", "NotFound"):
                    raise
                raise StagedGoneError(self.address(file.key)) from None

    def found(self, prefix: str = "") -> Iterator[tuple[str, dt.datetime]]:
        """Keys below the root that begin with a prefix, with the time when they were put, UTC."""
        moment("list staging")
        with naming(REDSHIFT), told(f"list {self.address(self.root + prefix)}", RIGHTS):
            for page in self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self.root + prefix
            ):
                for found in page.get("Contents", ()):
                    yield found["Key"], found["LastModified"].astimezone(UTC)

    def of_others(self) -> list[str]:
        """What other tokens have staged for this window."""
        return [
            key for key, _ in self.found(self.names.window_stem) if self.names.is_of_others(key.removeprefix(self.root))
        ]

    def remove(self, keys: Iterable[str]) -> None:
        """Delete objects; those that are gone are fine."""
        for key in keys:
            moment("delete a staged file")
            # One by one: the answer to a deletion of many tells what was refused only within.
            with naming(REDSHIFT), told(f"delete {self.address(key)}", RIGHTS):
                self.client.delete_object(Bucket=self.bucket, Key=key)

    def clean_up(self, keep: dt.timedelta) -> None:
        """Delete what this run has staged, and what any run has staged longer ago."""
        since = dt.datetime.now(UTC) - keep
        found = self.found(f"{self.names.target.export}/")
        self.remove([key for key, put in found if self.names.is_left(key.removeprefix(self.root), put, since)])
