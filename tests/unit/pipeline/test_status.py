"""How far an export has come, for any published windows."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.destinations.port import Published
from bifrost_export.pipeline.status import status_of
from bifrost_export.window import Window, from_micros

HOUR = dt.timedelta(hours=1)


def published(start: int, end: int) -> Published:
    """A window by its hours."""
    hours = 3_600_000_000
    return Published(Window(from_micros(start * hours), from_micros(end * hours)), 1, "", "", 0, 0)


@st.composite
def disjoint(draw: st.DrawFn) -> list[Published]:
    """Published windows, in order, some beside each other and some not."""
    edges = sorted(draw(st.sets(st.integers(0, 200), min_size=2, max_size=20)))
    kept = draw(st.lists(st.booleans(), min_size=len(edges) - 1, max_size=len(edges) - 1))
    pairs = zip(pairwise(edges), kept, strict=True)
    return [published(start, end) for (start, end), is_kept in pairs if is_kept]


@given(disjoint(), st.integers(0, 300))
def test_windows_and_gaps_tile_the_time_from_the_first_to_the_last(windows: list[Published], due: int) -> None:
    """Each hour lies in one of them; all is exported up to the first gap, and the lag counts from there."""
    found = status_of(windows, from_micros(due * 3_600_000_000))
    pieces = sorted([*(each.window for each in windows), *found.gaps])
    assert all(one.end == other.start for one, other in pairwise(pieces))
    assert found.to_json()["windows"] == len(windows)
    if not windows:
        assert (found.exported_through, found.lag, found.gaps) == (None, None, ())
        return
    assert found.exported_through == (found.gaps[0].start if found.gaps else pieces[-1].end)
    assert found.lag == max(dt.timedelta(), found.due - found.exported_through)


def test_the_figures_are_told_as_the_contract_says() -> None:
    """Times as RFC 3339, the lag in seconds, windows as a number."""
    found = status_of([published(0, 1), published(1, 2), published(4, 5)], from_micros(0) + 7 * HOUR)
    assert found.to_json() == {
        "exported_through": "1970-01-01T02:00:00Z",
        "lag_seconds": 5 * 3600,
        "windows": 3,
        "gaps": [{"start": "1970-01-01T02:00:00Z", "end": "1970-01-01T04:00:00Z"}],
    }
