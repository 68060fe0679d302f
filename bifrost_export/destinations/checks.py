"""Probe something step by step: each step is told by itself, and skipped where what it needs has not passed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from bifrost_export.errors import BifrostExportError


@dataclass(frozen=True)
class Probe:
    """One step of a check.

    Args:
        what: The step.
        ok: Whether it passed.
        message: What was found.
        hint: What to do: of a step that failed, and of one that passed with something to know.
        was_tried: False where a former step's failure made it pointless.
        exit_code: 0 when it passed, 2 when the input is wrong, else 1.
    """

    what: str
    ok: bool
    message: str
    hint: str | None = None
    was_tried: bool = True
    exit_code: int = 0

    @classmethod
    def failed(cls, what: str, error: BifrostExportError) -> Probe:
        """A step that an error ended."""
        allowed = f"; allowed: {error.allowed}" if error.allowed else ""
        return cls(what, False, f"{error.message}{allowed}", error.hint, exit_code=error.exit_code)

    @classmethod
    def skipped(cls, what: str, needed: str) -> Probe:
        """A step that was not tried."""
        return cls(what, False, f"not tried: it needs {needed!r}", was_tried=False, exit_code=1)


@dataclass
class Steps:
    """Takes steps, and remembers which of them have passed.

    Args:
        passed: Their names.
    """

    passed: set[str] = field(default_factory=set)

    def take(self, what: str, act: Callable[[], str | Probe], needs: Iterable[str] = ()) -> Probe:
        """Take one step.

        Args:
            what: Its name.
            act: Does it, and gives what was found.
            needs: The steps that must have passed before.
        """
        lacking = next((name for name in needs if name not in self.passed), None)
        if lacking is not None:
            return Probe.skipped(what, lacking)
        try:
            found = act()
        except BifrostExportError as error:
            return Probe.failed(what, error)
        probe = found if isinstance(found, Probe) else Probe(what, True, found)
        return self.note(probe)

    def note(self, probe: Probe) -> Probe:
        """Remember a step that was taken elsewhere."""
        if probe.ok:
            self.passed.add(probe.what)
        return probe
