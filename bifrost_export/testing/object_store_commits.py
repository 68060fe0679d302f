"""What every object store's commit is held to, step by step (part of the contract for object stores)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bifrost_export.destinations.object_store.commit import JSON
from bifrost_export.destinations.object_store.manifest import Manifest
from bifrost_export.destinations.object_store.port import DeletionRefusedError, PutOptions, VersionChangedError
from bifrost_export.errors import DestinationError, DestinationUnavailableError, LostCommitError, OverlapError
from bifrost_export.testing.object_store_runs import DAY, Place, manifest_body, manifest_key, tokens_in
from bifrost_export.window import Window

HALF = Window.parse("2026-03-01T12:00:00", "2026-03-02T12:00:00")
TWO_DAYS = Window.parse("2026-03-01", "2026-03-03")


class Commits:
    """Publishing, publishing again, losing, and what others left behind."""

    def test_a_first_run_publishes_its_parts_and_then_the_manifest(self, place: Place) -> None:
        """The manifest names each part with rows, bytes and sha256, and stands where the root says."""
        run = place.run().load(b"one", b"two")

        outcome = run.publish()

        assert (outcome.revision, outcome.unchanged) == (1, False)
        assert set(place.contents()) == {*run.keys(), manifest_key(DAY)}
        manifest = json.loads(place.contents()[manifest_key(DAY)])
        assert [part["key"] for part in manifest["datasets"]["request_logs"]["parts"]] == run.keys()
        assert run.keys()[0] == (
            f"daily/2026/03/01/request_logs/nightly__request_logs__{DAY.name}__{run.token}__part-00001-of-00002.parquet"
        )

    def test_a_rerun_of_the_same_rows_is_unchanged_and_leaves_every_object_as_it_was(self, place: Place) -> None:
        """Not a byte and not a name differs from the first run."""
        place.run().load(b"one", b"two", rejected=b"r").publish()
        before = place.contents()

        outcome = place.run().load(b"one", b"two", rejected=b"r").publish()

        assert (outcome.revision, outcome.unchanged) == (1, True)
        assert place.contents() == before

    def test_other_rows_replace_the_former_ones_under_the_next_revision(self, place: Place) -> None:
        """The former parts go, and nothing of them is left."""
        place.run().load(b"one", b"two", b"three", rejected=b"r").publish()

        run = place.run().load(b"one and two")
        outcome = run.publish()

        assert (outcome.revision, outcome.unchanged) == (2, False)
        assert set(place.contents()) == {*run.keys(), manifest_key(DAY)}

    def test_publish_that_runs_again_after_success_ends_well_without_writing(self, place: Place) -> None:
        """A cleared or doubled `publish` finds its own token in the manifest."""
        run = place.run().load(b"one")
        run.publish()
        before = place.contents()

        assert run.publish().revision == 1
        assert place.contents() == before

    def test_of_two_runs_at_once_the_first_to_put_wins_and_the_other_deletes_only_its_own(self, place: Place) -> None:
        """The loser says who won."""
        first, second = place.run().load(b"one"), place.run().load(b"uno")
        first.publish()
        before = place.contents()

        with pytest.raises(LostCommitError, match=f"token {first.token}.*Clear from plan"):
            second.publish()

        # The winner's sweep may come before or after the loser's parts; here it came before them.
        assert {key: data for key, data in place.contents().items() if key in before} == before
        assert set(tokens_in(place.contents())) == {first.token}

    def test_a_slow_run_whose_window_another_run_has_published_meanwhile_loses(self, place: Place) -> None:
        """The condition is the version that `plan` saw, not the one that `publish` finds."""
        place.run().load(b"zero").publish()
        slow = place.run().load(b"slow")
        quick = place.run().load(b"quick")
        quick.publish()

        with pytest.raises(LostCommitError, match="revision 2"):
            slow.publish()
        assert set(tokens_in(place.contents())) == {quick.token}

    def test_two_runs_of_the_same_rows_both_end_well(self, place: Place) -> None:
        """The second to publish finds the same published and leaves it."""
        first, second = place.run().load(b"one"), place.run().load(b"one")
        first.publish()

        # The first one's sweep took the second one's parts for leftovers.
        outcome = second.publish()

        assert outcome.unchanged
        assert set(tokens_in(place.contents())) == {first.token}

    def test_the_next_run_takes_away_what_a_crashed_one_left(self, place: Place) -> None:
        """Parts and rejected files of tokens that no manifest names go, also behind an unchanged run."""
        first = place.run().load(b"one")
        first.publish()
        place.run().load(b"other", b"more", rejected=b"r")  # and dies

        outcome = place.run().load(b"one").publish()

        assert outcome.unchanged
        assert set(tokens_in(place.contents())) == {first.token}

    def test_a_crashed_run_that_wakes_up_after_it_was_swept_loses(self, place: Place) -> None:
        """The unchanged run that swept its parts has put the manifest again."""
        place.run().load(b"one").publish()
        asleep = place.run().load(b"other")
        place.run().load(b"one").publish()

        with pytest.raises(LostCommitError, match="changed since this run's plan"):
            asleep.publish()
        manifest = json.loads(place.contents()[manifest_key(DAY)])
        assert all(part["key"] in place.contents() for part in manifest["datasets"]["request_logs"]["parts"])

    def test_a_part_that_a_person_deleted_is_published_anew(self, place: Place) -> None:
        """What the manifest promises but the store lacks is not "unchanged"."""
        first = place.run().load(b"one", b"two")
        first.publish()
        first.destination.store.delete(first.keys()[1])

        second = place.run().load(b"one", b"two")
        outcome = second.publish()

        assert (outcome.revision, outcome.unchanged) == (2, False)
        assert set(tokens_in(place.contents())) == {second.token}

    def test_a_part_that_vanished_before_publish_fails_and_the_old_state_stands(self, place: Place) -> None:
        """`publish` reads back what landed before it commits."""
        place.run().load(b"one").publish()
        before = place.contents()
        run = place.run().load(b"two")
        run.destination.store.delete(run.keys()[0])

        with pytest.raises(DestinationError, match="not what was loaded: it is not there; nothing was published"):
            run.publish()
        assert place.contents() == before

    def test_a_double_of_load_finds_its_own_bytes_and_is_content(self, place: Place) -> None:
        """Two attempts of one task write the same name."""
        run = place.run().load(b"one")

        assert run.load(b"one").publish().revision == 1

    def test_a_name_that_other_bytes_have_taken_fails_for_good(self, place: Place) -> None:
        """No published part is ever overwritten."""
        run = place.run().load(b"one")

        with pytest.raises(DestinationError, match="taken by other bytes"):
            run.load(b"two")

    def test_a_window_that_overlaps_a_published_one_is_refused_and_named(self, place: Place) -> None:
        """Nothing changes."""
        place.run().load(b"one").publish()
        before = place.contents()
        run = place.run(HALF)

        with pytest.raises(OverlapError, match="overlaps the published window"):
            run.destination.guard(replace_overlapping=False)
        with pytest.raises(OverlapError, match="does not cover"):
            run.destination.guard(replace_overlapping=True)
        assert place.contents() == before

    def test_replace_overlapping_takes_covered_windows_away_in_the_same_commit(self, place: Place) -> None:
        """Their manifests go with their parts."""
        place.run().load(b"one").publish()

        run = place.run(TWO_DAYS, replace_overlapping=True).load(b"both")
        run.publish()

        assert set(place.contents()) == {*run.keys(), manifest_key(TWO_DAYS)}

    def test_a_window_that_is_replaced_counts_as_gone_before_it_is_deleted(self, place: Place) -> None:
        """A crash after the manifest's put leaves no window published twice."""
        first = place.run().load(b"one")
        first.publish()
        before = place.contents()
        run = place.run(TWO_DAYS, replace_overlapping=True).load(b"both")
        run.publish()
        for key, data in before.items():  # as if the crash had come before the deletions
            run.destination.store.put(key, data, PutOptions("text/plain"))

        again = place.run(TWO_DAYS).load(b"both")
        again.destination.guard(replace_overlapping=False)

        assert again.publish().unchanged
        assert set(place.contents()) == {*run.keys(), manifest_key(TWO_DAYS)}

    def test_a_window_published_between_guard_and_commit_makes_the_later_one_step_back(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The former manifest stands again, and the run's own parts go."""
        place.run(HALF).load(b"former").publish()
        before = place.contents()
        run = place.run(HALF).load(b"next")
        rivals = [place.run(DAY).load(b"rival")]
        put_if = run.destination.store.put_if

        def put_after_rival(*arguments: Any) -> str:
            version = put_if(*arguments)
            if not rivals:
                return version
            _publish_unguarded(rivals.pop())
            return version

        with monkeypatch.context() as patch:
            patch.setattr(run.destination.store, "put_if", put_after_rival)
            with pytest.raises(OverlapError, match="stepped back"):
                run.publish()

        contents = place.contents()
        assert {key: contents[key] for key in before if "_manifests" not in key} == {
            key: data for key, data in before.items() if "_manifests" not in key
        }
        assert json.loads(contents[manifest_key(HALF)])["revision"] == 1
        assert run.token not in set(tokens_in(contents))

    def test_a_put_whose_answer_is_lost_is_read_again_and_won(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The manifest bears the run's own token."""
        run = place.run().load(b"one")
        put_if = run.destination.store.put_if

        def put_and_lose_the_answer(*arguments: Any) -> str:
            put_if(*arguments)
            raise VersionChangedError(arguments[0])

        monkeypatch.setattr(run.destination.store, "put_if", put_and_lose_the_answer)

        assert run.publish().revision == 1
        assert set(tokens_in(place.contents())) == {run.token}

    def test_a_put_that_never_arrived_is_worth_another_try(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing has changed, so nothing is deleted and the task tries again."""
        run = place.run().load(b"one")

        def no_answer(*arguments: Any) -> str:
            raise VersionChangedError(arguments[0])

        with monkeypatch.context() as patch:
            patch.setattr(run.destination.store, "put_if", no_answer)
            with pytest.raises(DestinationUnavailableError, match="no answer"):
                run.publish()
        assert run.publish().revision == 1

    def test_a_key_that_the_store_will_not_delete_is_told_and_tried_again_by_the_next_run(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It stays under `replaces`."""
        first = place.run().load(b"one")
        first.publish()
        second = place.run().load(b"two")

        def refuse(key: str) -> None:
            raise DeletionRefusedError("retention")

        with monkeypatch.context() as patch:
            patch.setattr(second.destination.store, "delete", refuse)
            outcome = second.publish()
        assert [first.keys()[0] in warning and "retention" in warning for warning in outcome.warnings] == [True]
        assert first.keys()[0] in place.contents()

        place.run().load(b"two").publish()
        assert set(tokens_in(place.contents())) == {second.token}


def _publish_unguarded(rival: Any) -> None:
    body = {**manifest_body(rival.window, rival.landed), "revision": 1, "token": rival.token}
    manifest = Manifest.model_validate(body, strict=False)
    rival.destination.store.put_if(rival.destination.keys.manifest, manifest.to_bytes(), rival.seen, JSON)
