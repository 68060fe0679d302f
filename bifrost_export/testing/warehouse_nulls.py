"""What every warehouse does about a column that takes no null, and may get one (part of its contract)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import pytest

from bifrost_export.destinations.warehouse.statements import Statement
from bifrost_export.errors import DestinationError
from bifrost_export.testing.warehouse_runs import ONE_MORE, WITHOUT_MORE, Column, Run, columns, widened
from bifrost_export.window import Window

if TYPE_CHECKING:
    from bifrost_export.testing.warehouse_runs import Place

NEXT_DAY = Window.parse("2026-03-02", "2026-03-03")


def strict() -> tuple[Column, ...]:
    """The columns as an earlier version had them: the last one takes no null."""
    return (*columns(), replace(widened()[-1], required=True))


class Nulls:
    """Columns of tables that an earlier version made, or somebody else."""

    relaxes: ClassVar[bool] = True
    """Whether the warehouse lets a column take null from now on."""

    def test_a_column_of_an_earlier_version_takes_null_from_now_on(self, place: Place) -> None:
        """`check` and `plan` say so; where the warehouse can't change it, they refuse with the statements to run."""
        place.run(columns=strict()).load(["a"]).publish()
        run = place.run(NEXT_DAY, columns=widened())
        if self.relaxes:
            assert _tables_step(run) == (True, f"will let {ONE_MORE} take null")
            run.destination.guard(replace_overlapping=False)
        else:
            assert _tables_step(run)[0] is False
            with pytest.raises(DestinationError, match=f"column {ONE_MORE} takes no null, and some rows") as refused:
                run.destination.guard(replace_overlapping=False)
            _run_statements(run, str(refused.value.hint))
            run.destination.guard(replace_overlapping=False)

        run.load(["b", WITHOUT_MORE]).publish()

        told = place.query(f"SELECT request_id, {ONE_MORE} FROM {{}}.request_logs ORDER BY 1")  # noqa: S608
        assert told == [["a", "more of a"], ["b", "more of b"], [WITHOUT_MORE, ""]]
        assert _tables_step(place.run(NEXT_DAY, columns=widened())) == (True, "is there")

    def test_a_column_that_is_exported_no_more_and_takes_no_null_is_refused(self, place: Place) -> None:
        """It is left alone, as it may be somebody else's; the statements to run are given."""
        place.run(columns=strict()).load(["a"]).publish()
        run = place.run(NEXT_DAY)
        with pytest.raises(
            DestinationError, match=f"(?i)column {ONE_MORE} takes no null, and no row has it"
        ) as refused:
            run.destination.guard(replace_overlapping=False)
        _run_statements(run, str(refused.value.hint))
        run.load(["b"]).publish()
        told = place.query(f"SELECT request_id, {ONE_MORE} FROM {{}}.request_logs ORDER BY 1")  # noqa: S608
        assert told == [["a", "more of a"], ["b", ""]]


def _tables_step(run: Run) -> tuple[bool, str]:
    """Whether `check` passes the tables, and what it says of that of the rows."""
    [probe] = [each for each in run.destination.check() if each.what == "tables"]
    told = probe.message.partition("; ")[0].lower()
    return probe.ok, told.partition("request_logs ")[2]


def _run_statements(run: Run, hint: str) -> None:
    """Do what the hint says."""
    engine = run.destination.open_engine()
    for sql in hint.partition("Run: ")[2].split("; "):
        assert sql.startswith(("ALTER TABLE ", "UPDATE "))
        engine.execute(Statement(sql.rstrip(".")))
    engine.close()
