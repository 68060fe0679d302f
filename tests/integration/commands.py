"""A document in a folder of its own, and the commands that are tried on it, in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.cli.group import execute
from tests.servers.buckets import Buckets

SECRET = "canary-5ecret/of+no=worth"
KEY_ID = "AKIACANARY0000000000"


@dataclass
class Desk:
    """A folder with one document, and a person who types commands.

    Args:
        folder: Where the document, staging and a `local` destination are.
        log_store: The SQLite file.
        capsys: Catches what is printed.
        destination: Of the export; `local` in `out` without one.
        data: Of the export.
        schedule: Of the export.
        others: Further entries of `exports`.
        staging: Where rows wait; in `staging` without it.
    """

    folder: Path
    log_store: Path
    capsys: pytest.CaptureFixture[str]
    destination: dict[str, Any] | None = None
    data: dict[str, Any] = field(default_factory=dict)
    schedule: dict[str, Any] = field(default_factory=lambda: {"frequency": "daily"})
    others: list[dict[str, Any]] = field(default_factory=list)
    staging: dict[str, Any] | None = None

    @property
    def out(self) -> Path:
        """The folder of the `local` destination."""
        return self.folder / "out"

    @property
    def document(self) -> str:
        """The document, written anew."""
        local = {"type": "local", "config": {"path": "out", "prefix": "logs/{day}/"}}
        export = {
            "name": "nightly",
            "schedule": self.schedule,
            "destination": self.destination or local,
            "data": self.data,
        }
        content = {
            "source": {"type": "sqlite", "config": {"path": str(self.log_store)}},
            "staging": self.staging or {"url": (self.folder / "staging").as_uri()},
            "exports": [export, *self.others],
        }
        path = self.folder / "log_exports.json"
        path.write_text(json.dumps({"log_exports": content}))
        return str(path)

    def told(self, command: str, *arguments: str) -> tuple[int, Any]:
        """Exit code and the one JSON object of a command on the document."""
        code = execute([command, self.document, *arguments, "--format", "json"])
        printed = self.capsys.readouterr()
        assert "Traceback" not in printed.err
        assert SECRET not in printed.out + printed.err
        assert KEY_ID not in printed.out + printed.err
        return code, json.loads(printed.out)

    def shown(self, command: str, *arguments: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of a command on the document, as people see them."""
        code = execute([command, self.document, *arguments])
        printed = self.capsys.readouterr()
        assert "Traceback" not in printed.err
        assert SECRET not in printed.out + printed.err
        return code, printed.out, printed.err

    def verify(self, manifest: str, *arguments: str) -> dict[str, Any]:
        """What `verify` tells of a manifest."""
        execute(["verify", manifest, *arguments, "--format", "json"])
        return dict(json.loads(self.capsys.readouterr().out))

    def run(self, start: str, end: str, *arguments: str) -> dict[str, Any]:
        """Export a window."""
        window = ("--window-start", start, "--window-end", end)
        code, found = self.told("run", "--export", "nightly", *window, *arguments)
        assert code == 0, found
        return dict(found)

    def files(self) -> list[str]:
        """Every file of the `local` destination and of staging, but for locks."""
        roots = [root for root in (self.out, self.folder / "staging") if root.exists()]
        return [
            str(path.relative_to(self.folder)) for root in roots for path in sorted(root.rglob("*")) if _counts(path)
        ]


def _counts(path: Path) -> bool:
    return path.is_file() and path.name != ".lock"


def bucket_of(buckets: Buckets, **changes: Any) -> dict[str, Any]:
    """A destination in a fresh bucket of the tests' server, whose credentials are references."""
    config = {
        "bucket": buckets.make_bucket(),
        "region": "us-west-2",
        "endpoint_url": buckets.url,
        "prefix": "logs/{day}/",
        "credentials": {"access_key_id": "${TEST_KEY_ID}", "secret_access_key": "${TEST_SECRET}"},
        **changes,
    }
    return {"type": "s3", "config": {key: value for key, value in config.items() if value is not None}}


@pytest.fixture
def desk(tmp_path: Path, log_store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk with a log store of 2,000 rows on the 1st and 2nd of March 2026."""
    monkeypatch.setenv("TEST_KEY_ID", KEY_ID)
    monkeypatch.setenv("TEST_SECRET", SECRET)
    return Desk(tmp_path, log_store, capsys)
