"""The contract of log stores as tests: subclass it for a log store of your own, and run it by pytest.

    class TestMyLogStore(LogStoreContract):
        @pytest.fixture
        def place(self, tmp_path):
            return Place(
                open=lambda: MyLogStore(MyConfig(path=str(tmp_path))),
                fill=lambda rows: write(tmp_path, rows),
                state=lambda: {each.name: each.read_bytes() for each in tmp_path.iterdir()},
                open_elsewhere=lambda: MyLogStore(MyConfig(path=str(tmp_path / "absent"))),
            )

The log store of `place` is empty before each test. For readable failures,
`pytest.register_assert_rewrite("bifrost_export.testing")` belongs into `conftest.py`.
"""

from __future__ import annotations

import datetime as dt
import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from bifrost_export.errors import BifrostExportError
from bifrost_export.filters.config import Filters
from bifrost_export.testing.log_store_rows import (
    BOTH_DAYS,
    DAY,
    EXTRA,
    MICROSECOND,
    NEXT_DAY,
    SCHEMA,
    WIDE,
    Place,
    kept_by,
    many,
    row,
)

if TYPE_CHECKING:
    from bifrost_export.logstore.port import LogStore

__all__ = ["LogStoreContract", "Place"]

FILTERS = (
    {"providers": ("openai",)},
    {"models": ("m-1", "m-2")},
    {"customers": ("",)},
    {"customers": ("c-0", "absent")},
    {"min_latency_ms": 500},
    {"max_latency_ms": 500},
    {"has_errors": True},
    {"has_errors": False},
    {"status_codes": (200, 429)},
    {"providers": ("openai", "anthropic"), "min_latency_ms": 300, "has_errors": False},
)


_UNKNOWN = dict.fromkeys(("customer_id", "latency", "cost", "prompt_tokens", "completion_tokens", "total_tokens"))


class LogStoreContract:
    """What every log store promises; a subclass defines the fixture `place`."""

    @pytest.fixture
    def place(self) -> Place:
        """An empty log store; a subclass says which."""
        raise TypeError(f"{type(self).__name__} must define the fixture `place`")

    def test_it_says_which_log_store_it_is(self, place: Place) -> None:
        """As JSON, the same each time, and with the name that it is registered under."""
        place.fill([row(1)])
        first, second = place.ask(lambda store: store.describe()), place.ask(lambda store: store.describe())

        assert first == second == json.loads(json.dumps(first))
        assert first["type"] == place.ask(lambda store: store.kind)
        assert len(first) > 1, "nothing tells this log store from another of its type"

    def test_it_knows_its_columns(self, place: Place) -> None:
        """At least those that it was filled with."""
        place.fill([row(1)])

        assert set(row(1)) <= place.ask(lambda store: store.columns())

    def test_a_row_becomes_a_record(self, place: Place) -> None:
        """With its time to the microsecond; an unknown number stays unknown."""
        at = DAY.start + dt.timedelta(hours=3, microseconds=123_456)
        place.fill([row(1, at, id="é-1", cost=0.125), row(2, at, id="é-2", **_UNKNOWN)])

        read = place.read(DAY)

        assert read.rows == [
            {
                "timestamp": at,
                "request_id": "é-1",
                "customer_id": "c-1",
                "provider": "openai",
                "model": "m-1",
                "endpoint": "/v1/chat/completions",
                "method": "POST",
                "status_code": 200,
                "latency_ms": 100,
                "input_tokens": 10,
                "output_tokens": 20,
                "cost_usd": 0.125,
            },
            {
                **read.rows[0],
                "request_id": "é-2",
                "customer_id": "",
                "latency_ms": 0,
                **dict.fromkeys(("input_tokens", "output_tokens", "cost_usd")),
            },
        ]

    def test_rows_are_in_order_of_time_and_then_of_the_ids_bytes(self, place: Place) -> None:
        """However they were written."""
        noon = DAY.start + dt.timedelta(hours=12)
        ids = ["b", "a", "B", "é", "z", "😀", "a-1", "a1", "Z"]
        place.fill([row(9, noon + MICROSECOND, id="0"), *(row(1, noon, id=each) for each in ids), row(3, id="~")])

        expected = ["~", *sorted(ids, key=lambda each: each.encode()), "0"]
        assert place.read(DAY).ids == expected

    def test_a_window_has_its_start_and_not_its_end(self, place: Place) -> None:
        """To the microsecond."""
        times = [DAY.start - MICROSECOND, DAY.start, DAY.end - MICROSECOND, DAY.end]
        place.fill([row(number, at, id=str(number)) for number, at in enumerate(times)])

        assert place.read(DAY).ids == ["1", "2"]
        assert place.read(NEXT_DAY).ids == ["3"]
        assert place.count(DAY) == 2

    def test_batches_have_the_columns_that_were_asked_for(self, place: Place) -> None:
        """Columns of `logs` under their own names; null where the row has nothing."""
        place.fill([row(1, **EXTRA), row(2)])

        read = place.read(DAY, WIDE)

        assert read.table.schema.equals(WIDE)
        found = [{name: each[name] for name in EXTRA} for each in read.rows]
        assert found[0] == EXTRA
        assert found[1]["team_id"] is None

    def test_slices_tile_their_windows_and_their_counts_add_up(self, place: Place) -> None:
        """Every row is in one slice, in the order of all."""
        place.fill(many(300))

        slices = place.slices([DAY, NEXT_DAY], 40, 100)

        assert (slices[0].start, slices[-1].end) == (DAY.start, NEXT_DAY.end)
        assert all(one.end == other.start for one, other in pairwise(slices))
        assert 2 < len(slices) <= 100
        counts = [place.count(each) for each in slices]
        assert sum(counts) == place.count(BOTH_DAYS) == 300
        assert max(counts) <= 40
        assert [id_ for each in slices for id_ in place.read(each).ids] == place.read(BOTH_DAYS).ids

    def test_there_are_no_more_slices_than_are_wanted(self, place: Place) -> None:
        """But for one of each window."""
        place.fill(many(300))

        for most in (1, 2, 5):
            slices = place.slices([DAY, NEXT_DAY], 1, most)
            assert len(slices) <= max(most, 2)
            assert (slices[0].start, slices[-1].end) == (DAY.start, NEXT_DAY.end)

    def test_an_empty_window_is_one_slice_without_a_row(self, place: Place) -> None:
        """With totals of nothing."""
        place.fill([row(1)])

        assert place.slices([NEXT_DAY], 10, 10) == [NEXT_DAY]
        read = place.read(NEXT_DAY)
        assert (read.rows, read.totals.rows, read.totals.unsettled) == ([], 0, 0)

    def test_rows_that_are_still_processing_are_counted_apart(self, place: Place) -> None:
        """They are not read, and add nothing."""
        place.fill([row(1), row(2, status="processing", prompt_tokens=1_000, cost=9.0)])

        read = place.read(DAY)

        assert read.ids == ["r0001"]
        assert (read.totals.rows, read.totals.unsettled) == (1, 1)
        assert (read.totals.input_tokens, read.totals.cost_usd) == (10, 0.5)

    def test_count_and_read_tell_the_same_totals(self, place: Place) -> None:
        """What the rows add up to."""
        place.fill(many(60))

        read, counted = place.read(BOTH_DAYS), place.ask(lambda store: store.count(BOTH_DAYS))

        assert (counted.rows, counted.unsettled) == (read.totals.rows, read.totals.unsettled) == (60, 0)
        for name, column in (("input_tokens", "input_tokens"), ("output_tokens", "output_tokens")):
            known = [each[column] for each in read.rows if each[column] is not None]
            assert getattr(counted, name) == getattr(read.totals, name) == sum(known) > 0
        costs = [each["cost_usd"] for each in read.rows if each["cost_usd"] is not None]
        for totals in (counted, read.totals):
            assert totals.cost_usd == pytest.approx(sum(costs), abs=1e-9)
            assert totals.cost_scale == pytest.approx(sum(map(abs, costs)), abs=1e-9)

    def test_a_row_that_is_no_record_is_rejected_and_never_dropped(self, place: Place) -> None:
        """By its time and id, without its value; its numbers still count."""
        odd = row(2, status="half-done-canary", prompt_tokens=7)
        place.fill([row(1), odd, row(3)])

        read = place.read(DAY)

        assert read.ids == ["r0001", "r0003"]
        assert [(each.request_id, each.column) for each in read.rejected] == [("r0002", "status_code")]
        rejected = read.rejected[0]
        assert rejected.timestamp == int(odd["timestamp"].timestamp() * 1_000_000)
        assert rejected.input_tokens == 7
        assert "canary" not in repr(rejected)
        assert read.totals.rows == 3

    @pytest.mark.parametrize("given", FILTERS, ids=str)
    def test_filters_change_nothing_but_who_judges_them(self, place: Place, given: dict[str, Any]) -> None:
        """Rows that are left out are those that the filters remove, and are counted; the books add up."""
        place.fill([*many(80), row(81, status="half-done")])
        filters = Filters.model_validate(given)

        whole, read = place.read(BOTH_DAYS), place.read(BOTH_DAYS, filters=filters)

        kept = [each for each in whole.rows if kept_by(filters, each)]
        assert [each for each in read.rows if kept_by(filters, each)] == kept
        removed = sum(read.removed.rows.values())
        assert len(read.rows) + removed + len(read.rejected) == read.totals.rows == 81
        tokens = [each["input_tokens"] or 0 for each in read.rows]
        rejected = sum(each.input_tokens for each in read.rejected)
        assert sum(tokens) + read.removed.input_tokens + rejected == read.totals.input_tokens

    def test_requests_are_looked_up_wherever_they_lie(self, place: Place) -> None:
        """Rows that are not records are distinguished from ids that are not found."""
        place.fill([*many(20), row(21, status="processing"), row(22, status="half-done")])

        wanted = ["r0003", "r0019", "r0021", "r0022", "absent", "it's"]
        found = place.ask(lambda store: store.lookup(wanted, SCHEMA))

        assert found.rows.schema.equals(SCHEMA)
        assert sorted(found.rows.column("request_id").to_pylist()) == ["r0003", "r0019"]
        assert found.others == {"r0021", "r0022"}
        assert place.ask(lambda store: store.lookup([], SCHEMA)).rows.num_rows == 0

    def test_it_may_be_closed_in_the_middle_of_a_reading(self, place: Place) -> None:
        """Another opens it then, and reads all of it."""
        place.fill(many(50))
        store = place.open()
        reading = store.read(BOTH_DAYS, SCHEMA)
        next(reading.batches)
        store.close()

        assert len(place.read(BOTH_DAYS).rows) == 50

    def test_reading_changes_nothing(self, place: Place) -> None:
        """Each reading gives the same, and leaves the log store as it was."""
        place.fill([*many(30), row(31, status="processing"), row(32, status="half-done")])
        before = place.state()

        readings = [place.read(BOTH_DAYS) for _ in range(2)]
        place.ask(lambda store: store.count(DAY))
        place.slices([BOTH_DAYS], 10, 10)
        place.ask(lambda store: store.lookup(["r0001"], SCHEMA))

        assert readings[0] == readings[1]
        assert place.state() == before

    def test_what_it_tells_beyond_its_rows_fits_them(self, place: Place) -> None:
        """Where it has the methods for it: a log store may lack them."""
        place.fill([*many(20), row(21, status="processing")])

        def answer(store: LogStore, name: str, *given: Any) -> Any:
            return getattr(store, name)(*given) if hasattr(store, name) else None

        assert place.ask(lambda store: answer(store, "unplaced")) in (0, None)
        assert place.ask(lambda store: answer(store, "newest")) in (place.read(BOTH_DAYS).rows[-1]["timestamp"], None)
        kinds = place.ask(lambda store: answer(store, "kinds", BOTH_DAYS))
        assert kinds is None or sum(rows for *_, rows in kinds) == 21
        assert place.ask(lambda store: answer(store, "remarks")) in ([], None)

    def test_a_place_without_logs_is_an_error_of_the_package(self, place: Place) -> None:
        """When it is opened, with what to do about it."""
        with pytest.raises(BifrostExportError) as caught:
            place.open_elsewhere().close()

        assert caught.value.hint
