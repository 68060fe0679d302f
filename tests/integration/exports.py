"""An export in a folder of its own: its document, its runs in this process, what it published."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bifrost_export.pipeline.plan import PlanRequest
from bifrost_export.pipeline.run import run
from bifrost_export.pipeline.runtime import Runtime
from bifrost_export.window import UTC, Window
from tests.integration.published import folder_contents

AFTERWARDS = dt.datetime(2026, 4, 1, tzinfo=UTC)
"""The clock of the runs: all windows of the tests have settled."""


@dataclass
class Export:
    """One export of a log store to files.

    Args:
        folder: Where document, staging and output stand.
        log_store: The SQLite file.
        data: `data` of the export.
        schedule: `schedule` of the export.
        runtime: What the runtime is given beside the clock.
        staging: `log_exports.staging`, in place of a folder.
        source: `log_exports.source`, in place of the SQLite file.
        destination: Another destination than files in `out`.
    """

    folder: Path
    log_store: Path
    data: dict[str, Any] = field(default_factory=dict)
    schedule: dict[str, Any] = field(default_factory=lambda: {"frequency": "daily"})
    runtime: dict[str, Any] = field(default_factory=dict)
    staging: dict[str, Any] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)
    destination: dict[str, Any] | None = None

    @property
    def out(self) -> Path:
        """The destination's folder."""
        return self.folder / "out"

    def document(self) -> Path:
        """Write the document."""
        export = {
            "name": "nightly",
            "schedule": self.schedule,
            "destination": self.destination
            or {"type": "local", "config": {"path": str(self.out), "prefix": "logs/{day}/"}},
            "data": {"max_rejected": "50%", **self.data},
        }
        content = {
            "exports": [export],
            "source": self.source or {"type": "sqlite", "config": {"path": str(self.log_store)}},
            "staging": self.staging or {"url": (self.folder / "staging").as_uri()},
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "log_exports.json"
        path.write_text(json.dumps({"log_exports": content}))
        return path

    def run(self, window: Window, **request: Any) -> dict[str, Any]:
        """Run the window in this process."""
        runtime = Runtime(**{"now": lambda: AFTERWARDS, **self.runtime})
        return run(runtime, PlanRequest(str(self.document()), "nightly", window, "test", **request))

    def contents(self) -> dict[str, bytes]:
        """Every published file."""
        return folder_contents(self.out) if self.out.exists() else {}

    def parts(self) -> dict[str, bytes]:
        """The parts alone."""
        return {key: data for key, data in self.contents().items() if "__part-" in key}

    def manifest(self, window: Window) -> dict[str, Any]:
        """The window's manifest."""
        return dict(json.loads((self.out / f"logs/_manifests/nightly/{window.name}.json").read_text()))
