"""`bifrost-export status`: what is published, up to when, and what is missing, from the manifests alone."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from bifrost_export.window import UTC, Window
from tests.integration.commands import Desk, bucket_of
from tests.servers.buckets import Buckets


def lags(through: str) -> set[int]:
    """The lag of a daily export, in seconds: two of them where the day settles just now."""
    begin = dt.datetime.fromisoformat(through)
    now = dt.datetime.now(UTC) - dt.timedelta(minutes=30)
    midnights = [
        (now - dt.timedelta(seconds=ago)).replace(hour=0, minute=0, second=0, microsecond=0) for ago in (0, 60)
    ]
    return {int((midnight - begin).total_seconds()) for midnight in midnights}


def only(desk: Desk) -> dict[str, object]:
    """The one export's status."""
    code, found = desk.told("status")
    assert code == 0
    [export] = found["exports"]
    assert set(export) == {"name", "exported_through", "lag_seconds", "windows", "gaps"}
    return dict(export)


def test_nothing_is_published_at_first(desk: Desk) -> None:
    """There is no time that anything is exported through, and nothing is made by looking."""
    assert only(desk) == {
        "name": "nightly",
        "exported_through": None,
        "lag_seconds": None,
        "windows": 0,
        "gaps": [],
    }
    assert desk.files() == []
    assert "nothing yet" in desk.shown("status")[1]


@pytest.mark.parametrize("kind", ["local", "s3"])
def test_windows_gaps_and_lag_are_told(desk: Desk, buckets: Buckets, kind: str) -> None:
    """Everything is exported through the end of the last window before the first gap."""
    desk.destination = bucket_of(buckets) if kind == "s3" else None
    for start, end in (("2026-02-28", "2026-03-01"), ("2026-03-01", "2026-03-02"), ("2026-03-04", "2026-03-05")):
        desk.run(start, end)

    found = only(desk)

    assert found["exported_through"] == "2026-03-02T00:00:00Z"
    assert found["lag_seconds"] in lags("2026-03-02T00:00:00+00:00")
    assert found["windows"] == 3
    assert found["gaps"] == [{"start": "2026-03-02T00:00:00Z", "end": "2026-03-04T00:00:00Z"}]


def test_people_are_told_the_command_that_closes_a_gap(desk: Desk) -> None:
    """Airflow's backfill takes windows by their start, both dates included."""
    for start, end in (("2026-02-27", "2026-02-28"), ("2026-03-02", "2026-03-03")):
        desk.run(start, end)

    code, shown, _ = desk.shown("status")

    assert code == 0
    assert (
        "airflow backfill create --dag-id bifrost_export__nightly"
        " --from-date 2026-02-28T00:00:00Z --to-date 2026-03-01T00:00:00Z\n"
    ) in shown


def test_a_gap_that_no_window_fits_is_closed_by_a_run(desk: Desk) -> None:
    """The schedule has changed since."""
    for start, end in (("2026-02-27", "2026-02-28"), ("2026-03-01", "2026-03-02")):
        desk.run(start, end)
    desk.schedule = {"frequency": "daily", "time": "06:00"}

    _, shown, _ = desk.shown("status")

    [command] = [line.split() for line in shown.splitlines() if "bifrost-export run" in line]
    assert command[2] == desk.document
    desk.run(command[command.index("--window-start") + 1], command[command.index("--window-end") + 1])
    assert only(desk)["gaps"] == []


def test_a_window_that_is_up_to_date_has_no_lag(desk: Desk) -> None:
    """Also one that reaches beyond what has settled."""
    today = dt.datetime.now(UTC).date()
    desk.run("2026-03-01", str(today + dt.timedelta(days=1)), "--force")
    assert only(desk)["lag_seconds"] == 0
    assert "up to date" in desk.shown("status")[1]


def test_a_window_that_was_replaced_counts_as_gone(desk: Desk) -> None:
    """Also while its manifest still stands there, since its store would not delete it."""
    for start, end in (("2026-02-27", "2026-02-28"), ("2026-03-01", "2026-03-02")):
        desk.run(start, end)
    replaced = desk.out / f"logs/_manifests/nightly/{Window.parse('2026-03-01', '2026-03-02').name}.json"
    kept = replaced.read_bytes()
    desk.run("2026-02-28", "2026-03-02", "--replace-overlapping")
    replaced.write_bytes(kept)

    found = only(desk)

    assert (found["windows"], found["gaps"]) == (2, [])


def test_a_window_that_was_withdrawn_counts_as_gone(desk: Desk) -> None:
    """It leaves a gap."""
    for day in (1, 2, 3):
        desk.run(f"2026-03-0{day}", f"2026-03-0{day + 1}")
    path = desk.out / f"logs/_manifests/nightly/{Window.parse('2026-03-02', '2026-03-03').name}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "withdrawn": True}))

    found = only(desk)

    assert found["windows"] == 2
    assert found["gaps"] == [{"start": "2026-03-02T00:00:00Z", "end": "2026-03-03T00:00:00Z"}]


def test_many_manifests_are_read(desk: Desk) -> None:
    """More than are read one after the other."""
    desk.told("run", "--export", "nightly", "--from", "2026-02-20", "--to", "2026-03-03")
    assert only(desk)["windows"] == 11


def test_rows_and_bytes_of_the_last_window_are_shown(desk: Desk) -> None:
    """To people."""
    published = desk.run("2026-03-01", "2026-03-02")["datasets"]["request_logs"]
    assert f"{published['exported']:,}" in desk.shown("status")[1]


def test_a_manifest_that_can_not_be_read_is_told_and_passed_over(desk: Desk) -> None:
    """Its key is named, in JSON and to people: what it would say is not guessed."""
    desk.run("2026-03-01", "2026-03-02")
    desk.run("2026-03-02", "2026-03-03")
    path = desk.out / f"logs/_manifests/nightly/{Window.parse('2026-03-01', '2026-03-02').name}.json"
    path.write_text("{}")
    code, found = desk.told("status")
    status = found["exports"][0]
    assert (code, status["windows"]) == (0, 1)
    assert path.name in status["warnings"][0]
    assert path.name in desk.shown("status")[1].replace("\n", "")


def test_what_the_store_refuses_is_one_message(desk: Desk, buckets: Buckets) -> None:
    """With what to do."""
    desk.destination = bucket_of(buckets, bucket="no-such-bucket-at-all")
    code, found = desk.told("status")
    assert code == 1
    assert "Create the bucket" in found["error"]["hint"]


def test_a_missing_reference_is_wrong_input(desk: Desk, buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2, and no secret."""
    desk.destination = bucket_of(buckets)
    monkeypatch.delenv("TEST_KEY_ID")
    code, found = desk.told("status")
    assert (code, found["error"]["type"]) == (2, "MissingReferenceError")


def test_a_broken_export_is_left_out(desk: Desk) -> None:
    """The others are told, and the exit code says that the input is wrong."""
    desk.others = [{"name": "broken"}]
    code, found = desk.told("status")
    assert (code, [each["name"] for each in found["exports"]]) == (2, ["nightly"])
