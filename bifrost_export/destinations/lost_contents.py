"""Whether a run would publish fewer offloaded contents than are published: payloads expire, rows may stay.

Counts say how many rows needed their payload, by table, by column of the payload, and by what became of it. A run that
exports fewer columns, or fewer rows, loses nothing: only payloads that could be read then and can't be read now count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

READ = "completed"
"""The outcome of a row whose payload was read. Every other outcome leaves its contents null."""

ByOutcome = Mapping[str, int]


@dataclass(frozen=True)
class Payloads:
    """The rows of one table that needed their payload.

    Args:
        rows: By outcome.
        columns: The same by column of the payload; None when an older version published the window.
    """

    rows: ByOutcome = field(default_factory=dict)
    columns: Mapping[str, ByOutcome] | None = None


@dataclass(frozen=True)
class Loss:
    """Payloads that were published and can't be read any more.

    Args:
        then: Rows whose payload could be read.
        now: Rows whose payload can be read.
        unreadable: Rows whose payload can't be read now, by outcome.
        columns: The columns of the payload that are lost; empty when they are not known.
    """

    then: int
    now: int
    unreadable: ByOutcome
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The unreadable rows, such as `26 gone: input_history, output_message`."""
        rows = ", ".join(f"{rows:,} {outcome}" for outcome, rows in self.unreadable.items() if rows)
        return f"{rows}: {', '.join(self.columns)}" if self.columns else rows


def payloads_of(body: Mapping[str, Any]) -> dict[str, Payloads]:
    """Return what a manifest's fields record, by table; a table without any is absent.

    Args:
        body: The fields as JSON, of a manifest, a draft, or an audit row.
    """
    columns = body.get("payloads")
    rows = {"logs": [each.get("offloaded") or {} for each in body["datasets"].values()][:1]}
    rows["mcp_tool_logs"] = [(body.get("mcp") or {}).get("offloaded") or {}]
    return {
        table: Payloads(each, None if columns is None else columns.get(table, {}))
        for table, found in rows.items()
        for each in found
        if any(each.values())
    }


def loss(formers: Sequence[Payloads], present: Payloads) -> Loss | None:
    """Return what a run loses of the payloads of a table, or None.

    Args:
        formers: Of the published windows that the run replaces.
        present: Of the run.
    """
    if present.columns is None or any(former.columns is None for former in formers):
        return _loss([former.rows for former in formers], present.rows)
    lost = {
        name: found
        for name, outcomes in present.columns.items()
        if (found := _loss([(former.columns or {}).get(name, {}) for former in formers], outcomes))
    }
    if not lost:
        return None
    most = max(lost.values(), key=lambda each: each.then - each.now)
    return Loss(most.then, most.now, most.unreadable, tuple(sorted(lost)))


def _loss(formers: Iterable[ByOutcome], present: ByOutcome) -> Loss | None:
    then: Counter[str] = Counter()
    for each in formers:
        then.update(each)
    now = Counter(present)
    is_lost = now[READ] < then[READ] and now.total() - now[READ] > then.total() - then[READ]
    unreadable = {outcome: rows for outcome, rows in present.items() if outcome != READ}
    return Loss(then[READ], now[READ], unreadable) if is_lost else None
