"""An S3 server for tests: one a session, emptied for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from demo.servers.s3_server import S3Server, s3_server

BUCKET = "bifrost-logs-test"


@pytest.fixture(scope="session")
def s3_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """The server, ended by its process id when the session ends."""
    with s3_server(tmp_path_factory.mktemp("s3") / "server.log") as server:
        yield server


@pytest.fixture
def s3(s3_process: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The server with one empty bucket, `BUCKET`, and its keys in the environment."""
    s3_process.reset()
    s3_process.make_bucket(BUCKET)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_process.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3_process.secret_access_key)
    return s3_process
