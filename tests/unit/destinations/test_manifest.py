"""The manifest and its published JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from bifrost_export.destinations.manifest import json_schema
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
