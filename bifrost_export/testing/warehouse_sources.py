"""What every warehouse's commit holds a rerun to: as many log rows, of the same log store (part of its contract)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bifrost_export.destinations.continuity import Consent
from bifrost_export.errors import LostCommitError, OtherLogStoreError, ShrunkWindowError
from bifrost_export.testing.warehouse_runs import DAY
from bifrost_export.window import Window

if TYPE_CHECKING:
    from bifrost_export.testing.warehouse_runs import Place

NEXT_DAY = Window.parse("2026-03-02", "2026-03-03")
TWO_DAYS = Window.parse("2026-03-01", "2026-03-03")
OTHER: dict[str, Any] = {"type": "postgres", "host": "db", "port": 5432, "database": "bifrost", "schema": "public"}
FIRST = {"nightly 2026-03-01 00:00:00": ["a"]}


class Sources:
    """Shrinking, and another log store."""

    def test_a_window_that_holds_fewer_log_rows_is_refused(self, place: Place) -> None:
        """By `plan`, and by `publish`, with both counts and the retention; the published rows and books stay."""
        place.run(log_rows=9_750).load(["a"]).publish()
        books = place.books()
        run = place.run(log_rows=9_749, consent=Consent(retention_days=30)).load(["b"])

        told = r"9,749 log rows.*9,750.*client\.log_retention_days = 30.*--allow-shrink"
        with pytest.raises(ShrunkWindowError, match=told):
            run.check_source()
        with pytest.raises(ShrunkWindowError, match=told):
            run.publish()
        assert (place.rows(), place.books()) == (FIRST, books)

    def test_allow_shrink_publishes_the_rest(self, place: Place) -> None:
        """An emptied window, too; from then on that is what is published."""
        place.run().load(["a"]).publish()
        run = place.run(log_rows=0, consent=Consent(allow_shrink=True)).load()

        run.check_source()
        assert run.publish().revision == 2
        assert place.rows() == {}
        assert place.run(log_rows=1).load(["b"]).publish().revision == 3

    def test_another_log_store_is_refused_and_replace_source_takes_over(self, place: Place) -> None:
        """Both are named; the audit row names the new one afterwards."""
        place.run().load(["a"]).publish()
        run = place.run(log_store=OTHER).load(["b"])
        told = "sqlite, path logs.db, not postgres, host db, port 5432.*--replace-source"
        with pytest.raises(OtherLogStoreError, match=told):
            run.check_source()
        with pytest.raises(OtherLogStoreError, match=told):
            run.publish()
        assert place.rows() == FIRST

        place.run(log_store=OTHER, consent=Consent(replace_source=True)).load(["b"]).publish()
        assert place.run(log_store=OTHER).load(["c"]).publish().revision == 3
        with pytest.raises(OtherLogStoreError):
            place.run().load(["a"]).publish()

    def test_a_longer_window_holds_what_those_that_it_replaces_held_together(self, place: Place) -> None:
        """By the sum of their counts."""
        place.run().load(["a"]).publish()
        place.run(NEXT_DAY).load(["n"]).publish()
        before = place.rows()
        run = place.run(TWO_DAYS, replace_overlapping=True, log_rows=1_999).load(["both"])
        with pytest.raises(ShrunkWindowError, match=r"1,999 log rows.*2,000"):
            run.check_source()
        with pytest.raises(ShrunkWindowError):
            run.publish()
        assert place.rows() == before
        place.run(TWO_DAYS, replace_overlapping=True, log_rows=2_000).load(["both"]).publish()
        assert place.rows() == {"nightly 2026-03-01 00:00:00": ["both"]}

    def test_payloads_that_have_expired_since_are_refused(self, place: Place) -> None:
        """They were published; a first publication without them, and the consent to lose them, are fine."""
        place.run(payloads=(7, 3)).load(["a"]).publish()
        before = place.rows()
        run = place.run(payloads=(6, 4)).load(["b"])
        with pytest.raises(ShrunkWindowError, match=r"payloads of 6 log rows.*7 when.*4 gone: input_history"):
            run.publish()
        assert place.rows() == before
        consent = Consent(allow_shrink=True)
        assert place.run(payloads=(6, 4), consent=consent).load(["b"]).publish().revision == 2
        assert place.run(payloads=(8, 2)).load(["c"]).publish().revision == 3

    def test_windows_that_are_replaced_keep_their_payloads_together(self, place: Place) -> None:
        """By the sum of their counts."""
        place.run(payloads=(7, 0)).load(["a"]).publish()
        place.run(NEXT_DAY, payloads=(5, 1)).load(["n"]).publish()
        both = {"replace_overlapping": True, "log_rows": 2_000}
        with pytest.raises(ShrunkWindowError, match=r"11 log rows.*12 in the published windows"):
            place.run(TWO_DAYS, payloads=(11, 2), **both).load(["both"]).publish()
        assert place.run(TWO_DAYS, payloads=(12, 1), **both).load(["both"]).publish().revision == 1

    def test_a_commit_whose_answer_was_lost_is_no_shrinking(self, place: Place) -> None:
        """The audit row in place is the run's own."""
        run = place.run().load(["a"])
        run.publish()
        run.log_rows = 1
        assert run.publish().revision == 1

    def test_a_run_that_another_has_overtaken_loses_whatever_it_holds(self, place: Place) -> None:
        """What plan saw is what counts."""
        slow = place.run(log_rows=1).load(["slow"])
        place.run().load(["a"]).publish()
        with pytest.raises(LostCommitError):
            slow.publish()

    def test_what_another_export_has_loaded_into_the_same_table_is_found(self, place: Place) -> None:
        """With its log store and where it ended; neither once it is known, nor once this export has loaded it too."""
        place.run(export="old").load(["a"]).publish()
        place.run(NEXT_DAY, export="old").load(["n"]).publish()
        run = place.run()

        (found,) = run.destination.neighbours(DAY, {run.export})
        assert (found.export, found.window, found.through) == ("old", DAY, NEXT_DAY.end)
        assert found.log_store == {"type": "sqlite", "path": "logs.db"}
        assert run.destination.neighbours(DAY, {"old"}) == []
        assert run.destination.neighbours(Window.parse("2026-03-03", "2026-03-04"), set()) == []
        run.load(["a"]).publish()
        assert run.destination.neighbours(DAY, set()) == []
        assert [each.window for each in run.destination.neighbours(TWO_DAYS, set())] == [NEXT_DAY]

    def test_an_audit_row_of_an_older_version_is_compared_by_what_it_has(self, place: Place) -> None:
        """By its own count."""
        place.run(is_older=True).load(["a"]).publish()
        with pytest.raises(ShrunkWindowError):
            place.run(log_rows=999).load(["b"]).publish()
        assert place.run().load(["b"]).publish().revision == 2
