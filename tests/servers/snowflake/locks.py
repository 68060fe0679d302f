"""Locks on tables, as UPDATE, DELETE and MERGE take them until their transaction ends."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_CHANGES = re.compile(r"\s*(?:UPDATE|DELETE\s+FROM|MERGE\s+INTO)\s+(\S+)", re.IGNORECASE)

_LOOK = 0.2


@dataclass
class Locks:
    """Who holds which table.

    Args:
        holders: Each locked table with the session that holds it.
    """

    holders: dict[str, object] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, command: str, session: object, seconds: float, is_left: Callable[[Any], bool]) -> str | None:
        """Wait for the lock that a statement takes; gives the table's own name when the time is over.

        Args:
            command: The statement.
            session: Whose it is.
            seconds: How long it waits.
            is_left: Ends the transaction of a holder that has been idle for too long, and tells whether it did.
        """
        match = _CHANGES.match(command)
        if match is None:
            return None
        table, deadline = match[1].upper(), time.monotonic() + seconds
        with self._changed:
            while self.holders.get(table, session) is not session:
                left = deadline - time.monotonic()
                if left <= 0:
                    return table.rpartition(".")[2].strip('"')
                if is_left(self.holders[table]):
                    self.holders = {
                        name: each for name, each in self.holders.items() if each is not self.holders[table]
                    }
                    self._changed.notify_all()
                    break
                self._changed.wait(min(left, _LOOK))
            self.holders[table] = session
        return None

    def release(self, session: object) -> None:
        """Let go of everything that a session holds."""
        with self._changed:
            for table in [table for table, holder in self.holders.items() if holder is session]:
                del self.holders[table]
            self._changed.notify_all()
