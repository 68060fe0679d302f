"""The table `bifrost_export_loads`: what is published, read and written."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bifrost_export.destinations.port import Published
from bifrost_export.destinations.warehouse.loads import IS_NULL, NULLABLE, READ, Found, Load, utc
from bifrost_export.destinations.warehouse.statements import Statement, Value, instant, real, text, whole
from bifrost_export.destinations.warehouse.tables import LOADS
from bifrost_export.window import UTC, Window, parse_instant, rfc3339

if TYPE_CHECKING:
    from bifrost_export.destinations.port import Target
    from bifrost_export.destinations.warehouse.engine import Engine


MOST_ROWS = 100
"""Audit rows of another export that are read."""


class Audit:
    """The audit rows of one export.

    Args:
        engine: The warehouse.
        target: The run.
    """

    def __init__(self, engine: Engine, target: Target) -> None:
        self.engine = engine
        self.target = target
        self.table = engine.dialect.table(LOADS.name)
        self._columns = {name: engine.dialect.quote(name) for name in (each.name for each in LOADS.columns)}

    def column(self, name: str) -> str:
        """A column, quoted."""
        return self._columns[name]

    @property
    def values(self) -> dict[str, Value]:
        """What names the export and the window."""
        window = self.target.window
        return {
            "export_name": text(self.target.export),
            "window_start": instant(window.start),
            "window_end": instant(window.end),
        }

    @property
    def _of_export(self) -> str:
        return f"{self.column('kind')} = 'load' AND {self.column('export_name')} = :export_name"

    @property
    def live_overlaps(self) -> str:
        """The condition on live rows of the window and of windows that overlap it."""
        return (
            f"{self._of_export} AND {self.column('superseded_at')} IS NULL"
            f" AND {self.column('window_start')} < :window_end AND {self.column('window_end')} > :window_start"
        )

    @property
    def of_window(self) -> str:
        """The condition on all rows of the window."""
        return (
            f"{self._of_export} AND {self.column('window_start')} = :window_start"
            f" AND {self.column('window_end')} = :window_end"
        )

    def find(self) -> Found:
        """What the table says of the window; nothing where there is no table yet."""
        rows = self._read(f"({self.live_overlaps}) OR ({self.of_window})", self.values)
        return Found(tuple(rows), self.target.window)

    def published(self) -> Iterator[Published]:
        """Every window of the export that is published, in order."""
        live = f"{self._of_export} AND {self.column('superseded_at')} IS NULL"
        windows: dict[Window, list[Load]] = {}
        for load in self._read(live, {"export_name": text(self.target.export)}):
            windows.setdefault(load.window, []).append(load)
        for window in sorted(windows):
            loads = windows[window]
            yield Published(
                window,
                loads[0].revision,
                window.name,
                rfc3339(loads[0].planned_at),
                sum(load.exported for load in loads),
                sum(load.bytes for load in loads),
            )

    def others(self) -> list[tuple[str, dt.datetime]]:
        """Other exports with published windows, each with the end of its last one, in order."""
        if self.engine.columns(LOADS.name) is None:
            return []
        name, end = self.column("export_name"), self.column("window_end")
        sql = (
            f"SELECT {name}, MAX({end}) FROM {self.table} WHERE {self.column('kind')} = 'load'"
            f" AND {name} <> :export_name AND {self.column('superseded_at')} IS NULL GROUP BY {name} ORDER BY {name}"
        )
        with self.engine.waiting(LOADS.name):
            rows = self.engine.query(Statement(sql, {"export_name": text(self.target.export)}))
        return [(export, utc(through)) for export, through in rows]

    def of_another(self, export: str) -> Iterable[Load]:
        """Some live rows of another export that overlap the window."""
        return self._read(f"{self.live_overlaps} LIMIT {MOST_ROWS}", {**self.values, "export_name": text(export)})

    def _read(self, condition: str, values: dict[str, Value]) -> Iterable[Load]:
        if self.engine.columns(LOADS.name) is None:
            return []
        answers = (f"CASE WHEN {self.column(name)} IS NULL THEN 1 ELSE 0 END AS {name}{IS_NULL}" for name in NULLABLE)
        columns = ", ".join([*(self.column(name) for name in READ), *answers])
        with self.engine.waiting(LOADS.name):
            rows = self.engine.query(Statement(f"SELECT {columns} FROM {self.table} WHERE {condition}", values))
        return [Load.of(row) for row in rows]

    def make_lock(self) -> Statement:
        """Write the export's own lock row, where it has none."""
        # It counts as superseded from the start, so that nobody takes it for a load.
        now = instant(dt.datetime.now(UTC))
        values = {
            **self._row(text("lock"), now),
            "superseded_at": now,
            **{name: text("") for name in ("dataset", "table_name", "token", "run_id", "job_id")},
            **{name: text("") for name in ("config_hash", "package_version")},
            "details": text("{}"),
        }
        columns = ", ".join(self.column(name) for name in values)
        places = ", ".join(f":{name}" for name in values)
        exists = f"SELECT 1 FROM {self.table} WHERE {self._is_lock}"
        # A SELECT without FROM takes no WHERE everywhere.
        return Statement(
            f"INSERT INTO {self.table} ({columns}) SELECT {places} FROM (SELECT 1 AS one) AS once"
            f" WHERE NOT EXISTS ({exists})",
            values,
        )

    def take_lock(self) -> Statement:
        """Change the export's own lock row, which one transaction at a time can do."""
        return Statement(
            f"UPDATE {self.table} SET {self.column('loaded_at')} = :now WHERE {self._is_lock}",
            {"now": instant(dt.datetime.now(UTC)), "export_name": text(self.target.export)},
        )

    @property
    def _is_lock(self) -> str:
        return f"{self.column('kind')} = 'lock' AND {self.column('export_name')} = :export_name"

    def _row(self, kind: Value, now: Value) -> dict[str, Value]:
        numbers = [each.name for each in LOADS.columns if each.type == "int64"]
        return {
            "kind": kind,
            **self.values,
            "planned_at": now,
            "loaded_at": now,
            **{name: whole(0) for name in numbers},
            "cost_usd": real(0.0),
        }

    def is_as(self, found: Found) -> Statement:
        """The condition that the table still says what was found."""
        values: dict[str, Value] = {**self.values, "found": whole(len(found.live)), "revision": whole(found.revision)}
        tokens = sorted({load.token for load in found.live})
        values |= {f"token_{number}": text(token) for number, token in enumerate(tokens)}
        listed = ", ".join(f":token_{number}" for number in range(len(tokens)))
        count = f"SELECT COUNT(*) FROM {self.table} WHERE {self.live_overlaps}"
        same = f" AND ({count} AND {self.column('token')} IN ({listed})) = :found" if tokens else ""
        highest = f"SELECT COALESCE(MAX({self.column('revision')}), 0) FROM {self.table} WHERE {self.of_window}"
        return Statement(f"({count}) = :found{same} AND ({highest}) = :revision", values)

    def supersede(self, now: dt.datetime) -> Statement:
        """Let the live rows of the window, and of those that it covers, count no more."""
        return Statement(
            f"UPDATE {self.table} SET {self.column('superseded_at')} = :now"
            f" WHERE {self._of_export} AND {self.column('superseded_at')} IS NULL"
            f" AND {self.column('window_start')} >= :window_start AND {self.column('window_end')} <= :window_end",
            {**self.values, "now": instant(now)},
        )

    def insert(self, facts: dict[str, Value], now: dt.datetime) -> Statement:
        """Write an audit row.

        Args:
            facts: Its columns beside kind, export, window and times.
            now: When the run publishes.
        """
        values = {**self._row(text("load"), instant(now)), **facts}
        columns = ", ".join(self.column(name) for name in values)
        places = ", ".join(f":{name}" for name in values)
        return Statement(f"INSERT INTO {self.table} ({columns}) VALUES ({places})", values)


def facts_of(body: dict[str, Any], dataset: str, table: str, min_max: Sequence[str | None]) -> dict[str, Value]:
    """What an audit row tells of a dataset, from the manifest's fields.

    Args:
        body: As the pipeline gives them.
        dataset: The dataset.
        table: The table that its rows go to.
        min_max: Earliest and latest timestamp of its rows, RFC 3339, or None.
    """
    entry = body["datasets"][dataset]
    sums = entry["sums"]["exported"]
    details = {
        "schema": entry["schema"],
        "filtered_by": entry["filtered_by"],
        "kept": entry["kept"],
        "sums": entry["sums"],
        "source": body["source"],
        "unplaced": body["unplaced"],
        "window_rows": body.get("window_rows"),
        "mcp": body.get("mcp"),
        "offloaded": entry.get("offloaded"),
        "payloads": body.get("payloads"),
        "blanked": entry["blanked"],
        "repaired": entry["repaired"],
        **({"long_texts": entry["long_texts"]} if entry.get("long_texts") else {}),
    }
    return {
        "dataset": text(dataset),
        "table_name": text(table),
        "run_id": text(body["run_id"]),
        "planned_at": instant(parse_instant(body["export_timestamp"])),
        **{name: whole(entry[name]) for name in ("source", "filtered", "rejected", "exported")},
        "unsettled": whole(body["unsettled"]),
        "input_tokens": whole(sums["input_tokens"]),
        "output_tokens": whole(sums["output_tokens"]),
        "cost_usd": real(sums["cost_usd"]),
        "bytes": whole(sum(part["bytes"] for part in entry["parts"])),
        "min_timestamp": instant(None if min_max[0] is None else parse_instant(min_max[0])),
        "max_timestamp": instant(None if min_max[1] is None else parse_instant(min_max[1])),
        "config_hash": text(body["config_hash"]),
        "package_version": text(body["package"]["version"]),
        "details": text(json.dumps(details, separators=(",", ":"), sort_keys=True)),
    }
