"""What every object store's commit holds a rerun to: as many log rows, of the same log store (part of its contract)."""

from __future__ import annotations

from typing import Any

import pytest

from bifrost_export.destinations.continuity import Consent
from bifrost_export.destinations.object_store.commit import JSON
from bifrost_export.destinations.object_store.manifest import Manifest
from bifrost_export.errors import LostCommitError, OtherLogStoreError, ShrunkWindowError
from bifrost_export.testing.object_store_runs import DAY, Place, Run, manifest_body, manifest_key, tokens_in
from bifrost_export.window import Window

NEXT_DAY = Window.parse("2026-03-02", "2026-03-03")
TWO_DAYS = Window.parse("2026-03-01", "2026-03-03")
OTHER: dict[str, Any] = {"type": "postgres", "host": "db", "port": 5432, "database": "bifrost", "schema": "public"}


class Sources:
    """Shrinking, and another log store."""

    def test_a_window_that_holds_fewer_log_rows_is_refused_and_nothing_of_the_run_stays(self, place: Place) -> None:
        """By `plan`, and by `publish`, with both counts and the retention; every published object stays as it was."""
        place.run(log_rows=9_750).load(b"one", rejected=b"r").publish()
        before = place.contents()
        run = place.run(log_rows=9_749, consent=Consent(retention_days=30)).load(b"two", rejected=b"s")

        told = r"9,749 log rows.*9,750.*client\.log_retention_days = 30.*--allow-shrink"
        with pytest.raises(ShrunkWindowError, match=told):
            run.check_source()
        with pytest.raises(ShrunkWindowError, match=told):
            run.publish()
        assert place.contents() == before

    def test_allow_shrink_publishes_the_rest(self, place: Place) -> None:
        """An emptied window, too; from then on that is what is published."""
        place.run().load(b"one").publish()
        run = place.run(log_rows=0, consent=Consent(allow_shrink=True)).load()

        run.check_source()
        assert run.publish().revision == 2
        assert set(place.contents()) == {manifest_key(DAY)}
        assert place.run(log_rows=1).load(b"o").publish().revision == 3

    def test_a_window_that_holds_more_log_rows_is_published(self, place: Place) -> None:
        """Rows arrive late."""
        place.run().load(b"one").publish()
        run = place.run(log_rows=1_001).load(b"more")
        run.check_source()
        assert run.publish().revision == 2

    def test_another_log_store_is_refused_whether_or_not_its_rows_are_the_same(self, place: Place) -> None:
        """Both are named."""
        place.run().load(b"one").publish()
        before = place.contents()
        for data in (b"one", b"two"):
            run = place.run(log_store=OTHER).load(data)
            told = "sqlite, path logs.db, not postgres, host db, port 5432.*--replace-source"
            with pytest.raises(OtherLogStoreError, match=told):
                run.check_source()
            with pytest.raises(OtherLogStoreError, match=told):
                run.publish()
            assert place.contents() == before

    @pytest.mark.parametrize("data", [b"one", b"two"])
    def test_replace_source_takes_over(self, place: Place, data: bytes) -> None:
        """The manifest names the new log store, though the rows may be the same."""
        place.run().load(b"one").publish()
        run = place.run(log_store=OTHER, consent=Consent(replace_source=True)).load(data)

        run.check_source()
        outcome = run.publish()

        assert (outcome.revision, outcome.unchanged, outcome.body["source"]) == (2, False, OTHER)
        assert set(tokens_in(place.contents())) == {run.token}
        assert place.run(log_store=OTHER).load(data).publish().unchanged

    def test_replace_source_alone_does_not_allow_fewer_rows(self, place: Place) -> None:
        """Nor the other way round."""
        place.run().load(b"one").publish()
        for consent, error in (
            (Consent(replace_source=True), ShrunkWindowError),
            (Consent(allow_shrink=True), OtherLogStoreError),
        ):
            run = place.run(log_store=OTHER, log_rows=1, consent=consent).load(b"two")
            with pytest.raises(error):
                run.publish()

    def test_a_longer_window_holds_what_those_that_it_replaces_held_together(self, place: Place) -> None:
        """By the sum of their counts, and each by its log store."""
        place.run().load(b"one").publish()
        place.run(NEXT_DAY).load(b"two").publish()
        before = place.contents()
        for changes, error in (({"log_rows": 1_999}, ShrunkWindowError), ({"log_store": OTHER}, OtherLogStoreError)):
            run = place.run(TWO_DAYS, replace_overlapping=True, **{"log_rows": 2_000, **changes}).load(b"both")
            with pytest.raises(error):
                run.check_source()
            with pytest.raises(error):
                run.publish()
            assert place.contents() == before
        assert place.run(TWO_DAYS, replace_overlapping=True, log_rows=2_000).load(b"both").publish().revision == 1

    def test_payloads_that_have_expired_since_are_refused(self, place: Place) -> None:
        """They were published; a first publication without them, and the consent to lose them, are fine."""
        place.run(payloads=(7, 3)).load(b"one").publish()
        before = place.contents()
        run = place.run(payloads=(6, 4)).load(b"two")
        with pytest.raises(ShrunkWindowError, match=r"payloads of 6 log rows.*7 when.*4 gone: input_history"):
            run.publish()
        assert place.contents() == before
        consent = Consent(allow_shrink=True)
        assert place.run(payloads=(6, 4), consent=consent).load(b"two").publish().revision == 2
        assert place.run(payloads=(8, 2)).load(b"three").publish().revision == 3

    def test_windows_that_are_replaced_keep_their_payloads_together(self, place: Place) -> None:
        """By the sum of their counts."""
        place.run(payloads=(7, 0)).load(b"one").publish()
        place.run(NEXT_DAY, payloads=(5, 1)).load(b"two").publish()
        both = {"replace_overlapping": True, "log_rows": 2_000}
        with pytest.raises(ShrunkWindowError, match=r"11 log rows.*12 in the published windows"):
            place.run(TWO_DAYS, payloads=(11, 2), **both).load(b"both").publish()
        assert place.run(TWO_DAYS, payloads=(12, 1), **both).load(b"both").publish().revision == 1

    def test_a_withdrawn_manifest_counts_as_none(self, place: Place) -> None:
        """Nothing is published there."""
        run = place.run().load(b"one")
        run.publish()
        key = run.destination.keys.manifest
        data, version = run.destination.store.get(key) or (b"", "")
        withdrawn = Manifest.model_validate_json(data, strict=False).model_copy(update={"withdrawn": True})
        run.destination.store.put_if(key, withdrawn.to_bytes(), version, JSON)

        assert place.run(log_rows=1, log_store=OTHER).load(b"two").publish().revision == 2

    def test_a_commit_whose_answer_was_lost_is_no_shrinking(self, place: Place) -> None:
        """The manifest in place is the run's own."""
        run = place.run().load(b"one")
        run.publish()
        run.log_rows = 1
        assert run.publish().revision == 1

    def test_a_run_that_another_has_overtaken_loses_whatever_it_holds(self, place: Place) -> None:
        """What plan saw is what counts."""
        slow = place.run(log_rows=1).load(b"slow")
        place.run().load(b"quick").publish()
        with pytest.raises(LostCommitError):
            slow.publish()

    def test_what_another_export_has_published_below_the_same_root_is_found(self, place: Place) -> None:
        """With its log store and where it ended; neither once it is known, nor once this export has published it."""
        for window in (DAY, NEXT_DAY):
            _publish_as(place.run(window).load(b"one"), "old")
        run = place.run()

        (found,) = run.destination.neighbours(DAY, {"nightly"})
        assert (found.export, found.window, found.through) == ("old", DAY, NEXT_DAY.end)
        assert found.log_store == {"type": "sqlite", "path": "logs.db"}
        assert run.destination.neighbours(DAY, {"old"}) == []
        assert run.destination.neighbours(Window.parse("2026-03-03", "2026-03-04"), set()) == []
        run.load(b"one").publish()
        assert run.destination.neighbours(DAY, set()) == []
        assert [each.window for each in run.destination.neighbours(TWO_DAYS, set())] == [NEXT_DAY]

    def test_a_manifest_of_an_older_version_is_compared_by_what_it_has(self, place: Place) -> None:
        """By the datasets' own counts; a log store that it describes less fully is no other."""
        first = place.run().load(b"one")
        _publish_as_before(first, {"type": "sqlite"})
        for rows in (999, 1_000):
            run = place.run(log_rows=rows).load(b"two")
            if rows < 1_000:
                with pytest.raises(ShrunkWindowError):
                    run.publish()
        assert run.publish().revision == 2


def _publish_as_before(run: Run, log_store: dict[str, Any]) -> None:
    body = {**manifest_body(run.window, run.landed), "source": log_store, "revision": 1, "token": run.token}
    manifest = Manifest.model_validate(body, strict=False)
    run.destination.store.put_if(run.destination.keys.manifest, manifest.to_bytes(), run.seen, JSON)


def _publish_as(run: Run, export: str) -> None:
    body = {**run.body(), "export": export, "revision": 1, "token": run.token}
    manifest = Manifest.model_validate(body, strict=False)
    key = run.destination.keys.manifest.replace("/nightly/", f"/{export}/")
    run.destination.store.put_if(key, manifest.to_bytes(), None, JSON)
