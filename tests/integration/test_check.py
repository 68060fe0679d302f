"""`bifrost-export check`: each step told apart, each failure with what to do, and nothing left behind."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.integration.commands import KEY_ID, Desk, bucket_of
from tests.servers.buckets import Buckets
from tests.servers.fault_proxy import fault_proxy
from tests.servers.identities import identity

STEPS = ("reach", "sign in", "{place}", "write", "conditional write", "read", "list", "delete")
RIGHTS = {
    "write": "s3:PutObject",
    "read": "s3:GetObject",
    "list": "s3:ListBucket",
    "delete": "s3:DeleteObject",
}


def by_step(found: Any) -> dict[str, dict[str, Any]]:
    """The checks by their step."""
    return {each["what"]: each for each in found["checks"]}


def failed(found: Any) -> list[str]:
    """The steps that were tried and failed."""
    return [each["what"] for each in found["checks"] if not each["ok"] and "not tried" not in each["message"]]


def test_a_good_export_passes_every_step(desk: Desk) -> None:
    """Log store, destination and staging, in the published keys; files and folders are as before."""
    code, found = desk.told("check")

    assert code == 0
    destination = [f"destination: {step.format(place='folder')}" for step in STEPS]
    log_store = [f"log store: {step}" for step in ("open", "table logs", "columns", "count", "index", "newest row")]
    staging = [f"staging: {step}" for step in ("write", "read", "delete")]
    assert [each["what"] for each in found["checks"]] == [*log_store, *destination, *staging]
    assert all(set(each) == {"export", "what", "ok", "message", "hint"} for each in found["checks"])
    assert all(each["ok"] and each["export"] == "nightly" for each in found["checks"])
    assert desk.files() == []
    assert not desk.out.exists()


def test_a_folder_that_was_there_stays_as_it_was(desk: Desk) -> None:
    """What was published before is neither read as a probe nor taken away with one."""
    desk.run("2026-03-01", "2026-03-02")
    before = {name: (desk.folder / name).read_bytes() for name in desk.files()}

    assert desk.told("check")[0] == 0

    assert {name: (desk.folder / name).read_bytes() for name in desk.files()} == before


def test_people_see_a_line_a_step(desk: Desk) -> None:
    """A tick for what passed, a mark for what they should know."""
    code, shown, _ = desk.shown("check")

    assert code == 0
    assert shown.count("✓") + shown.count("!") == 17
    assert "a put on condition of a version is refused" in shown


def test_a_bucket_passes_every_step(desk: Desk, buckets: Buckets) -> None:
    """And is as empty afterwards as it was before."""
    desk.destination = bucket_of(buckets)

    code, found = desk.told("check")

    assert (code, failed(found)) == (0, [])
    assert "destination: bucket" in by_step(found)
    assert buckets.contents(desk.destination["config"]["bucket"]) == {}


@pytest.mark.parametrize("step", RIGHTS)
def test_a_missing_right_is_named_as_its_cloud_names_it(
    desk: Desk, buckets: Buckets, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step that needs it fails, and those before it pass."""
    desk.destination = bucket_of(buckets)
    actions = [right for right in RIGHTS.values() if right != RIGHTS[step]]
    with identity(buckets.server, actions) as (key_id, secret):
        monkeypatch.setenv("TEST_KEY_ID", key_id)
        monkeypatch.setenv("TEST_SECRET", secret)
        code, found = desk.told("check")

    check = by_step(found)[f"destination: {step}"]
    assert (code, check["ok"]) == (1, False)
    assert RIGHTS[step] in check["hint"]
    for passed in ("reach", "sign in", "bucket"):
        assert by_step(found)[f"destination: {passed}"]["ok"]


def test_an_identity_that_may_only_read_is_told_to_write(
    desk: Desk, buckets: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What depends on the write is not tried, and the list is."""
    desk.destination = bucket_of(buckets)
    with identity(buckets.server, ["s3:GetObject", "s3:ListBucket"]) as (key_id, secret):
        monkeypatch.setenv("TEST_KEY_ID", key_id)
        monkeypatch.setenv("TEST_SECRET", secret)
        code, found = desk.told("check")

    assert (code, failed(found)) == (1, ["destination: write"])
    assert "not tried: it needs 'write'" in by_step(found)["destination: read"]["message"]
    assert by_step(found)["destination: list"]["ok"]


def test_a_wrong_key_is_told_at_sign_in(desk: Desk, buckets: Buckets) -> None:
    """The store answers, and does not know who asks; the key itself is never shown."""
    desk.destination = bucket_of(buckets)
    with identity(buckets.server, []):
        code, found = desk.told("check")

    assert (code, failed(found)) == (1, ["destination: sign in"])
    assert by_step(found)["destination: reach"]["ok"]
    assert "does not know it" in by_step(found)["destination: sign in"]["hint"]


def test_a_missing_bucket_is_told_as_such(desk: Desk, buckets: Buckets) -> None:
    """Not as a failing write."""
    desk.destination = bucket_of(buckets, bucket="no-such-bucket-at-all")

    code, found = desk.told("check")

    assert (code, failed(found)) == (1, ["destination: bucket"])
    assert "Create the bucket" in by_step(found)["destination: bucket"]["hint"]


def test_a_store_that_does_not_answer_is_not_reached(desk: Desk, buckets: Buckets) -> None:
    """Nothing else of it is tried, and log store and staging are."""
    with fault_proxy(buckets.url) as proxy:
        desk.destination = bucket_of(buckets, endpoint_url=proxy.url)
    code, found = desk.told("check")

    assert (code, failed(found)) == (1, ["destination: reach"])
    assert by_step(found)["staging: delete"]["ok"]


def test_a_store_without_conditional_puts_is_found(desk: Desk, buckets: Buckets) -> None:
    """It can be used, and is promised no protection against two runs at once."""
    with fault_proxy(buckets.url) as proxy:
        proxy.conditions = "drop"
        desk.destination = bucket_of(buckets, endpoint_url=proxy.url)
        code, found = desk.told("check")

    check = by_step(found)["destination: conditional write"]
    assert (code, check["ok"]) == (0, True)
    assert "ignores If-None-Match and If-Match" in check["message"]
    assert "no protection against two runs at once" in check["message"]
    assert "only one run at once" in check["hint"]
    assert buckets.contents(desk.destination["config"]["bucket"]) == {}


def test_a_store_that_refuses_conditions_can_not_be_written_to(desk: Desk, buckets: Buckets) -> None:
    """Every put of a run has one."""
    with fault_proxy(buckets.url) as proxy:
        proxy.conditions = "refuse"
        desk.destination = bucket_of(buckets, endpoint_url=proxy.url)
        code, found = desk.told("check")

    assert (code, failed(found)) == (1, ["destination: write"])


def test_a_missing_connection_is_wrong_input(desk: Desk, buckets: Buckets) -> None:
    """It is looked for as Airflow does, and no database is asked."""
    desk.destination = bucket_of(buckets, credentials=None, conn_id="not_made_yet")

    code, found = desk.told("check")

    assert (code, failed(found)) == (2, ["destination: sign in"])
    assert "AIRFLOW_CONN_NOT_MADE_YET" in by_step(found)["destination: sign in"]["hint"]


def test_a_connection_of_airflows_is_enough(desk: Desk, buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a variable, without any Airflow that runs."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", '{"conn_type": "aws", "login": "some-key-id", "password": "some-secret"}')
    desk.destination = bucket_of(buckets, credentials=None, conn_id="lake")

    assert desk.told("check")[0] == 0


def test_a_missing_reference_is_wrong_input(desk: Desk, buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told once, with its name and place, and the rest is probed."""
    desk.destination = bucket_of(buckets)
    monkeypatch.delenv("TEST_SECRET")

    code, found = desk.told("check")

    assert (code, failed(found)) == (2, ["destination: settings"])
    assert "${TEST_SECRET}" in by_step(found)["destination: settings"]["message"]
    assert KEY_ID not in str(found)


def test_an_endpoint_that_is_none_is_told_in_words(desk: Desk, buckets: Buckets) -> None:
    """Not as an error that nobody expected."""
    desk.destination = bucket_of(buckets, endpoint_url="not an address")

    code, found = desk.told("check")

    assert (code, found["error"]["type"]) == (2, "DocumentError")
    assert "endpoint_url 'not an address' is not an address" in found["error"]["message"]


def test_a_log_store_that_is_missing_is_told_and_the_rest_is_probed(desk: Desk, tmp_path: Path) -> None:
    """It is not created either."""
    desk.log_store = tmp_path / "nowhere.db"

    code, found = desk.told("check")

    assert (code, failed(found)) == (1, ["log store: open"])
    assert by_step(found)["destination: delete"]["ok"]
    assert not desk.log_store.exists()


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("DROP TABLE logs", "has no table `logs`"),
        ("ALTER TABLE logs RENAME COLUMN status TO state", "lacks the columns"),
        ("ALTER TABLE logs RENAME TO was; CREATE VIEW logs AS SELECT * FROM was", "is a view"),
    ],
    ids=["no table", "no status", "a view"],
)
def test_a_database_that_is_no_log_store_is_told_apart(desk: Desk, statement: str, message: str) -> None:
    """It can be opened, and what is missing is named."""
    change(desk.log_store, statement)

    code, found = desk.told("check")

    assert (code, failed(found)) == (1, ["log store: table logs"])
    assert by_step(found)["log store: open"]["ok"]
    assert message in by_step(found)["log store: table logs"]["message"]


def test_what_slows_runs_or_is_old_passes_with_a_hint(desk: Desk) -> None:
    """A table without an index on its times, columns that an older log store lacks, rows of last spring."""
    with closing(sqlite3.connect(desk.log_store)) as connection:
        indexes = connection.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '%timestamp%'")
        names = [name for (name,) in indexes]
    for name in names:
        change(desk.log_store, f"DROP INDEX {name}")
    change(desk.log_store, "ALTER TABLE logs RENAME COLUMN customer_ids TO something_else")

    code, found = desk.told("check")

    checks = by_step(found)
    assert code == 0
    assert "CREATE INDEX" in checks["log store: index"]["hint"]
    assert "customer_ids are not there" in checks["log store: columns"]["message"]
    assert "still writes" in checks["log store: newest row"]["hint"]


def test_an_empty_log_store_passes_with_a_hint(desk: Desk) -> None:
    """Nothing to export yet is no failure."""
    change(desk.log_store, "DELETE FROM logs")

    code, found = desk.told("check")

    assert code == 0
    assert "whether Bifrost writes its logs" in by_step(found)["log store: newest row"]["hint"]


def test_staging_in_a_bucket_is_probed_too(desk: Desk, buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its own connection; what was written is taken away."""
    bucket = buckets.make_bucket()
    extra = f'{{"endpoint_url": "{buckets.url}", "region_name": "us-west-2"}}'.replace('"', '\\"')
    monkeypatch.setenv(
        "AIRFLOW_CONN_STAGE",
        f'{{"conn_type": "aws", "login": "some-key-id", "password": "some-secret", "extra": "{extra}"}}',
    )
    path = Path(desk.document)
    staging = f'"staging": {{"url": "s3://{bucket}/staged", "conn_id": "stage"}}'
    original = f'"staging": {{"url": "{(desk.folder / "staging").as_uri()}"}}'
    monkeypatch.setattr(Desk, "document", str(path))
    path.write_text(path.read_text().replace(original, staging))

    code, found = desk.told("check")

    assert (code, failed(found)) == (0, [])
    assert f"s3://{bucket}/staged/nightly/" in by_step(found)["staging: write"]["message"]
    assert buckets.contents(bucket) == {}


def test_a_broken_export_is_left_out_and_the_others_are_probed(desk: Desk) -> None:
    """The exit code still says that the input is wrong."""
    desk.others = [{"name": "broken", "schedule": {"frequency": "never"}}]

    code, found = desk.told("check")

    assert code == 2
    assert {each["export"] for each in found["checks"]} == {"nightly"}
    code, found = desk.told("check", "--export", "broken")
    assert (code, set(found)) == (2, {"error"})


def change(log_store: Path, statement: str) -> None:
    """Change a log store."""
    with closing(sqlite3.connect(log_store)) as connection:
        connection.executescript(statement)
