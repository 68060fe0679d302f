"""What the pipeline asks of any destination, also of one that was written for an earlier version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bifrost_export.destinations.local.destination import LocalConfig, LocalDestination
from bifrost_export.destinations.port import warnings_of
from bifrost_export.testing.object_store_runs import DAY, target_of


def test_a_destination_that_declares_no_warnings_warns_of_nothing() -> None:
    """As those of others before the port had them."""

    class Earlier:
        """A destination without them."""

    earlier: Any = Earlier()
    assert warnings_of(earlier) == []


def test_the_warnings_of_a_destination_are_a_copy(tmp_path: Path) -> None:
    """Whoever adds to them changes nothing there."""
    destination = LocalDestination(LocalConfig(path=str(tmp_path)), target_of(DAY, "0" * 8))
    destination.warnings.append("take care")
    found = warnings_of(destination)
    found.append("more")
    assert destination.warnings == ["take care"]
