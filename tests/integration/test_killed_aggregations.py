"""An aggregation killed (-9) at any moment: nothing that looks finished, no file that nobody sweeps."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.sample.logs import write
from bifrost_export.window import Window
from tests.integration.exports import Export
from tests.integration.killing import run_cli
from tests.integration.published import comparable, folder_contents, stale

DAY = Window.parse("2026-03-01", "2026-03-02")
EVERY = 1 if os.environ.get("BIFROST_TEST_LONG") else 15
"""Of all moments, every n-th is tried by `make test`, each one by `make test-long`."""

TRANSFORMATIONS = [
    {"type": "anonymize", "fields": ["customer_id"], "key": "${BIFROST_KEY}"},
    {"type": "aggregate", "group_by": ["customer_id", "hour"], "metrics": ["count", "p95_latency", "total_cost"]},
    {"type": "enrich", "add_fields": {"version": "${EXPORT_VERSION}"}},
]

pytestmark = pytest.mark.widened


def run(export: Export, **how: Any) -> tuple[int, int]:
    """Run the day from the command line."""
    window = ["--window-start", "2026-03-01T00:00:00Z", "--window-end", "2026-03-02T00:00:00Z"]
    arguments = ["run", str(export.document()), "--export", "nightly", *window, "--format", "json"]
    return run_cli(arguments, {"BIFROST_KEY": "k"}, **how)


def test_a_kill_at_any_moment_is_mended_by_a_rerun(tmp_path: Path) -> None:
    """Run again, all is as undisturbed, and staging is empty."""
    log_store = tmp_path / "logs.db"
    write(log_store, rows=400, seed=5, days=2, end=DAY.end)
    undisturbed = Export(tmp_path / "undisturbed", log_store, {"transformations": TRANSFORMATIONS})
    code, moments = run(undisturbed, below=[undisturbed.folder])
    assert code == 0
    expected = comparable(undisturbed.contents())
    assert folder_contents(undisturbed.folder / "staging") == {}
    assert moments > 20

    for moment in range(1, moments + 1, EVERY):
        export = Export(tmp_path / f"{moment}", log_store, {"transformations": TRANSFORMATIONS})
        code, _ = run(export, kill_at=moment, below=[export.folder])
        assert code == -9
        left = folder_contents(export.folder / "staging") if (export.folder / "staging").exists() else {}
        assert all(name.endswith((".arrow", ".tmp", "plan.json")) for name in left), left

        assert run(export)[0] == 0

        assert comparable(export.contents()) == expected, f"moment {moment}"
        assert stale(export.contents()) == [], f"moment {moment}"
