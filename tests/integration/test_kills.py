"""A run killed (-9) at any moment, then run again, leaves the destination as an undisturbed run does."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.sample.logs import write
from bifrost_export.window import Window
from tests.integration.killing import run_cli
from tests.integration.published import comparable, folder_contents, stale
from tests.integration.strangers import OWN, STRANGERS, plant_strangers, tampered, without_strangers
from tests.servers.buckets import Buckets
from tests.servers.fault_proxy import Proxy, at, fault_proxy
from tests.support.odd_rows import plant

CREDENTIALS = {"TEST_KEY_ID": "testing-key-id", "TEST_SECRET": "testing-secret-key"}
DAY = Window.parse("2026-03-01", "2026-03-02")
EVERY = int(os.environ.get("BIFROST_TEST_EVERY", "1" if os.environ.get("BIFROST_TEST_LONG") else "12"))
"""Of all moments, every n-th is tried by `make test`, each one by `make test-long`."""

pytestmark = [pytest.mark.widened, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def log_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some hundred rows of one day, odd ones among them."""
    path = tmp_path_factory.mktemp("logs") / "logs.db"
    write(path, rows=600, seed=5, days=2, end=DAY.end)
    plant(path, DAY)
    return path


@dataclass
class Place:
    """One destination with its document."""

    folder: Path
    log_store: Path
    destination: dict[str, Any]
    environ: dict[str, str] = field(default_factory=lambda: dict(CREDENTIALS))

    def document(self, **data: Any) -> Path:
        """Write the document."""
        export = {
            "name": "nightly",
            "schedule": {"frequency": "daily"},
            "destination": self.destination,
            "data": {"max_rows_per_file": 150, "max_rejected": "50%", **data},
        }
        source = {"type": "sqlite", "config": {"path": str(self.log_store)}}
        staging = {"url": (self.folder / "staging").as_uri()}
        path = self.folder / "log_exports.json"
        path.write_text(json.dumps({"log_exports": {"exports": [export], "source": source, "staging": staging}}))
        return path

    def run(self, document: Path, **how: Any) -> tuple[int, int]:
        """Run the window from the command line."""
        arguments = ["run", str(document), "--export", "nightly", "--window-start", "2026-03-01T00:00:00Z"]
        return run_cli([*arguments, "--window-end", "2026-03-02T00:00:00Z", "--format", "json"], self.environ, **how)


def local_place(folder: Path, log_store: Path) -> Place:
    """A `local` destination in an empty folder."""
    folder.mkdir()
    return Place(folder, log_store, {"type": "local", "config": {"path": str(folder / "out"), "prefix": "logs/{day}/"}})


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, log_store: Path) -> tuple[dict[str, Any], int]:
    """What an undisturbed run publishes, and how many moments it has."""
    place = local_place(tmp_path_factory.mktemp("undisturbed") / "place", log_store)
    code, moments = place.run(place.document(), below=[place.folder])
    assert code == 0
    return comparable(folder_contents(place.folder / "out")), moments


def test_an_undisturbed_run_leaves_nothing_beside_what_it_published(
    tmp_path: Path, log_store: Path, undisturbed: tuple[dict[str, Any], int]
) -> None:
    """Staging is gone, and every file is named by the manifest."""
    place = local_place(tmp_path / "place", log_store)
    assert place.run(place.document())[0] == 0

    assert comparable(folder_contents(place.folder / "out")) == undisturbed[0]
    assert stale(folder_contents(place.folder / "out")) == []
    assert folder_contents(place.folder / "staging") == {}


@pytest.mark.parametrize("republish", [False, True], ids=["first publication", "over a former revision"])
def test_a_kill_between_any_two_changes_of_the_disk_is_mended_by_a_rerun(
    tmp_path: Path, log_store: Path, undisturbed: tuple[dict[str, Any], int], republish: bool
) -> None:
    """At each moment: killed, readers see the former window whole or the new one; run again, all is as undisturbed.

    What others have put there, and the published manifest says that it replaces, is never touched.
    """
    expected, moments = undisturbed
    assert moments > 20
    for moment in range(1, moments + 1, EVERY):
        place = local_place(tmp_path / f"{moment}", log_store)
        plant_strangers(place.folder / "out")
        if republish:
            assert place.run(place.document(max_rows_per_file=90))[0] == 0
            before = tampered(folder_contents(place.folder / "out"))
            (place.folder / "out" / OWN).write_bytes(before[OWN])
            former = without_strangers(before)
        document = place.document()
        code, _ = place.run(document, kill_at=moment, below=[place.folder])
        if code == 0:  # over a former revision some moments come later or never
            continue
        assert code == -9
        found = without_strangers(folder_contents(place.folder / "out"))
        if republish:
            assert whole(found) or whole({key: found[key] for key in former if key in found}), f"moment {moment}"

        assert place.run(document)[0] == 0

        after = without_strangers(folder_contents(place.folder / "out"))
        assert comparable(after) == expected, f"moment {moment}"
        assert stale(after) == [], f"moment {moment}"


def whole(contents: dict[str, bytes]) -> bool:
    """Whether the manifest in place has all the parts that it names."""
    for key, data in contents.items():
        if key.endswith(".json"):
            document = json.loads(data)
            parts = [part for each in document["datasets"].values() for part in each["parts"]]
            return all(part["key"] in contents for part in parts)
    return False


@pytest.fixture
def s3_place(tmp_path: Path, log_store: Path, buckets: Buckets) -> Iterator[tuple[Place, Proxy, str]]:
    """An S3 destination behind the fault proxy."""
    bucket = buckets.make_bucket()
    with fault_proxy(buckets.url, tmp_path / "pid") as proxy:
        config = {
            "bucket": bucket,
            "region": "us-east-1",
            "endpoint_url": proxy.url,
            "prefix": "logs/{day}/",
            "credentials": {"access_key_id": "${TEST_KEY_ID}", "secret_access_key": "${TEST_SECRET}"},
        }
        yield Place(tmp_path, log_store, {"type": "s3", "config": config}), proxy, bucket


@pytest.mark.parametrize("when", ["kill before", "kill after"])
def test_a_kill_before_or_after_any_request_is_mended_by_a_rerun(
    s3_place: tuple[Place, Proxy, str],
    buckets: Buckets,
    tmp_path: Path,
    undisturbed: tuple[dict[str, Any], int],
    when: str,
) -> None:
    """Each request of a run over a former revision, S3 in place of files."""
    place, proxy, bucket = s3_place
    pid_file = tmp_path / "pid"
    assert place.run(place.document(max_rows_per_file=90))[0] == 0
    former, document = tampered(buckets.contents(bucket)), place.document()
    buckets.fill(bucket, former)
    proxy.arm(lambda number, request: "pass")
    assert place.run(document)[0] == 0
    requests = len(proxy.requests)
    assert requests > 15
    for number in range(1 + (when == "kill after"), requests + 1, EVERY):
        buckets.fill(bucket, former)
        proxy.arm(at(number, when))
        code, _ = place.run(document, pid_file=pid_file)
        assert code == -9, (number, proxy.requests)
        proxy.arm(lambda number, request: "pass")

        assert place.run(document)[0] == 0, number

        after = without_strangers(buckets.contents(bucket))
        assert comparable(after) == undisturbed[0], (number, when)
        assert stale(after) == [], (number, when)
        assert buckets.uploads(bucket) == []


@pytest.mark.parametrize("fault", ["lose", "503", pytest.param("cut", marks=pytest.mark.long)])
def test_an_answer_that_is_lost_or_refused_once_does_no_harm(
    s3_place: tuple[Place, Proxy, str], buckets: Buckets, undisturbed: tuple[dict[str, Any], int], fault: str
) -> None:
    """At each request: the run ends well by itself, or fails and a rerun ends well."""
    place, proxy, bucket = s3_place
    document = place.document()
    buckets.fill(bucket, STRANGERS)
    proxy.arm(lambda number, request: "pass")
    assert place.run(document)[0] == 0
    for number in range(1 + (fault == "503"), len(proxy.requests) + 1, EVERY):
        buckets.fill(bucket, STRANGERS)
        proxy.arm(at(number, fault))
        if place.run(document)[0] != 0:
            assert place.run(document)[0] == 0, number

        after = without_strangers(buckets.contents(bucket))
        assert comparable(after) == undisturbed[0], (number, fault)
        assert stale(after) == [], (number, fault)
