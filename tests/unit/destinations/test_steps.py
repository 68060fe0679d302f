"""Steps of a check: what needs a step that failed is not tried."""

from __future__ import annotations

from bifrost_export.destinations.checks import Probe, Steps
from bifrost_export.errors import ConfigError, DestinationError


def fail() -> str:
    """A step that fails."""
    raise DestinationError("it is closed", allowed="an open one", hint="Open it.")


def never() -> str:
    """A step that must not be tried."""
    raise AssertionError("it was tried")


def test_a_step_that_passes_tells_what_it_found() -> None:
    """And opens the way to those that need it."""
    steps = Steps()
    assert steps.take("a", lambda: "found") == Probe("a", True, "found")
    assert steps.take("b", lambda: "too", ["a"]).ok


def test_a_step_that_fails_tells_what_to_do() -> None:
    """What needs it is not tried, what does not is."""
    steps = Steps()
    failed = steps.take("a", fail)
    assert failed == Probe("a", False, "it is closed; allowed: an open one", "Open it.", exit_code=1)
    skipped = steps.take("b", never, ["a"])
    assert (skipped.ok, skipped.was_tried, skipped.message) == (False, False, "not tried: it needs 'a'")
    assert not steps.take("c", never, ["b"]).was_tried
    assert steps.take("d", lambda: "fine").ok


def test_a_step_may_pass_with_something_to_know() -> None:
    """It counts as passed."""
    steps = Steps()
    steps.take("a", lambda: Probe("a", True, "slow", "Make it fast."))
    assert steps.passed == {"a"}


def test_wrong_input_is_told_apart_from_failures() -> None:
    """By the code that the process ends with."""
    assert Probe.failed("a", ConfigError("no such name")).exit_code == 2
    assert Probe.failed("a", DestinationError("no")).exit_code == 1
