"""One problem of a document, as people and machines are told it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Problem:
    """What is wrong in one place of a document.

    Args:
        severity: `error`, or `warning` for what works and should be looked at.
        pointer: JSON pointer of the place.
        message: What is wrong.
        value: What stands there; never a secret.
        line: From 1; None when the place has none.
        column: From 1, in characters.
        allowed: What is allowed there.
        hint: What to do next.
        file: The document.
    """

    severity: Literal["error", "warning"]
    pointer: str
    message: str
    value: Any = None
    line: int | None = None
    column: int | None = None
    allowed: str | None = None
    hint: str | None = None
    file: str | None = None

    def __str__(self) -> str:
        """The problem for people, in a line or two."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        where = " ".join(part for part in (place, self.pointer) if part)
        text = f"{where}: {self.message}" if where else self.message
        if self.allowed:
            text += f". Allowed: {self.allowed}"
        return f"{text}. {self.hint}" if self.hint else text

    def to_json(self) -> dict[str, Any]:
        """The problem for machines, with the keys of the contract's section 9."""
        names = ("severity", "pointer", "line", "column", "value", "message", "allowed", "hint")
        return {name: getattr(self, name) for name in names}
