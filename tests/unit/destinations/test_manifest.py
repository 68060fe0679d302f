"""The manifest and its published JSON Schema."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from bifrost_export.destinations.object_store.manifest import Manifest, json_schema
from bifrost_export.destinations.object_store.manifest_reader import judged
from bifrost_export.destinations.object_store.port import MOST
from bifrost_export.destinations.port import Landed
from bifrost_export.errors import ForeignManifestError
from bifrost_export.testing.object_store_runs import manifest_body
from bifrost_export.window import Window
from tests.integration.exports import Export

INCLUDE = Path(__file__).parents[3] / "include"
DAY = Window.parse("2026-03-01", "2026-03-02")


def test_the_published_schema_is_that_of_the_package() -> None:
    """`bifrost-export schema --manifest > include/manifest.schema.json` writes it anew."""
    Draft202012Validator.check_schema(json_schema())
    assert json.loads((INCLUDE / "manifest.schema.json").read_text("utf-8")) == json_schema()


def test_published_manifests_are_of_the_published_shape(tmp_path: Path, sample_store: Path) -> None:
    """The first revision, and one that follows it."""
    validator = Draft202012Validator(json_schema())
    for size in (500, 300):
        export = Export(tmp_path, sample_store, {"max_rows_per_file": size})
        export.run(DAY)
        manifest = export.manifest(DAY)
        assert list(validator.iter_errors(manifest)) == []
        assert not validator.is_valid({**manifest, "colour": "blue"})
    assert manifest["former"]["revision"] == 1


def test_a_manifest_of_many_thousand_parts_that_replaces_as_many_is_read() -> None:
    """With long keys, and the manifest that it followed."""
    folder = f"logs/{'some-folder/' * 8}request_logs/"
    key = f"{folder}nightly__request_logs__{DAY.name}__{{:08x}}__part-{{:05d}}-of-12000.parquet"
    digest = f"v1:{'0' * 64}"
    landed = [
        [Landed(key.format(token, number), 1, 1, "0" * 64, content_digest=digest) for number in range(12_000)]
        for token in range(2)
    ]
    former, mine = (manifest_body(DAY, tuple(each)) | {"revision": 1, "token": "0badcafe"} for each in landed)
    mine |= {"former": former, "replaces": [part.key for part in landed[0]]}
    data = Manifest.model_validate(mine, strict=False).to_bytes()

    manifest = judged(f"logs/_manifests/nightly/{DAY.name}.json", data)

    assert len(manifest.keys()) == len(manifest.replaces) == 12_000
    assert len(data) < MOST / 2


@pytest.mark.parametrize(
    "data",
    [b"[" * 200_000, b"[" + b"0," * 15_000_000 + b"0]", b'{"a":' * 90_000, b'{"rows": ' + b"9" * 30_000_000, b'"' * 9],
    ids=["nested", "many values", "nested objects", "a long number", "quotes"],
)
def test_what_is_no_manifest_takes_little_memory(data: bytes) -> None:
    """It is refused as such, whatever it holds."""
    tracemalloc.start()
    try:
        with pytest.raises(ForeignManifestError):
            judged(f"logs/_manifests/nightly/{DAY.name}.json", data)
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024 * 1024
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("start", "end", "planned"),
    [
        ("2000-01-01", "2099-01-01", "2026-03-02T00:00:00Z"),
        ("2000-01-01", "2026-01-01", "2026-03-02T00:00:00Z"),
        ("2026-01-01", "2030-01-01", "2026-03-02T00:00:00Z"),
        ("2026-01-01", "2026-02-01", "some day"),
    ],
)
def test_a_window_that_no_run_can_have_published_is_not_believed(start: str, end: str, planned: str) -> None:
    """Too long, or far beyond the run that is said to have published it."""
    window = Window.parse(start, end)
    body = manifest_body(window, ()) | {"revision": 1, "token": "0badcafe", "export_timestamp": planned}
    key = f"logs/_manifests/nightly/{window.name}.json"

    with pytest.raises(ForeignManifestError, match="its "):
        judged(key, json.dumps(body).encode())
