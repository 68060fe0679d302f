"""SeaweedFS for tests: an S3 server that checks signatures, checksums, conditions and identities as S3 does."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from demo.servers.processes import free_port, running, wait_until

IDENTITIES = {
    "admin": ["Admin", "Read", "Write", "List", "Tagging"],
    "writer": ["Read", "Write", "List", "Tagging"],
    "reader": ["Read", "List"],
    "write-only": ["Write"],
}
"""What SeaweedFS lets each do, in its own words."""
_NUMBERS = itertools.count(1)


def keys_of(name: str) -> tuple[str, str]:
    """An identity's access key id and secret."""
    return f"AKIA{name.upper().replace('-', '')}", f"secret-of-{name}"


@dataclass(frozen=True)
class Seaweed:
    """A running server.

    Args:
        url: Its address, as an `endpoint_url`.
    """

    url: str

    def client(self) -> Any:
        """A boto3 client for it, who may do everything."""
        key_id, secret = keys_of("admin")
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
        )

    def make_bucket(self) -> str:
        """Make an empty bucket with a name of its own."""
        name = f"bifrost-logs-{next(_NUMBERS)}"
        self.client().create_bucket(Bucket=name)
        return name

    def user_with(self, policy: dict[str, Any]) -> tuple[str, str]:
        """A user with a policy as Amazon writes it, as (access key id, secret)."""
        key_id, secret = keys_of("admin")
        iam: Any = boto3.client(
            "iam",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
        )
        name = f"user-{next(_NUMBERS)}"
        iam.create_user(UserName=name)
        made = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(policy))["Policy"]
        iam.attach_user_policy(UserName=name, PolicyArn=made["Arn"])
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/status", timeout=5).close()  # noqa: S310 (loopback)
    except urllib.error.HTTPError:
        return False
    except OSError:
        return False
    return True


@contextlib.contextmanager
def seaweed(folder: Path) -> Iterator[Seaweed]:
    """Run the server on free ports of the loopback while the block lasts."""
    config = {
        "identities": [
            {
                "name": name,
                "credentials": [dict(zip(("accessKey", "secretKey"), keys_of(name), strict=True))],
                "actions": actions,
            }
            for name, actions in IDENTITIES.items()
        ]
    }
    (folder / "s3.json").write_text(json.dumps(config))
    (folder / "data").mkdir()
    ports = {name: free_port() for name in ("master", "volume", "filer", "s3")}
    grpc = {f"{name}.port.grpc": free_port() for name in ports}
    numbers = {
        **{f"{name}.port": port for name, port in ports.items()},
        **grpc,
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
    }
    command = [
        str(Path(sys.prefix, "bin", "weed")),
        "server",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-dir={folder / 'data'}",
        "-master.telemetry=false",
        "-master.volumeSizeLimitMB=64",
        "-volume.max=5000",
        "-s3",
        f"-s3.config={folder / 's3.json'}",
        "-s3.autoCreateBucket=false",
        "-s3.iam.readOnly=false",
        "-s3.allowDeleteBucketNotEmpty=false",
        *(f"-{name}={number}" for name, number in numbers.items()),
    ]
    # One volume a bucket in place of seven: each test makes a bucket.
    growth = {"WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"}
    environment = {**os.environ, **growth, "WEED_S3_SSE_KEK": "0" * 63 + "1"}
    url = f"http://127.0.0.1:{ports['s3']}"
    with running("SeaweedFS", command, folder / "server.log", environment) as process:
        wait_until(lambda: _answers(url), [process], 90, "SeaweedFS")
        yield Seaweed(url)


@pytest.fixture(scope="session")
def seaweed_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """The server, ended by its process id when the session ends."""
    with seaweed(tmp_path_factory.mktemp("seaweed")) as server:
        yield server
