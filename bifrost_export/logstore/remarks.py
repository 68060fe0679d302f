"""What a log store is found to be that a person should know of, though it can be read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Remark:
    """One such finding.

    Args:
        message: What was found.
        hint: What to do if it is not meant.
    """

    message: str
    hint: str
