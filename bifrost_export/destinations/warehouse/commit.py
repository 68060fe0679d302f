"""The commit of an export into a warehouse, step by step (protocol, section 5)."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bifrost_export.destinations import continuity
from bifrost_export.destinations.overlap import refuse_overlap
from bifrost_export.destinations.warehouse.audit import Audit, facts_of
from bifrost_export.destinations.warehouse.engine import ConflictError, StagedFile, StagedGoneError
from bifrost_export.destinations.warehouse.identifiers import is_identifier
from bifrost_export.destinations.warehouse.row_statements import delete, insert, is_whole, ordering
from bifrost_export.destinations.warehouse.statements import Check, CheckFailedError, Do, text, whole
from bifrost_export.destinations.warehouse.table_evolution import fit, is_of_exports
from bifrost_export.destinations.warehouse.tables import LOADS, REJECTED
from bifrost_export.errors import DestinationError, DestinationUnavailableError, LostCommitError
from bifrost_export.window import UTC, rfc3339

if TYPE_CHECKING:
    from bifrost_export.destinations.port import Draft, Target
    from bifrost_export.destinations.warehouse.engine import Engine
    from bifrost_export.destinations.warehouse.loads import Found, Load
    from bifrost_export.destinations.warehouse.tables import Table, Tables

TRIES = 12
"""How often a transaction is tried that others stand in the way of."""
PAUSE = 0.5
"""Seconds before the second try, about; each further pause is twice as long, up to a minute."""


@dataclass
class Commit:
    """One attempt to publish one run.

    Args:
        engine: The warehouse.
        target: The run.
        tables: The tables that it writes.
        draft: What it wants to publish.
    """

    engine: Engine
    target: Target
    tables: Tables
    draft: Draft

    def __post_init__(self) -> None:
        """Look at the audit rows of this export."""
        self.audit = Audit(self.engine, self.target)
        self.warnings: set[str] = set()

    def run(self) -> list[Load]:
        """Take the steps; gives the audit rows in place.

        Raises:
            LostCommitError: Another run has published this window since `plan`.
            OverlapError: Another window that overlaps has been published.
            DestinationError: What was staged is gone or differs, or the tables don't fit.
            DestinationUnavailableError: It is likely to work later.
        """
        found = self.audit.find()
        if own := found.own(self.target.token):
            return own
        self._decide(found)
        # What others have staged by now was planned before this run's commit, and so can't be published any more.
        leftovers = self.engine.staged()
        self._prepare()
        sources = self._unpack()
        own = self._commit(sources)
        self.engine.remove(leftovers)
        return own

    def _prepare(self) -> None:
        """Before step 2: tables and columns that are missing, and the row that runs of one export wait for."""
        for table in self.tables:
            with self.engine.waiting(table.name):
                fit(self.engine, table)
        with self.engine.waiting(LOADS.name):
            self.engine.execute(self.audit.make_lock())

    def _unpack(self) -> dict[str | None, list[str]]:
        """Step 2: what was staged, by dataset, as a transaction reads it."""
        sources: dict[str | None, list[str]] = {}
        rejected = self.draft.body["rejected"]
        parts = {name: entry["parts"] for name, entry in self.draft.body["datasets"].items()}
        for dataset, files in {**parts, None: [rejected] if rejected else []}.items():
            staged = [StagedFile(file["key"], file["rows"], file["bytes"]) for file in files]
            try:
                sources[dataset] = self.engine.unpack(self.tables.of(dataset), staged) if staged else []
            except StagedGoneError as error:
                raise DestinationError(
                    f"{error.key}, which load has staged, is not there any more; nothing was published",
                    hint="Clear load and what follows it; look for who else deletes there.",
                ) from None
        return sources

    def _commit(self, sources: dict[str | None, list[str]]) -> list[Load]:
        """Steps 3 and 4, tried again while others stand in the way."""
        last: ConflictError | None = None
        for attempt in range(TRIES):
            if attempt:
                time.sleep(random.uniform(0.5, 1.0) * min(60.0, PAUSE * 2**attempt))  # noqa: S311 (a pause)
            try:
                found = self.audit.find()
                if own := found.own(self.target.token):
                    return own
                self._decide(found)
                self.engine.transact(self._steps(found, sources), attempt)
            except CheckFailedError as error:
                last = self._failed(error)
            except ConflictError as error:
                last = error
            except DestinationUnavailableError:
                # The answer to COMMIT may have been lost: the audit rows know.
                if own := self.audit.find().own(self.target.token):
                    return own
                raise
            else:
                return self.audit.find().own(self.target.token)
        raise DestinationUnavailableError(
            f"nothing was published, after {TRIES} tries; the last one: {last.message if last else ''}",
            hint=last.hint if last else None,
        )

    def _failed(self, error: CheckFailedError) -> ConflictError:
        if error.code == "found":  # somebody published meanwhile: look again
            return ConflictError(
                "another run of this export published meanwhile",
                hint="The task tries again; let fewer runs publish at once.",
            )
        raise DestinationError(
            f"inside the transaction the rows of {error.code} were not those that were staged: it was rolled back",
            hint="Look for who else writes rows of this export and window there; clear from plan.",
        ) from None

    def _decide(self, found: Found) -> None:
        """Refuse what the audit rows leave no room for.

        Raises:
            LostCommitError: Another run has published this window since `plan`.
            OverlapError: A published window overlaps and may not be replaced.
            OtherLogStoreError: A published window came from another log store.
            ShrunkWindowError: The published windows counted more log rows.
        """
        window = self.target.window
        if (str(found.revision) if found.revision else None) != self.draft.seen:
            winner = max((load for load in found.loads if load.window == window), key=lambda load: load.revision)
            raise LostCommitError(
                f"window {window} of {self.target.export!r} changed since this run's plan: run {winner.run_id!r}"
                f" (token {winner.token}, revision {winner.revision}) has published it",
                hint="Clear from plan to read the window anew.",
            )
        for other in found.overlapping:
            refuse_overlap(window, other, self.target.export, replace_overlapping=self.draft.replace_overlapping)
        source = continuity.source_of(self.draft.body)
        continuity.check(window, self.target.export, found.formers, source, self.draft.consent)

    def _steps(self, found: Found, sources: dict[str | None, list[str]]) -> Sequence[Do | Check]:
        now = dt.datetime.now(UTC)
        lock = self.engine.dialect.lock(LOADS, self.audit.take_lock())
        steps: list[Do | Check] = [Do(lock, locks=LOADS.name), Check(self.audit.is_as(found), "found")]
        moved = self._moved(found)
        steps += self._hold(found, sources, moved)
        for dataset in self.target.datasets:
            steps += self._replace(self.tables.of(dataset), self._former(found, dataset), sources[dataset], now)
            parts = self.draft.body["datasets"][dataset]["parts"]
            sums = self.draft.body["datasets"][dataset]["sums"]["exported"]
            steps.append(Check(is_whole(self.engine, self.target, self.tables.of(dataset), parts, sums), dataset))
        steps += [
            Do(delete(self.engine, self.target, load.table, by, load.window, load.min_timestamp, load.max_timestamp))
            for load, by in moved
        ]
        formers = {load.window for load in found.live}
        if self._rejects(found, sources):
            rejected = [(window, None, None) for window in sorted(formers)]
            steps += self._replace(REJECTED, rejected, sources[None], now)
        if formers:
            steps.append(Do(self.audit.supersede(now)))
        return [*steps, *(Do(self.audit.insert(self._facts(dataset, found), now)) for dataset in self.target.datasets)]

    def _rejects(self, found: Found, sources: dict[str | None, list[str]]) -> bool:
        """Whether rejected rows go or come."""
        return bool(found.live or sources[None])

    def _hold(
        self, found: Found, sources: dict[str | None, list[str]], moved: list[tuple[Load, str]]
    ) -> list[Do | Check]:
        """Wait for everybody else who changes one of the tables, but no longer than a run waits."""
        names = {self.tables.of(dataset).name for dataset in self.target.datasets}
        names |= {load.table for load, _ in moved}
        names |= {REJECTED.name} if self._rejects(found, sources) else set()
        held = [(name, self.engine.dialect.hold(name)) for name in sorted(names)]
        return [Do(statement, locks=name) for name, statement in held if statement is not None]

    def _replace(self, table: Table, formers: list[Any], sources: list[str], now: dt.datetime) -> list[Do | Check]:
        deleted = [Do(delete(self.engine, self.target, table.name, table.ordered_by, *former)) for former in formers]
        return [*deleted, *(Do(insert(self.engine, self.target, table, source, now)) for source in sources)]

    def _former(self, found: Found, dataset: str) -> list[Any]:
        """The windows whose rows this run takes the place of in a dataset's table, with the bounds of their rows."""
        name = self.tables.of(dataset).name
        bounds = {load.window: (load.min_timestamp, load.max_timestamp) for load in found.live if load.table == name}
        # Rows that no audit row tells of would be doubled: the window itself is always cleared.
        windows = sorted({self.target.window, *bounds})
        return [(window, *bounds.get(window, (None, None))) for window in windows]

    def _moved(self, found: Found) -> list[tuple[Load, str]]:
        """The former rows in tables that the export has left since, each with the column that bounds them."""
        current = {table.name for table in self.tables}
        left = {(load.table, load.window): load for load in found.live if load.table not in current and load.exported}
        moved = []
        for (name, window), load in sorted(left.items(), key=lambda each: each[0]):
            there = self.engine.look(name) if is_identifier(name) else None
            if there is not None and is_of_exports(self.engine, there):
                moved.append((load, ordering(self.engine, there.columns, load)))
            elif there is not None or not is_identifier(name):
                self.warnings.add(
                    f"the audit row of the window {window} names {name!r}, which is not a table of exports: nothing was"
                    " deleted there. Check who writes to bifrost_export_loads"
                )
        return moved

    def _facts(self, dataset: str, found: Found) -> dict[str, Any]:
        parts = self.draft.body["datasets"][dataset]["parts"]
        earliest = min((part["min_timestamp"] for part in parts if part["min_timestamp"]), default=None)
        latest = max((part["max_timestamp"] for part in parts if part["max_timestamp"]), default=None)
        return {
            **facts_of(self.draft.body, dataset, self.tables.of(dataset).name, (earliest, latest)),
            "revision": whole(found.revision + 1),
            "token": text(self.target.token),
            "job_id": text(self.engine.job_id()),
        }


def describe(loads: Sequence[Load], body: dict[str, Any], address: Any) -> dict[str, Any]:
    """The manifest's fields with the tables that the rows are in.

    Args:
        loads: The audit rows in place.
        body: The fields as the pipeline gives them.
        address: Names a table for people.
    """
    tables = {
        load.dataset: [{"table": address(load.table), "rows": load.exported, "bytes": load.bytes}] for load in loads
    }
    return {
        **body,
        "revision": loads[0].revision,
        "token": loads[0].token,
        "planned_at": rfc3339(loads[0].planned_at),
        "datasets": {name: {**entry, "tables": tables.get(name, [])} for name, entry in body["datasets"].items()},
    }
