"""Buckets of the tests' S3 server: made fresh, looked into, emptied."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from demo.servers.s3_server import S3Server

_NUMBERS = itertools.count(1)


class Buckets:
    """The server, with what tests ask of it.

    Args:
        server: The running server.
    """

    def __init__(self, server: S3Server) -> None:
        self.server = server
        self.url = server.url
        self.client: Any = server.client()

    def make_bucket(self) -> str:
        """Make an empty bucket with a name of its own."""
        name = f"bifrost-logs-{next(_NUMBERS)}"
        self.server.make_bucket(name)
        return name

    def _keys(self, bucket: str) -> Iterator[str]:
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            yield from (each["Key"] for each in page.get("Contents", ()))

    def contents(self, bucket: str) -> dict[str, bytes]:
        """Every object with its bytes."""
        return {key: self.client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in self._keys(bucket)}

    def uploads(self, bucket: str) -> list[str]:
        """Keys of unfinished uploads."""
        return [each["Key"] for each in self.client.list_multipart_uploads(Bucket=bucket).get("Uploads", ())]

    def empty(self, bucket: str) -> None:
        """Delete every object."""
        for key in list(self._keys(bucket)):
            self.client.delete_object(Bucket=bucket, Key=key)

    def fill(self, bucket: str, contents: Mapping[str, bytes]) -> None:
        """Make these the bucket's only objects; the same bytes get the same ETag."""
        self.empty(bucket)
        for key, data in contents.items():
            self.client.put_object(Bucket=bucket, Key=key, Body=data)


@pytest.fixture
def buckets(s3_process: S3Server) -> Buckets:
    """The S3 server as a maker of buckets."""
    return Buckets(s3_process)
