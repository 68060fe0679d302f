"""What every object store's runs are held to when they die or break (part of the contract for object stores)."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import pytest

from bifrost_export.destinations.object_store.port import PutOptions
from bifrost_export.errors import BifrostExportError, LostCommitError, PassingError
from bifrost_export.testing.faulty_store import Faults, Faulty
from bifrost_export.testing.object_store_runs import DAY, Place, Run, SmallBlocks, manifest_key, tokens_in
from bifrost_export.testing.object_store_strangers import plant, tamper

_OPTIONS = PutOptions("application/octet-stream")
OLD = (b"old one", b"old two")


class Crashes(SmallBlocks):
    """A run that dies or breaks at any call leaves the old window whole, or the new one, and the next run cleans up."""

    every: ClassVar[int] = 1
    """Break at each n-th call only, to save time; with the variable BIFROST_TEST_LONG=1 at each."""

    @property
    def new(self) -> tuple[bytes, ...]:
        """The parts of the run that breaks: one in one request, one in two blocks."""
        return b"new one", bytes(self.block + 1)

    def calls(self, place: Place) -> int:
        """How many calls a run makes that replaces another one."""
        _published(place, *OLD)
        tamper(place)
        faults = Faults()
        run = _broken(place.run(), faults)
        run.load(*self.new, rejected=b"r").publish()
        _check_clean(place, run)
        return faults.calls

    @classmethod
    def moments(cls, calls: int) -> range:
        """The calls to break at, out of so many."""
        return range(1, calls + 1, 1 if os.environ.get("BIFROST_TEST_LONG") else cls.every)

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    def test_a_run_that_dies_at_any_call_leaves_the_old_window_or_the_new_one(self, place: Place, after: bool) -> None:
        """Whole; and the next run leaves nothing but its own."""
        plant(place)
        for moment in self.moments(self.calls(place)):
            _published(place, *OLD)
            tamper(place)
            old = place.manifest()
            faults = Faults(moment, dies=True, after=after)
            run = _broken(place.run(), faults)
            with faults.may_die():
                run.load(*self.new, rejected=b"r").publish()

            new = place.manifest()
            assert old is not None
            assert new is not None
            assert new == old or new["token"] == run.token, f"at call {moment}"
            place.check_whole()
            _check_clean(place, _published(place, *OLD))

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    def test_a_call_without_an_answer_is_mended_by_another_try(self, place: Place, after: bool) -> None:
        """`load` and `publish` are tried again as Airflow does it, under the same token."""
        plant(place)
        for moment in self.moments(self.calls(place)):
            _published(place, *OLD)
            tamper(place)
            faults = Faults(moment, after=after)
            run = _broken(place.run(), faults)
            for _ in range(3):
                try:
                    run.load(*self.new, rejected=b"r").publish()
                    break
                except PassingError:
                    place.check_whole()
            faults.close_files()
            _check_clean(place, run)

    def test_of_runs_at_the_same_time_one_wins_and_the_others_say_so(self, place: Place) -> None:
        """What is published is whole and of one run; the next run leaves nothing of the others."""
        runs = [place.run() for _ in range(4)]

        def finish(run: Run) -> BifrostExportError | None:
            try:
                run.load(run.token.encode()).publish()
            except BifrostExportError as error:
                return error
            return None

        with ThreadPoolExecutor(len(runs)) as pool:
            errors = list(pool.map(finish, runs))

        winners = [run for run, error in zip(runs, errors, strict=True) if error is None]
        assert len(winners) == 1
        assert all(isinstance(error, BifrostExportError) for error in errors if error is not None)
        assert any(isinstance(error, LostCommitError) for error in errors)
        place.check_whole()
        again = place.run().load(winners[0].token.encode())
        assert again.publish().unchanged
        assert set(tokens_in(place.contents())) == {winners[0].token}

    def test_an_upload_that_a_dead_run_left_open_is_taken_away(self, place: Place) -> None:
        """With the next commit of the window."""
        faults = Faults()
        dead = _broken(place.run(), faults)
        upload = dead.destination.store.begin(dead.destination.keys.part("request_logs", 1, 1), _OPTIONS)
        upload.block(bytes(self.block))
        faults.close_files()

        run = _published(place, b"one")

        _check_clean(place, run)


def _published(place: Place, *parts: bytes) -> Run:
    run = place.run().load(*parts)
    run.publish()
    return run


def _broken(run: Run, faults: Faults) -> Run:
    run.destination.store = Faulty(run.destination.store, faults)  # type: ignore[assignment]
    return run


def _named(manifest: dict[str, Any]) -> set[str]:
    return {part["key"] for each in manifest["datasets"].values() for part in each["parts"]}


def _check_clean(place: Place, run: Run) -> None:
    """Hold that the run is what is published, or the same is, and that nothing else is there but what others put."""
    place.check_strangers()
    manifest = place.manifest()
    assert manifest is not None
    rejected = {manifest["rejected"]["key"]} - set(place.strangers) if manifest["rejected"] else set()
    assert set(place.contents()) == {*_named(manifest), *rejected, manifest_key(DAY)}
    assert place.uploads() == []
    assert len(_named(manifest)) == len([part for part in run.landed if "_rejected" not in part.key])
    place.check_whole()
