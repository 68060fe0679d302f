"""What every object store's runs leave alone: files of others, copied trees, manifests that are none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bifrost_export.destinations.object_store.commit import JSON
from bifrost_export.destinations.object_store.port import PutOptions
from bifrost_export.errors import ForeignManifestError, OverlapError
from bifrost_export.testing.object_store_runs import DAY, PREFIX, Place, manifest_key
from bifrost_export.window import Window

WEEK = Window.parse("2026-03-01", "2026-03-08")
WEEK_END = Window.parse("2026-03-01", "2026-03-04")
CENTURY = Window.parse("2000-01-01", "2099-01-01")
NEXT_DAY = Window.parse("2026-03-02", "2026-03-03")
HALF = Window.parse("2026-03-01T12:00:00", "2026-03-02T12:00:00")
_FOLDER = "daily/2026/03/01/request_logs/"
_PART = "__part-00001-of-00001.parquet"
_TEXT = PutOptions("text/plain")

LOOK_ALIKES = (
    f"prod/2026/03/01/request_logs/nightly__request_logs__{DAY.name}__0badcafe{_PART}",
    f"daily/backup/request_logs/nightly__request_logs__{DAY.name}__0badcafe{_PART}",
    f"daily/copy-of-2026/request_logs/nightly__request_logs__{DAY.name}__0badcafe{_PART}",
    f"daily/copy-of-2026/_manifests/nightly/{DAY.name}.json",
    f"{_FOLDER}nightly2__request_logs__{DAY.name}__0badcafe{_PART}",
    f"{_FOLDER}a__nightly__request_logs__{DAY.name}__0badcafe{_PART}",
    f"{_FOLDER}nightly__request_logs__{NEXT_DAY.name}__0badcafe{_PART}",
    f"{_FOLDER}nightly__request_logs__{DAY.name}__0BADCAFE{_PART}",
    f"{_FOLDER}nightly__request_logs__{DAY.name}__0badcafe{_PART}.bak",
    f"{_FOLDER}nightly__request_logs__{DAY.name}__0badcafe__part-1-of-1.parquet",
    f"{_FOLDER}nightly__notes__{DAY.name}__0badcafe{_PART}",
    f"daily/_rejected/nightly/{NEXT_DAY.name}__0badcafe.jsonl.gz",
    f"daily/_rejected/nightly2/{DAY.name}__0badcafe.jsonl.gz",
    "daily/_manifests/nightly/readme.json",
    f"daily/_manifests/nightly2/{DAY.name}.json",
    "prices.csv",
)
"""Keys of others that look like those of the export `nightly` for the day."""


def no_manifests() -> dict[str, bytes]:
    """Under the names of manifests of windows that overlap the day: what is none of this export's."""
    return {
        manifest_key(HALF): b"{}",
        manifest_key(Window.parse("2026-03-01", "2026-03-03")): b'\xff{"export": "nightly"}',
        manifest_key(WEEK): _manifest("weekly", WEEK, ["prices.csv"]),
        manifest_key(CENTURY): _manifest("nightly", CENTURY, list(LOOK_ALIKES)),
    }


def _manifest(export: str, window: Window, names: list[str]) -> bytes:
    from bifrost_export.testing.object_store_runs import manifest_body

    body: dict[str, Any] = {**manifest_body(window, ()), "export": export, "revision": 1, "token": "0badcafe"}
    return json.dumps({**body, "replaces": [*names, manifest_key(DAY)]}).encode()


def plant(place: Place) -> None:
    """Put all of them into the bucket; `place.contents()` leaves out those that are as they were."""
    store = place.run().destination.store
    for key, data in ({key: f"of {key}".encode() for key in LOOK_ALIKES} | no_manifests()).items():
        store.put(key, data, _TEXT)
        place.strangers[key] = data


def tamper(place: Place) -> None:
    """Let the day's manifest name all of them, as what it publishes and as what it replaces."""
    store = place.run().destination.store
    found = store.get(manifest_key(DAY))
    assert found is not None
    manifest = json.loads(found[0])
    foreign = {"key": LOOK_ALIKES[0], "rows": 0, "bytes": 1, "sha256": "0"}
    manifest["replaces"] = sorted({*manifest["replaces"], *place.strangers, "../../etc/passwd", "/etc/passwd"})
    manifest["datasets"]["request_logs"]["parts"].append(foreign)
    manifest["rejected"] = {**foreign, "key": LOOK_ALIKES[-1]}
    store.put_if(manifest_key(DAY), json.dumps(manifest).encode(), found[1], JSON)


class Strangers:
    """A manifest is a hint, never an order."""

    def test_nothing_is_deleted_that_a_tampered_manifest_names_and_that_is_not_ours(self, place: Place) -> None:
        """The former parts go all the same, and each key that stays is told with the manifest that names it."""
        plant(place)
        place.run().load(b"one", rejected=b"r").publish()
        tamper(place)

        run = place.run().load(b"two")
        outcome = run.publish()

        place.check_strangers()
        assert set(place.contents()) == {*run.keys(), manifest_key(DAY)}
        told = "\n".join(outcome.warnings)
        assert LOOK_ALIKES[0] in told
        assert DAY.name in told
        assert len(outcome.warnings) == len(set(outcome.warnings))
        manifest = place.manifest()
        assert manifest is not None
        assert not set(manifest["replaces"]) & set(place.strangers)

    def test_manifests_that_are_none_are_passed_over_and_told(self, place: Place) -> None:
        """By the guard, by the commit, and by who asks what is published."""
        plant(place)
        run = place.run().load(b"one")
        run.destination.guard(replace_overlapping=False)
        warnings = run.publish().warnings

        looking = place.run().destination
        assert [each.window for each in looking.published()] == [DAY]
        for told in (run.destination.warnings, warnings, looking.warnings):
            assert all(any(key in each for each in told) for key in no_manifests())
        place.check_strangers()

    @pytest.mark.parametrize(
        "data",
        [
            b"{}",
            b"",
            b"no json",
            b"\xff\xfe{}",
            b"[" * 100_000,
            b'{"revision": ' + b"9" * 10_000 + b"}",
            pytest.param(b"[" + b"0," * 3_000_000 + b"0]", id="many values"),
        ],
        ids=lambda data: repr(data[:8]),
    )
    def test_what_has_the_name_of_the_windows_own_manifest_is_not_replaced(self, place: Place, data: bytes) -> None:
        """The run fails before any row moves, or sweeps its parts where it appeared meanwhile."""
        run = place.run().load(b"one")
        run.destination.store.put(manifest_key(DAY), data, _TEXT)

        with pytest.raises(ForeignManifestError, match="Move it away"):
            run.destination.look()
        with pytest.raises(ForeignManifestError, match="Move it away"):
            run.publish()

        assert place.contents() == {manifest_key(DAY): data}

    @pytest.mark.parametrize(
        "change", [{"export": "weekly"}, {"window": NEXT_DAY.to_json()}], ids=lambda each: next(iter(each))
    )
    def test_a_manifest_of_another_export_or_window_is_foreign(self, place: Place, change: dict[str, Any]) -> None:
        """Whatever its key says."""
        run = place.run()
        manifest = json.loads(_manifest("nightly", DAY, [])) | change
        run.destination.store.put(manifest_key(DAY), json.dumps(manifest).encode(), _TEXT)

        with pytest.raises(ForeignManifestError, match="its key names"):
            run.destination.look()
        assert run.destination.published() == []

    def test_a_huge_manifest_is_not_read(self, place: Place) -> None:
        """It is told with its size."""
        store = place.run().destination.store
        store.put(manifest_key(HALF), bytes(33 * 1024 * 1024), _TEXT)

        looking = place.run().destination
        assert looking.published() == []
        assert "34,603,008 bytes" in looking.warnings[0]

    def test_a_window_whose_manifest_is_none_is_not_replaced(self, place: Place) -> None:
        """Even where the new window covers it, and the former manifest says that it is replaced."""
        plant(place)
        place.run(WEEK_END, replace_overlapping=True).load(b"one").publish()
        store = place.run().destination.store
        key = f"daily/_manifests/nightly/{WEEK_END.name}.json"
        others = {f"{_FOLDER}nightly__request_logs__{DAY.name}__0badcafe{_PART}": b"of a broken window"}
        others[manifest_key(DAY)] = b"broken"
        for each, data in others.items():
            store.put(each, data, _TEXT)
        found = store.get(key)
        assert found is not None
        manifest = json.loads(found[0]) | {"replaces": list(others)}
        store.put_if(key, json.dumps(manifest).encode(), found[1], JSON)

        run = place.run(WEEK_END, replace_overlapping=True).load(b"two")
        outcome = run.publish()

        assert place.contents() == {**others, **dict.fromkeys(run.keys(), b"two"), key: place.contents()[key]}
        assert all(any(each in told for told in outcome.warnings) for each in others)

    def test_a_copied_tree_is_taken_over_and_its_origin_stays_whole(self, place: Place) -> None:
        """`prod/` copied to `test/`, manifests and all."""
        prod, test = Place(place.open, "prod/{year}/"), Place(place.open, "test/{year}/")
        prod.run().load(b"one", b"two", rejected=b"r").publish()
        before = prod.contents()
        store = prod.run().destination.store
        for key, data in before.items():
            store.put(key.replace("prod/", "test/", 1), data, _TEXT)

        run = test.run().load(b"three")
        outcome = run.publish()

        after = test.contents()
        assert {key: after[key] for key in before} == before
        assert any("prod/" in each and "stays" in each for each in outcome.warnings)
        assert outcome.revision == 2
        assert json.loads(after[f"test/_manifests/nightly/{DAY.name}.json"])["replaces"] == []

    def test_a_prefix_that_changed_below_its_root_leaves_nothing_behind(self, place: Place) -> None:
        """The former layout's parts are still this export's."""
        for former in ("daily/{year}/", "daily/", "daily/dt={year}-{month}-{day}/", "daily/{dataset}/x/", PREFIX):
            Place(place.open, former).run().load(former.encode(), rejected=former.encode()).publish()

        run = place.run().load(b"one")
        run.publish()

        assert set(place.contents()) == {*run.keys(), manifest_key(DAY)}

    def test_a_prefix_with_a_doubled_slash_is_one_without(self, place: Place) -> None:
        """A reference may bring one: the guard and `status` see what was put."""
        doubled = place.open("daily/", place.run().destination.target).keys
        assert type(doubled)("daily//{year}//", doubled.target).manifest == doubled.manifest

        place.run().load(b"one").publish()
        with pytest.raises(OverlapError):
            place.run(HALF).destination.guard(replace_overlapping=False)

    def test_the_same_rows_in_other_bytes_are_unchanged(self, place: Place) -> None:
        """Another version of a library may encode them otherwise; without a digest, bytes are compared."""
        place.run().load(b"one", digest="v1:1").publish()
        before = place.contents()

        assert place.run().load(b"ONE", digest="v1:1").publish().unchanged
        assert place.contents() == before
        assert not place.run().load(b"ONE", digest="v1:2").publish().unchanged
        assert not place.run().load(b"One").publish().unchanged
        assert place.run().load(b"One", digest="v1:3").publish().unchanged
