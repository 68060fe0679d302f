"""An S3 server on the loopback, for the demo and for tests: moto's, which holds its objects in memory.

It is installed by `make setup`.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bifrost_export.errors import PermanentError
from demo.servers.processes import Process, running, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REGION = "us-west-2"
_LISTENING = re.compile(r"Running on (http://127\.0\.0\.1:\d+)")


@dataclass(frozen=True)
class S3Server:
    """A running server.

    Args:
        process: The server.
        url: Its address, as an `endpoint_url`.
        access_key_id: Any text will do; this one is used by `client`.
        secret_access_key: The same.
    """

    process: Process
    url: str
    access_key_id: str = "AKIADEMO0000EXAMPLE0"
    secret_access_key: str = "demo-secret-of-no-worth"  # noqa: S105 (a server that asks for none)

    def client(self) -> Any:
        """A boto3 client for it."""
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
        )

    def make_bucket(self, name: str) -> None:
        """Make an empty bucket."""
        self.client().create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})

    def reset(self) -> None:
        """Forget every bucket."""
        request = urllib.request.Request(f"{self.url}/moto-api/reset", method="POST")  # noqa: S310 (loopback)
        urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 (loopback)


@contextlib.contextmanager
def s3_server(log: Path) -> Iterator[S3Server]:
    """Run an S3 server on a free port of the loopback while the block lasts.

    Args:
        log: The file that gets its output.

    Raises:
        PermanentError: moto isn't installed, or the server did not start.
    """
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "AWS_EC2_METADATA_DISABLED": "true"}
    _check_installed()
    with running("the S3 server", command, log, environment) as process:
        wait_until(lambda: _LISTENING.search(process.output()) is not None, [process], 60, "the S3 server")
        match = _LISTENING.search(process.output())
        assert match is not None  # noqa: S101 (waited for)
        yield S3Server(process, match[1])


def _check_installed() -> None:
    try:
        import boto3  # noqa: F401
        import moto.server  # noqa: F401
    except ImportError as error:
        raise PermanentError(
            f"the S3 server of demo and tests is not installed ({error})",
            hint="Install what the demo needs: make setup",
        ) from None
