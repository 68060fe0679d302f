"""Audit rows of other exports in the same tables: what a renamed export has left behind."""

from __future__ import annotations

from collections.abc import Collection, Container
from itertools import islice
from typing import TYPE_CHECKING

from bifrost_export.destinations.neighbours import MOST_EXPORTS, Neighbour, is_open
from bifrost_export.window import merge

if TYPE_CHECKING:
    from bifrost_export.destinations.warehouse.audit import Audit


def neighbours(audit: Audit, tables: Collection[str], known: Container[str]) -> list[Neighbour]:
    """Return other exports that have loaded time of the audit's window, into the same tables, which this one has not.

    Args:
        audit: The audit rows of this export and window.
        tables: The tables that it writes.
        known: Names of exports to skip.

    Raises:
        DestinationError: The audit rows can't be read.
    """
    window = audit.target.window
    own = merge(load.window for load in audit.find().live)
    found = []
    late = ((export, through) for export, through in audit.others() if through > window.start and export not in known)
    for export, through in islice(late, MOST_EXPORTS):
        for load in audit.of_another(export):
            if load.table in tables and is_open(load.window, window, own):
                found.append(Neighbour(export, load.window, through, load.details.get("source") or {}))
                break
    return found
