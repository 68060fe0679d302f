"""The contract of a destination that is a warehouse, as tests to subclass (protocol, section 5).

    class TestMyWarehouse(WarehouseContract):  # with a fixture `place`

The rows are made up here, so that a suite needs neither log store nor pipeline.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, ClassVar

import pytest

from bifrost_export.destinations.warehouse.tables import LOADS, OWN
from bifrost_export.errors import BifrostExportError, DestinationError, LostCommitError, OverlapError
from bifrost_export.testing.warehouse_nulls import Nulls
from bifrost_export.testing.warehouse_runs import ONE_MORE, Place, Run, columns, widened
from bifrost_export.testing.warehouse_sources import Sources
from bifrost_export.window import Window

if TYPE_CHECKING:
    pass

NEXT_DAY = Window.parse("2026-03-02", "2026-03-03")
HALF = Window.parse("2026-03-01T12:00:00", "2026-03-02T12:00:00")
TWO_DAYS = Window.parse("2026-03-01", "2026-03-03")


class WarehouseContract(Sources, Nulls):
    """What every warehouse must do; subclass it and bring the fixture `place`."""

    many: ClassVar[int] = 2_000
    """Rows of the larger loads."""

    def test_a_first_run_loads_its_rows_and_tells_them_in_the_books(self, place: Place) -> None:
        """Each row carries export and window; nothing stays staged."""
        run = place.run().load(["a", "b"], ["c"])

        outcome = run.publish()
        run.clean_up()

        assert (outcome.revision, outcome.unchanged) == (1, False)
        assert place.rows() == {"nightly 2026-03-01 00:00:00": ["a", "b", "c"]}
        assert place.books() == [("nightly", "2026-03-01 00:00:00", 1, 3)]
        assert [each["rows"] for each in outcome.body["datasets"]["request_logs"]["tables"]] == [3]
        assert place.staged() == []

    def test_an_empty_window_is_published_without_a_row(self, place: Place) -> None:
        """The books say so."""
        place.run().load().publish()

        assert place.books() == [("nightly", "2026-03-01 00:00:00", 1, 0)]
        assert [each.rows for each in place.run().destination.published()] == [0]

    def test_a_rerun_takes_the_place_of_the_first_run(self, place: Place) -> None:
        """Rows and rejected rows of the former revision go; its audit row counts no more."""
        place.run().load(["a", "b"], rejected=2).publish()

        outcome = place.run().load(["b", "c", "d"], rejected=1).publish()

        assert outcome.revision == 2
        assert place.rows() == {"nightly 2026-03-01 00:00:00": ["b", "c", "d"]}
        assert place.books() == [("nightly", "2026-03-01 00:00:00", 2, 3)]
        assert place.query("SELECT COUNT(*) FROM {}.bifrost_export_rejected") == [["1"]]

    def test_two_exports_in_one_table_leave_each_other_alone(self, place: Place) -> None:
        """So do two windows of one export."""
        place.run().load(["a"]).publish()
        place.run(export="hourly").load(["a"]).publish()
        place.run(NEXT_DAY).load(["n"]).publish()

        place.run().load(["b"]).publish()

        assert place.rows() == {
            "hourly 2026-03-01 00:00:00": ["a"],
            "nightly 2026-03-01 00:00:00": ["b"],
            "nightly 2026-03-02 00:00:00": ["n"],
        }

    def test_a_window_that_overlaps_a_published_one_is_refused(self, place: Place) -> None:
        """By `plan`, and by `publish` when the other one came between."""
        late = place.run(HALF).load(["late"])
        place.run().load(["a"]).publish()

        with pytest.raises(OverlapError, match="overlaps the published window"):
            place.run(HALF).destination.guard(replace_overlapping=False)
        with pytest.raises(OverlapError, match="overlaps the published window"):
            late.publish()
        assert place.rows() == {"nightly 2026-03-01 00:00:00": ["a"]}

    def test_replace_overlapping_takes_covered_windows_away_in_the_same_commit(self, place: Place) -> None:
        """Their audit rows count no more."""
        place.run().load(["a"]).publish()
        place.run(NEXT_DAY).load(["n"]).publish()

        place.run(TWO_DAYS, replace_overlapping=True, log_rows=2_000).load(["both"]).publish()

        assert place.rows() == {"nightly 2026-03-01 00:00:00": ["both"]}
        assert place.books() == [("nightly", "2026-03-01 00:00:00", 1, 1)]

    def test_publish_that_runs_again_after_success_ends_well_and_changes_nothing(self, place: Place) -> None:
        """Also when nothing is staged any more."""
        run = place.run().load(["a"])
        run.publish()
        run.clean_up()

        assert run.publish().revision == 1
        assert place.rows() == {"nightly 2026-03-01 00:00:00": ["a"]}

    def test_a_slow_run_that_another_has_overtaken_loses(self, place: Place) -> None:
        """It says who won, and changes nothing."""
        slow = place.run().load(["slow"])
        quick = place.run().load(["quick"])
        quick.publish()

        with pytest.raises(LostCommitError, match=f"token {quick.token}.*Clear from plan"):
            slow.publish()
        assert place.rows() == {"nightly 2026-03-01 00:00:00": ["quick"]}

    def test_a_commit_whose_answer_is_lost_has_happened_once(self, place: Place) -> None:
        """The run finds its own token in the books, at once or when `publish` runs again."""
        run = place.run().load(["a", "b"])
        place.lose_commit()

        try:
            outcome = run.publish()
        except BifrostExportError:
            outcome = run.publish()

        assert outcome.revision == 1
        assert place.rows() == {"nightly 2026-03-01 00:00:00": ["a", "b"]}
        assert place.books() == [("nightly", "2026-03-01 00:00:00", 1, 2)]

    def test_what_a_dead_run_has_staged_goes_with_the_next_commit_of_its_window(self, place: Place) -> None:
        """And never appears in the table."""
        place.run().load(["dead"], ["dead too"])

        run = place.run().load(["a"])
        run.publish()
        run.clean_up()

        assert place.rows() == {"nightly 2026-03-01 00:00:00": ["a"]}
        assert place.staged() == []

    def test_a_double_of_load_takes_the_place_of_the_first(self, place: Place) -> None:
        """Two attempts of one task stage the same name."""
        run = place.run().load(["a"])

        run.load(["a"]).publish()

        assert place.rows() == {"nightly 2026-03-01 00:00:00": ["a"]}

    def test_staged_files_that_are_gone_fail_and_the_old_rows_stand(self, place: Place) -> None:
        """The message says what to clear."""
        place.run().load(["a"]).publish()
        run = place.run().load(["b"])
        run.clean_up()

        with pytest.raises(DestinationError, match="not there any more; nothing was published"):
            run.publish()
        assert place.rows() == {"nightly 2026-03-01 00:00:00": ["a"]}

    def test_a_column_that_is_added_widens_the_table(self, place: Place) -> None:
        """The rows that were there before have null in it."""
        place.run().load(["a"]).publish()

        place.run(NEXT_DAY, columns=widened()).load(["b"]).publish()

        told = place.query(f"SELECT request_id, {ONE_MORE} FROM {{}}.request_logs ORDER BY 1")  # noqa: S608
        assert told == [["a", ""], ["b", "more of b"]]

    def test_columns_carry_what_their_schema_says_of_them(self, place: Place) -> None:
        """Those of every row, too, and one that is added later."""
        place.run().load(["a"]).publish()
        place.run(NEXT_DAY, columns=widened()).load(["b"]).publish()

        told = {each.name: each.description for each in widened()} | {each.name: each.description for each in OWN}
        assert place.comments("request_logs") == told
        assert place.comments("bifrost_export_loads") == {each.name: each.description for each in LOADS.columns}

    def test_a_table_that_a_person_made_in_another_order_works(self, place: Place) -> None:
        """Columns are found by their names; one that we don't know stays null."""
        place.hand_made()

        place.run().load(["a", "b"]).publish()

        told = place.query("SELECT request_id, status_code, theirs FROM {}.request_logs ORDER BY 1")
        assert told == [["a", "200", ""], ["b", "200", ""]]

    def test_a_changed_type_is_refused_before_any_data_moves(self, place: Place) -> None:
        """By `plan`'s look, with both types."""
        first = place.run().load(["a"])
        first.publish()
        first.clean_up()

        run = place.run(NEXT_DAY, columns=columns(status_code="string"))
        with pytest.raises(DestinationError, match=r"(?i)status_code is \w+.* and would have to be .*no row was moved"):
            run.destination.guard(replace_overlapping=False)
        assert place.staged() == []

    def test_four_windows_published_at_once_end_as_one_after_the_other(self, place: Place) -> None:
        """They may wait for each other, or be cancelled and tried again."""
        days = [Window.parse(f"2026-03-{day:02d}", f"2026-03-{day + 1:02d}") for day in range(1, 5)]
        place.run(Window.parse("2026-02-28", "2026-03-01")).load(["z"]).publish()
        runs = [place.run(day).load([f"row {number}"]) for number, day in enumerate(days)]
        failed: list[BaseException] = []

        def publish(run: Run) -> None:
            try:
                run.publish()
            except BaseException as error:  # noqa: BLE001 (told by the test)
                failed.append(error)

        threads = [threading.Thread(target=publish, args=(run,)) for run in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert failed == []
        assert [rows for _, rows in sorted(place.rows().items())] == [["z"], *([f"row {n}"] for n in range(4))]
        assert len(place.books()) == 5

    def test_verify_agrees_until_a_person_changes_a_row(self, place: Place) -> None:
        """Rows, sums and times are compared with the audit row."""
        run = place.run().load(["a", "b"])
        address = run.publish().manifest

        assert run.destination.compare(address) == ([], 2)
        place.query("DELETE FROM {}.request_logs WHERE request_id = 'a'")
        problems, rows = run.destination.compare(address)

        assert rows == 1
        assert any("rows 1 against 2" in problem for problem in problems)

    def test_many_rows_arrive_all_and_once(self, place: Place) -> None:
        """Over several files."""
        ids = [f"{number:07d}" for number in range(self.many)]
        half = self.many // 2

        place.run().load(ids[:half], ids[half:]).publish()

        assert place.query("SELECT COUNT(*), COUNT(DISTINCT request_id) FROM {}.request_logs") == [
            [str(self.many), str(self.many)]
        ]

    def test_every_step_of_a_check_passes_and_leaves_nothing(self, place: Place) -> None:
        """Reach, sign in, schema, tables, write, read, delete, stage."""
        probes = list(place.run().destination.check())

        assert [(probe.what, probe.message) for probe in probes if not probe.ok] == []
        assert place.staged() == []
