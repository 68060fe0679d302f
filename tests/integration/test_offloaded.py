"""Rows whose payload the gateway has offloaded: completed from S3 and Cloud Storage, bounded, counted, told."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bifrost_export.errors import LogStoreBusyError, LogStoreError
from bifrost_export.logstore.payloads import objects
from bifrost_export.logstore.postgres.address import from_address
from bifrost_export.sample import postgres_tables as in_postgres
from bifrost_export.sample.sqlite_tables import add_rows, create
from bifrost_export.window import Window
from tests import independent
from tests.conftest import SAMPLE_WINDOW
from tests.integration.exports import Export
from tests.servers.buckets import Buckets
from tests.servers.fault_proxy import fault_proxy
from tests.servers.identities import identity
from tests.servers.payload_gcs import OpenCloudStorage
from tests.support.offloading import offloaded
from tests.support.postgres_rows import rows_of

DAY = Window.parse("2026-03-01", "2026-03-02")
CANARY = "the-prompt-of-canary-4711"
KEYS = {"access_key_id": "AKIADEMO0000EXAMPLE0", "secret_access_key": "env.PAYLOAD_SECRET"}
REFUSED = pytest.mark.parametrize("actions", [[], ["s3:ListBucket"]], ids=["no right", "no right to read"])


@pytest.fixture
def rows(sample_store: Path) -> list[dict[str, Any]]:
    """Plausible rows, each with a prompt that nobody may see; failed and passthrough ones among them."""
    every = [{**row, "input_history": json.dumps([CANARY])} for row in rows_of(sample_store)]
    passing = [row for row in every if str(row.get("object_type")).startswith("passthrough")]
    failed = [row for row in every if row["status"] != "success" and row not in passing]
    found = [*passing[:30], *failed[:40], *(row for row in every[:150] if not needs(row))]
    assert any(row["status"] == "error" and row.get("error_details") for row in found)
    assert any(str(row.get("object_type")).startswith("passthrough") and row.get("params") for row in found)
    return found


class Lab:
    """A bucket with payloads, and log stores whose rows lack them.

    Args:
        folder: Where log stores, documents and outputs stand.
        rows: The rows before they were offloaded.
        buckets: The S3 server.
    """

    def __init__(self, folder: Path, rows: list[dict[str, Any]], buckets: Buckets) -> None:
        self.folder = folder
        self.rows = rows
        self.buckets = buckets
        self.bucket = buckets.make_bucket()
        self.whole = folder / "whole.db"
        create(self.whole)
        add_rows(self.whole, rows)
        self.store = folder / "logs.db"
        create(self.store)
        self.left: list[dict[str, Any]] = []
        self.objects: dict[str, bytes] = {}
        for index, row in enumerate(rows):
            [(left, key, data)] = offloaded([row], compress=index % 2 == 0)
            self.left.append(left)
            if needs(row):  # of the others no object is there: asking for one of them would count it as gone
                self.objects[key] = data
        add_rows(self.store, self.left)

    def put(self) -> None:
        """Upload the payloads."""
        for key, data in self.objects.items():
            self.buckets.client.put_object(Bucket=self.bucket, Key=key, Body=data)

    def storage(self, **over: Any) -> dict[str, Any]:
        """`object_storage` of a source."""
        found = {"type": "s3", "bucket": self.bucket, "region": "us-west-2", "endpoint": self.buckets.url, **KEYS}
        return {key: value for key, value in {**found, **over}.items() if value is not None}

    def export(self, name: str = "completed", **config: Any) -> Export:
        """An export of the log store whose rows lack their payloads."""
        wanted = {"path": str(self.store), "object_storage": self.storage(), **config}
        source = {"type": "sqlite", "config": {key: value for key, value in wanted.items() if value is not None}}
        return Export(self.folder / name, self.store, source=source)


def needs(row: dict[str, Any]) -> bool:
    """Whether a record of the row is made of its payload."""
    return row["status"] not in ("success", "processing") or str(row.get("object_type")).startswith("passthrough")


@pytest.fixture
def lab(tmp_path: Path, rows: list[dict[str, Any]], buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab of the test's own."""
    monkeypatch.setenv("PAYLOAD_SECRET", buckets.server.secret_access_key)
    return Lab(tmp_path, rows, buckets)


def table(export: Export) -> list[dict[str, Any]]:
    """The published records, times in microseconds."""
    found = pa.concat_tables([pq.read_table(pa.BufferReader(data)) for data in export.parts().values()])
    return found.set_column(0, "timestamp", found.column("timestamp").cast(pa.int64())).to_pylist()


def counts(told: dict[str, Any]) -> dict[str, int]:
    """What became of the rows that needed their payload."""
    return {name: rows for name, rows in told["datasets"]["request_logs"].get("offloaded", {}).items() if rows}


def test_completed_rows_are_those_that_were_never_offloaded(lab: Lab) -> None:
    """The same bytes as of a store that kept its payloads, and what an independent reading of that one says."""
    lab.put()
    completed, whole = lab.export(), Export(lab.folder / "whole", lab.whole)

    told = completed.run(SAMPLE_WINDOW)
    whole.run(SAMPLE_WINDOW)

    assert list(completed.parts().values()) == list(whole.parts().values())
    records, _, _ = independent.rows(lab.whole, SAMPLE_WINDOW.start, SAMPLE_WINDOW.end)
    assert table(completed) == records
    assert counts(told) == {"completed": len(lab.objects)}
    assert counts(completed.manifest(SAMPLE_WINDOW)) == counts(told)


def test_postgres_gives_the_same_bytes(lab: Lab, postgres_store: str) -> None:
    """Whichever log store the rows are in."""
    lab.put()
    with in_postgres.writing(postgres_store) as write:
        in_postgres.insert(write, lab.left)
    config = {**from_address(postgres_store, "the test"), "object_storage": lab.storage()}
    of_postgres = Export(lab.folder / "postgres", lab.store, source={"type": "postgres", "config": config})
    of_sqlite = lab.export()

    told = of_postgres.run(SAMPLE_WINDOW)

    assert counts(told) == counts(of_sqlite.run(SAMPLE_WINDOW)) == {"completed": len(lab.objects)}
    assert list(of_postgres.parts().values()) == list(of_sqlite.parts().values())


def test_cloud_storage_completes_too(lab: Lab, open_gcs: OpenCloudStorage) -> None:
    """Through an Airflow connection; half of the objects are compressed."""
    bucket = open_gcs.client().create_bucket("payloads-complete")
    for key, data in lab.objects.items():
        bucket.blob(key).upload_from_string(data, "application/json")
    storage = {"type": "gcs", "bucket": "payloads-complete", "conn_id": "anonymous"}
    completed, whole = lab.export(object_storage=storage), Export(lab.folder / "whole", lab.whole)

    told = completed.run(SAMPLE_WINDOW)
    whole.run(SAMPLE_WINDOW)

    assert counts(told) == {"completed": len(lab.objects)}
    assert list(completed.parts().values()) == list(whole.parts().values())


def test_a_bucket_of_cloud_storage_that_is_missing_fails_the_run(lab: Lab, open_gcs: OpenCloudStorage) -> None:
    """It is not taken for objects that are gone."""
    storage = {"type": "gcs", "bucket": "no-such-bucket", "conn_id": "anonymous"}

    with pytest.raises(LogStoreError, match=r"answered 404.*no such bucket"):
        lab.export(object_storage=storage).run(DAY)


def test_bifrosts_own_key_names_the_store(lab: Lab) -> None:
    """`logs_store` with its `object_storage`, whose unknown keys are left alone; no secret reaches the manifest."""
    lab.put()
    export = lab.export()
    document = json.loads(export.document().read_text())
    del document["log_exports"]["source"]
    store = {"enabled": True, "type": "sqlite", "config": {"path": str(lab.store)}}
    literal = lab.storage(secret_access_key=lab.buckets.server.secret_access_key, some_new_key=1)
    document["logs_store"] = {**store, "object_storage": literal}
    path = export.document()
    path.write_text(json.dumps(document))
    export.document = lambda: path  # type: ignore[method-assign]
    known: list[str] = []
    export.runtime = {"on_secret": known.append}

    told = export.run(SAMPLE_WINDOW)

    assert counts(told) == {"completed": len(lab.objects)}
    assert lab.buckets.server.secret_access_key in known
    assert lab.buckets.server.secret_access_key not in json.dumps(export.manifest(SAMPLE_WINDOW))


def test_no_payload_reaches_staging_manifest_or_output(lab: Lab) -> None:
    """Of an object only the wanted columns are kept."""
    lab.put()
    assert all(CANARY in gunzipped(data) for data in lab.objects.values())
    seen: list[str] = []
    export = lab.export()
    export.runtime = {"report": lambda event, facts: seen.append(f"{event} {facts} {staged(export)}")}

    export.run(SAMPLE_WINDOW)

    assert any("extract" in each for each in seen)
    assert not any(CANARY in each for each in seen)
    assert not any(CANARY.encode() in data for data in export.contents().values())


def staged(export: Export) -> str:
    """All that is staged, unpacked by a reader of Arrow where it is Arrow."""
    found = []
    for path in (export.folder / "staging").rglob("*"):
        if path.suffix == ".arrow":
            found.append(str(pa.ipc.open_file(path).read_all().to_pylist()) if is_whole(path) else "")
        elif path.is_file():
            found.append(path.read_text(errors="replace"))
    return "".join(found)


def is_whole(path: Path) -> bool:
    """Whether an Arrow file has been written to its end."""
    return path.read_bytes()[-6:] == b"ARROW1"


def gunzipped(data: bytes) -> str:
    """The text of an object."""
    return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()


def test_gone_and_broken_objects_are_counted_and_their_rows_exported(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what the row still has: an error without details is a 500."""
    monkeypatch.setattr(objects, "MOST_UNPACKED", 64 << 10)
    monkeypatch.setattr(objects, "SMALL_UNPACKED", 32 << 10)
    lab.put()
    keys = list(lab.objects)
    broken = [
        b"",
        b"no JSON",
        b"[1]",
        b'{"error_details": 5, "params": 5}',
        gzip.compress(b"{}")[:-4],
        gzip.compress(b"x" * (64 << 10) + b"x"),
        b"\x1f\x8bno gzip",
        b"[" * 100_000,
    ]
    for key, data in zip(keys, broken, strict=False):
        lab.buckets.client.put_object(Bucket=lab.bucket, Key=key, Body=data)
    gone = keys[-5:]
    for key in gone:
        lab.buckets.client.delete_object(Bucket=lab.bucket, Key=key)

    export = lab.export()
    told = export.run(SAMPLE_WINDOW)

    rest = len(keys) - len(broken) - len(gone)
    assert counts(told) == {"completed": rest, "gone": len(gone), "broken": len(broken)}
    records, _, _ = independent.rows(lab.whole, SAMPLE_WINDOW.start, SAMPLE_WINDOW.end)
    lost = {key.rpartition("/")[2].removesuffix(".json.gz") for key in [*keys[: len(broken)], *gone]}
    kept, _, _ = independent.rows(lab.store, SAMPLE_WINDOW.start, SAMPLE_WINDOW.end)
    bare = {record["request_id"]: record for record in kept}
    assert table(export) == [bare[each["request_id"]] if each["request_id"] in lost else each for each in records]


def test_a_large_object_is_read_in_two_stretches(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The result does not show where the first one ended."""
    monkeypatch.setattr(objects, "SMALL", 64)
    monkeypatch.setattr(objects, "SMALL_UNPACKED", 128)
    lab.put()

    export, whole = lab.export(), Export(lab.folder / "whole", lab.whole)
    told = export.run(DAY)
    whole.run(DAY)

    assert set(counts(told)) == {"completed"}
    assert list(export.parts().values()) == list(whole.parts().values())


Fault = Callable[[Lab], dict[str, Any]]
FAULTS: dict[str, tuple[Fault, str]] = {
    "no storage named": (lambda lab: {"object_storage": None}, "no object storage is named"),
    "no bucket": (lambda lab: {"object_storage": lab.storage(bucket="no-such-bucket-here")}, "NoSuchBucket"),
    "no connection": (
        lambda lab: {
            "object_storage": lab.storage(conn_id="nowhere", access_key_id=None, secret_access_key=None),
        },
        "no Airflow connection 'nowhere'",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_without_access_the_run_fails_or_counts(lab: Lab, fault: str) -> None:
    """`fail` says that `skip` is a way out; `skip` exports the rows by what they have, and warns."""
    change, message = FAULTS[fault]

    with pytest.raises(LogStoreError, match=message) as caught:
        lab.export("failing", **change(lab)).run(DAY)
    told: list[tuple[str, Any]] = []
    export = lab.export("skipping", **change(lab), offloaded="skip")
    export.runtime = {"report": lambda event, facts: told.append((event, facts))}
    found = export.run(DAY)

    assert 'offloaded: "skip"' in str(caught.value) or fault == "no connection"
    assert set(counts(found)) == {"skipped"}
    kept, _, _ = independent.rows(lab.store, DAY.start, DAY.end)
    assert table(export) == kept
    [warning] = [facts["message"] for event, facts in told if event == "warning"]
    assert message in warning


@REFUSED
def test_refused_credentials_fail_with_what_to_grant(lab: Lab, actions: list[str]) -> None:
    """A right that is missing is named, and its way out."""
    lab.put()
    with identity(lab.buckets.server, actions) as (key_id, secret):
        storage = lab.storage(access_key_id=key_id, secret_access_key=secret)
        with pytest.raises(LogStoreError, match="AccessDenied") as caught:
            lab.export(object_storage=storage).run(DAY)

    assert "s3:GetObject and s3:ListBucket" in str(caught.value)
    assert secret not in str(caught.value)


def test_passing_faults_are_tried_again_by_the_client(lab: Lab) -> None:
    """Three answers of 503 and a lost one change nothing."""
    lab.put()
    with fault_proxy(lab.buckets.url) as proxy:
        proxy.arm(lambda number, request: {1: "503", 3: "503", 5: "lose", 8: "503"}.get(number, "pass"))
        told = lab.export(object_storage=lab.storage(endpoint=proxy.url)).run(DAY)

    assert set(counts(told)) == {"completed"}


@pytest.mark.parametrize("mode", ["fail", "skip"])
def test_a_store_that_only_throttles_is_a_passing_fault(lab: Lab, mode: str) -> None:
    """The task tries again, with `skip` too: what passes would change what is exported."""
    one = [row for row in lab.left if needs(row)][:1]
    lab.store = lab.folder / "one.db"
    create(lab.store)
    add_rows(lab.store, one)
    with fault_proxy(lab.buckets.url) as proxy:
        proxy.arm(lambda number, request: "503")
        with pytest.raises(LogStoreBusyError, match="answered 503"):
            lab.export(object_storage=lab.storage(endpoint=proxy.url), offloaded=mode).run(SAMPLE_WINDOW)


def test_a_store_without_the_column_asks_for_nothing(lab: Lab, sample_store: Path) -> None:
    """Rows that kept their payloads, or never had a column `has_object`, need no access."""
    storage = lab.storage(endpoint="http://127.0.0.1:9")
    source = {"type": "sqlite", "config": {"path": str(sample_store), "object_storage": storage}}

    assert counts(Export(lab.folder / "plain", sample_store, source=source).run(DAY)) == {}
