"""What every object store's files are held to: names, sizes, numbers (part of the contract for object stores)."""

from __future__ import annotations

import random

import pytest

from bifrost_export.errors import DestinationError
from bifrost_export.testing.object_store_runs import DAY, Place, SmallBlocks, manifest_key, read

ODD = "odd ö 日本/a+b%41&c=d/{export}/#?;'~@$!,()*/"
"""Folders with what URLs, signatures and shells take for something else."""


class Files(SmallBlocks):
    """Files of any size, in any number, under any name."""

    def test_parts_come_back_byte_for_byte(self, place: Place, parts: int) -> None:
        """Each under its own number, none overwritten, and the manifest names them in order."""
        data = [random.Random(number).randbytes(1_000 + number) for number in range(parts)]  # noqa: S311 (no secret)

        run = place.run().load(*data)
        run.publish()

        assert [read(run.destination.store, part.key) for part in run.landed] == data
        assert set(place.contents()) == {*run.keys(), manifest_key(DAY)}
        place.check_whole()

    def test_a_part_of_several_blocks_comes_back_byte_for_byte(self, place: Place) -> None:
        """It is stored block by block, and its last block is a short one."""
        data = random.Random(1).randbytes(2 * self.block + 12_345)  # noqa: S311 (no secret)

        run = place.run().load(data, data[: self.block], data[: self.block + 1])
        run.publish()

        assert [part.bytes for part in run.landed] == [len(data), self.block, self.block + 1]
        assert place.uploads() == []
        place.check_whole()

    def test_a_part_of_several_blocks_never_takes_a_name_that_is_taken(self, place: Place) -> None:
        """By the same bytes it is a success, by others a failure; no upload is left open."""
        data = bytes(self.block + 1)
        run = place.run().load(data)

        run.load(data)
        with pytest.raises(DestinationError, match="taken by other bytes"):
            run.load(data[:-1] + b"1")

        assert place.contents() == {run.keys()[0]: data}
        assert place.uploads() == []

    def test_an_empty_window_publishes_a_manifest_alone(self, place: Place) -> None:
        """No part is written for no rows."""
        place.run().load().publish()

        assert list(place.contents()) == [manifest_key(DAY)]

    def test_a_rerun_with_fewer_parts_leaves_none_of_the_former_ones(self, place: Place, parts: int) -> None:
        """Nor the file of rejected rows."""
        place.run().load(*(b"%d" % number for number in range(parts)), rejected=b"r").publish()

        run = place.run().load(b"all in one")
        run.publish()

        assert set(place.contents()) == {*run.keys(), manifest_key(DAY)}

    def test_names_may_hold_any_character(self, place: Place) -> None:
        """They are listed, read and deleted as they were written."""
        odd = Place(place.open, ODD)
        odd.run().load(b"one", b"two").publish()

        run = odd.run().load(b"three")
        run.publish()

        folder = "odd ö 日本/a+b%41&c=d/"
        assert set(odd.contents()) == {*run.keys(), f"{folder}_manifests/nightly/{DAY.name}.json"}
        assert run.keys()[0].startswith(f"{folder}nightly/#?;'~@$!,()*/request_logs/nightly__")
        odd.check_whole()

    def test_what_is_not_there_is_told_as_such(self, place: Place) -> None:
        """None for what is missing, and deleting it is fine."""
        store = place.run().destination.store

        assert (store.get("no such"), store.open("no such"), store.head("no such")) == (None, None, None)
        assert list(store.list("no such")) == []
        store.delete("no such")
