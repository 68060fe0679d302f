"""Probe a warehouse without an export: reach, sign in, the tables, what is written, read and deleted, the bulk path."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from bifrost_export.destinations.checks import Probe, Steps
from bifrost_export.destinations.warehouse.statements import Statement, instant, text
from bifrost_export.destinations.warehouse.table_evolution import Gaps, gaps_of
from bifrost_export.destinations.warehouse.tables import OWN, Table
from bifrost_export.errors import (
    BifrostExportError,
    CredentialsRefusedError,
    DestinationError,
    DestinationUnavailableError,
)
from bifrost_export.window import UTC

if TYPE_CHECKING:
    from bifrost_export.destinations.port import Target
    from bifrost_export.destinations.warehouse.engine import Engine
    from bifrost_export.destinations.warehouse.tables import Tables


class Probing:
    """The probes of one warehouse.

    Args:
        engine: The warehouse.
        target: A run; its token makes the probe's name unique.
        tables: The tables that a run writes.
    """

    def __init__(self, engine: Engine, target: Target, tables: Tables) -> None:
        self.engine = engine
        self.target = target
        self.tables = tables
        self.probe = Table(
            f"bifrost_export_check_{target.token}",
            (OWN[0], OWN[3]),
            0,
            "A probe of Bifrost Export: it may be dropped.",
            OWN[3].name,
        )

    def run(self) -> Iterator[Probe]:
        """Take the steps, one after the other; what they wrote is taken away, come what may."""
        steps = Steps()
        for probe in self._introduce():
            yield steps.note(probe)
        yield steps.take("schema", self.engine.find, ["sign in"])
        yield steps.take("tables", self._look, ["schema"])
        try:
            yield steps.take("make a table", self._make, ["schema"])
            yield steps.take("write", self._write, ["make a table"])
            yield steps.take("read", self._read, ["write"])
            yield steps.take("delete", self._delete, ["write"])
            yield steps.take("drop", self._drop, ["make a table"])
        finally:
            if "make a table" in steps.passed and "drop" not in steps.passed:
                with suppress(BifrostExportError):
                    self._drop()
        yield steps.take("stage a file", self.engine.probe_staging, ["schema"])

    def _introduce(self) -> Iterator[Probe]:
        """Reach and sign in: one request tells of both."""
        try:
            self.engine.query(Statement("SELECT 1"))
        except DestinationUnavailableError as error:
            yield Probe.failed("reach", error)
            yield Probe.skipped("sign in", "reach")
        except CredentialsRefusedError as error:
            yield Probe("reach", True, "the warehouse answers")
            yield Probe.failed("sign in", error)
        except BifrostExportError as error:
            yield Probe.skipped("reach", "to be let in")
            yield Probe.failed("sign in", error)
        else:
            yield Probe("reach", True, "the warehouse answers")
            yield Probe("sign in", True, "it knows us")

    def _look(self) -> Probe:
        address = self.engine.dialect.address
        told = [f"{address(table.name)} {_outlook(gaps_of(self.engine, table))}" for table in self.tables]
        # A step that passes tells in its hint what a person should know.
        warnings = self.engine.warnings(self.tables)
        return Probe("tables", True, "; ".join(told), ". ".join(warnings) + "." if warnings else None)

    @property
    def _name(self) -> str:
        return self.engine.dialect.table(self.probe.name)

    def _make(self) -> str:
        self.engine.create(self.probe)
        return f"{self.engine.dialect.address(self.probe.name)} was made"

    def _write(self) -> str:
        quote = self.engine.dialect.quote
        columns = f"{quote(OWN[0].name)}, {quote(OWN[3].name)}"
        values = {"export_name": text(self.target.export), "now": instant(dt.datetime.now(UTC))}
        self.engine.execute(Statement(f"INSERT INTO {self._name} ({columns}) VALUES (:export_name, :now)", values))
        return "a row was written"

    def _read(self) -> str:
        found = self.engine.query(Statement(f"SELECT {self.engine.dialect.quote(OWN[0].name)} FROM {self._name}"))
        if [tuple(row) for row in found] != [(self.target.export,)]:
            raise DestinationError("the row does not read as it was written", hint="Look what stands between here.")
        return "it reads as it was written"

    def _delete(self) -> str:
        condition = f"{self.engine.dialect.quote(OWN[0].name)} = :export_name"
        self.engine.execute(
            Statement(f"DELETE FROM {self._name} WHERE {condition}", {"export_name": text(self.target.export)})
        )
        if self.engine.query(Statement(f"SELECT COUNT(*) FROM {self._name}"))[0][0]:
            raise DestinationError("a row that was deleted is still there", hint="Look at the table's policies.")
        return "it was deleted"

    def _drop(self) -> str:
        self.engine.execute(Statement(f"DROP TABLE {self._name}"))
        return f"{self.engine.dialect.address(self.probe.name)} was dropped"


def _outlook(gaps: Gaps | None) -> str:
    """What becomes of a table."""
    if gaps is None:
        return "will be made"
    changes = []
    if gaps.missing:
        changes.append(f"get {', '.join(column.name for column in gaps.missing)}")
    if gaps.strict:
        changes.append(f"let {', '.join(column.name for column in gaps.strict)} take null")
    return f"will {' and '.join(changes)}" if changes else "is there"
