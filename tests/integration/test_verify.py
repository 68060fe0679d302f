"""`bifrost-export verify`: every file of a published window is read again, and every difference told."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.cli.group import execute
from bifrost_export.window import Window
from tests.integration.commands import KEY_ID, SECRET, Desk, bucket_of
from tests.servers.buckets import Buckets
from tests.servers.fault_proxy import at, fault_proxy
from tests.support.odd_rows import plant

DAY = Window.parse("2026-03-01", "2026-03-02")


def verify(desk: Desk, *arguments: str) -> tuple[int, Any]:
    """Exit code and JSON of `verify`."""
    code = execute(["verify", *arguments, "--format", "json"])
    printed = desk.capsys.readouterr()
    assert "Traceback" not in printed.err
    assert SECRET not in printed.out + printed.err
    return code, json.loads(printed.out)


@pytest.fixture
def published(desk: Desk) -> dict[str, Any]:
    """One day, published in several parts and a file of rejected rows."""
    plant(desk.log_store, DAY)
    desk.data = {"max_rejected": "50%", "max_rows_per_file": 400}
    return desk.run("2026-03-01", "2026-03-02")


def parts(desk: Desk, published: dict[str, Any]) -> list[Path]:
    """The files of the parts."""
    return [desk.out / part["key"] for part in published["datasets"]["request_logs"]["parts"]]


def edit(published: dict[str, Any], change: Callable[[dict[str, Any]], None]) -> None:
    """Change a manifest by hand."""
    path = Path(published["manifest"])
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_what_was_published_agrees(desk: Desk, published: dict[str, Any]) -> None:
    """By the address that `run` tells, by a path from elsewhere, by a URL."""
    path = Path(published["manifest"])
    for address in (str(path), path.as_uri()):
        assert verify(desk, address) == (0, {"ok": True, "problems": []})
    assert execute(["verify", str(path)]) == 0
    entry = published["datasets"]["request_logs"]
    files = len(entry["parts"]) + 1
    assert f"agrees {files} files, {entry['exported']:,} rows" in desk.capsys.readouterr().out


def test_a_relative_path_is_taken_from_where_one_stands(
    desk: Desk, published: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files are found from there, however deep the root of the prefix is."""
    path = Path(published["manifest"])
    monkeypatch.chdir(path.parent)
    assert verify(desk, path.name)[0] == 0


def test_an_empty_window_agrees(desk: Desk) -> None:
    """It has no part to compare."""
    assert verify(desk, desk.run("2026-02-01", "2026-02-02")["manifest"]) == (0, {"ok": True, "problems": []})


def test_a_folder_that_was_moved_agrees(desk: Desk, published: dict[str, Any]) -> None:
    """Keys are relative."""
    moved = desk.out.rename(desk.folder / "elsewhere")
    manifest = moved / Path(published["manifest"]).relative_to(desk.out)
    assert verify(desk, str(manifest))[0] == 0


def test_a_part_that_is_gone_is_named(desk: Desk, published: dict[str, Any]) -> None:
    """By its key."""
    gone = parts(desk, published)[1]
    gone.unlink()
    code, found = verify(desk, published["manifest"])
    assert (code, found["ok"]) == (1, False)
    assert found["problems"] == [f"{gone.relative_to(desk.out)} is not there"]


def test_all_parts_gone_are_named(desk: Desk, published: dict[str, Any]) -> None:
    """Their folder is told by the keys alone then."""
    for path in [*parts(desk, published), *desk.out.glob("logs/_rejected/**/*.gz")]:
        path.unlink()
    _, found = verify(desk, published["manifest"])
    assert len(found["problems"]) == 1 + len(parts(desk, published))
    assert all(problem.startswith("logs/") for problem in found["problems"])


def test_a_byte_that_changed_is_found(desk: Desk, published: dict[str, Any]) -> None:
    """Also one that no reader of the rows would see."""
    path = parts(desk, published)[0]
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    code, found = verify(desk, published["manifest"])
    assert code == 1
    assert any("sha256" in problem and path.name in problem for problem in found["problems"])


def test_a_part_that_is_cut_short_is_told_in_words(desk: Desk, published: dict[str, Any]) -> None:
    """Its size, and that it can't be read."""
    path = parts(desk, published)[0]
    path.write_bytes(path.read_bytes()[:-100])
    _, found = verify(desk, published["manifest"])
    told = " ".join(found["problems"])
    assert "has bytes" in told
    assert "can't be read as parquet" in told


def test_a_part_in_anothers_place_is_found(desk: Desk, published: dict[str, Any]) -> None:
    """Its rows are the same in number, and not the same."""
    first, second = parts(desk, published)[:2]
    first.write_bytes(second.read_bytes())
    _, found = verify(desk, published["manifest"])
    told = " ".join(found["problems"])
    assert "min_timestamp" in told
    assert "request_logs: input_tokens" in told


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda entry: entry.update(exported=entry["exported"] + 1), "exported against the rows of the parts"),
        (lambda entry: entry.update(source=entry["source"] + 1), "source against kept + filtered + rejected"),
        (lambda entry: entry["filtered_by"].update(models=3), "filtered against the sum over the rules"),
        (lambda entry: entry["sums"]["exported"].update(input_tokens=1), "request_logs: input_tokens"),
        (lambda entry: entry["sums"]["exported"].update(cost_usd=0.5), "request_logs: cost_usd"),
        (lambda entry: entry["parts"][0].update(rows=399), "has rows 400 instead of 399"),
        (lambda entry: entry["parts"][0].update(max_timestamp=None), "instead of None"),
    ],
    ids=["exported", "source", "filtered", "tokens", "cost", "rows", "time"],
)
def test_a_manifest_that_tells_other_figures_is_found(
    desk: Desk, published: dict[str, Any], change: Callable[[dict[str, Any]], None], problem: str
) -> None:
    """Each of them is compared."""
    edit(published, lambda document: change(document["datasets"]["request_logs"]))
    code, found = verify(desk, published["manifest"])
    assert code == 1
    assert any(problem in each for each in found["problems"]), found


def test_the_file_of_rejected_rows_is_compared_too(desk: Desk, published: dict[str, Any]) -> None:
    """Its bytes, and its lines."""
    [path] = desk.out.glob("logs/_rejected/**/*.gz")
    path.write_bytes(gzip.compress(b'{"one": "line"}\n'))
    _, found = verify(desk, published["manifest"])
    told = " ".join(found["problems"])
    assert "has rows 1 instead of" in told
    path.write_bytes(b"no gzip")
    assert any("can't be read as gzip" in each for each in verify(desk, published["manifest"])[1]["problems"])


def test_a_withdrawn_window_is_told_as_such(desk: Desk, published: dict[str, Any]) -> None:
    """Its files may be gone, and are no matter any more."""
    edit(published, lambda document: document.update(withdrawn=True))
    parts(desk, published)[0].unlink()
    assert verify(desk, published["manifest"]) == (
        1,
        {"ok": False, "problems": ["the window was withdrawn: it counts as not published"]},
    )


def test_a_replaced_window_is_told_as_such(desk: Desk, published: dict[str, Any]) -> None:
    """With the window that replaced it."""
    path = Path(published["manifest"])
    kept = path.read_bytes()
    desk.run("2026-03-01", "2026-03-03", "--replace-overlapping")
    path.write_bytes(kept)
    code, found = verify(desk, published["manifest"])
    assert code == 1
    [problem] = found["problems"]
    assert "replaced by [2026-03-01T00:00:00Z, 2026-03-03T00:00:00Z)" in problem


def test_another_windows_name_is_found(desk: Desk, published: dict[str, Any]) -> None:
    """A copy under a wrong name is no manifest of that window."""
    copy = Path(published["manifest"]).with_name("20260401T000000Z_20260402T000000Z.json")
    copy.write_bytes(Path(published["manifest"]).read_bytes())
    assert "is of the window" in verify(desk, str(copy))[1]["problems"][0]


@pytest.mark.parametrize(
    "named",
    [
        "{outside}",
        "../{name}",
        "logs/../{name}",
        "logs/request_logs/../../{name}",
        "prod/{part}",
        "logs/request_logs/{name}",
        "logs/_manifests/nightly/{day}.json",
    ],
)
def test_a_key_that_is_no_file_of_the_window_is_told_and_not_followed(
    desk: Desk, published: dict[str, Any], named: str
) -> None:
    """Above the root, beside it, by an absolute path, or by another name."""
    first = parts(desk, published)[0]
    outside = desk.folder / "notes.parquet"
    outside.write_bytes(first.read_bytes())
    (desk.out / "logs/request_logs" / outside.name).parent.mkdir(parents=True, exist_ok=True)
    (desk.out / "logs/request_logs" / outside.name).write_bytes(first.read_bytes())
    copied = desk.out / "prod" / first.relative_to(desk.out)
    copied.parent.mkdir(parents=True)
    copied.write_bytes(first.read_bytes())
    key = named.format(outside=outside, name=outside.name, part=first.relative_to(desk.out), day=DAY.name)
    edit(published, lambda document: document["datasets"]["request_logs"]["parts"][0].update(key=key))

    code, found = verify(desk, published["manifest"])

    assert code == 1
    assert found["problems"] == [f"{key} is no file of this export's window below its root: it was not read"]


def test_what_is_no_manifest_is_a_problem(desk: Desk) -> None:
    """Told in a sentence."""
    path = desk.folder / "some.json"
    path.write_text('{"no": "manifest"}')
    assert verify(desk, str(path)) == (1, {"ok": False, "problems": [f"{path} is no manifest of version 1"]})


def test_a_bucket_is_read_by_the_exports_credentials(desk: Desk, buckets: Buckets) -> None:
    """By the address that `run` tells, and by the key alone."""
    desk.destination = bucket_of(buckets)
    bucket = desk.destination["config"]["bucket"]
    published = desk.run("2026-03-01", "2026-03-02")
    how = ("--config", desk.document, "--export", "nightly")
    assert verify(desk, published["manifest"], *how) == (0, {"ok": True, "problems": []})
    key = published["manifest"].removeprefix(f"s3://{bucket}/")
    assert verify(desk, key, *how)[0] == 0

    part = published["datasets"]["request_logs"]["parts"][0]["key"]
    buckets.client.delete_object(Bucket=bucket, Key=part)
    assert verify(desk, published["manifest"], *how)[1]["problems"] == [f"{part} is not there"]
    assert "is no address of this destination" in verify(desk, f"s3://other/{key}", *how)[1]["error"]["message"]


def test_a_bucket_is_read_by_the_default_chain(desk: Desk, buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> None:
    """No document is needed."""
    desk.destination = bucket_of(buckets)
    published = desk.run("2026-03-01", "2026-03-02")
    monkeypatch.setenv("AWS_ENDPOINT_URL", buckets.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    assert verify(desk, published["manifest"]) == (0, {"ok": True, "problems": []})


def test_the_document_of_the_variable_signs_in(desk: Desk, buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address tells which of its exports; one of another kind leaves it to the default chain."""
    desk.destination = bucket_of(buckets)
    published = desk.run("2026-03-01", "2026-03-02")
    manifest = published["manifest"]
    assert verify(desk, manifest, "--config", desk.document) == (0, {"ok": True, "problems": []})
    monkeypatch.setenv("BIFROST_EXPORT_CONFIG", desk.document)
    assert verify(desk, manifest) == (0, {"ok": True, "problems": []})
    assert verify(desk, manifest, "--export", "other")[1]["error"]["type"] == "UnknownExportError"

    desk.destination = None
    at_home = desk.run("2026-03-01", "2026-03-02")["manifest"]
    assert verify(desk, at_home)[0] == 0
    monkeypatch.setenv("AWS_ENDPOINT_URL", buckets.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    assert verify(desk, manifest)[0] == 0


def test_a_download_that_breaks_off_is_one_message(desk: Desk, buckets: Buckets) -> None:
    """It is no difference: whoever asks may ask again."""
    with fault_proxy(buckets.url) as proxy:
        desk.destination = bucket_of(buckets, endpoint_url=proxy.url)
        published = desk.run("2026-03-01", "2026-03-02")
        how = ("--config", desk.document, "--export", "nightly")
        proxy.arm(at(0, "pass"))
        assert verify(desk, published["manifest"], *how)[0] == 0
        number = next(n for n, each in enumerate(proxy.requests, start=1) if "__part-" in each)
        proxy.arm(at(number, "cut"))
        code, found = verify(desk, published["manifest"], *how)
    assert (code, found["error"]["type"]) == (1, "DestinationUnavailableError")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere.json",), "there is no manifest nowhere.json"),
        (("ftp://host/key",), "of no kind that can be read"),
        (("x.json", "--config", "log_exports.json"), "there is no document log_exports.json"),
        (("x.json", "--export", "nightly"), "--export needs a document"),
    ],
    ids=["nothing there", "unknown kind", "no document there", "no document"],
)
def test_wrong_input_is_told(desk: Desk, arguments: tuple[str, ...], message: str) -> None:
    """With exit code 2 and one message."""
    code, found = verify(desk, *arguments)
    assert code == 2
    assert message in found["error"]["message"]
