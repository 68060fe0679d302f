"""What a plan carries of an export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.config.freezing import config_hash, freeze
from bifrost_export.config.loader import load_export
from bifrost_export.config.models.export import Export
from bifrost_export.config.references.resolver import Resolver
from bifrost_export.destinations.s3.config import S3Config
from bifrost_export.errors import ConfigError, DocumentError
from tests.unit.config.documents import POINTER, document, export, loaded, to_s3, write

KEYS = {"access_key_id": "CANARY-ID", "secret_access_key": "${SECRET}"}


def frozen(folder: Path, content: Any) -> dict[str, Any]:
    """The first export of a document, frozen."""
    return freeze(loaded(folder, content).exports[0])


def test_it_holds_references_and_no_literal_secret(tmp_path: Path) -> None:
    """A literal one is named by its place in the document."""
    found = frozen(tmp_path, document(to_s3(credentials=KEYS, tags={"a": "${BIFROST_EXPORT_VALUE_A}"})))
    config = found["export"]["destination"]["config"]
    place = f"{POINTER}/destination/config/credentials/access_key_id"
    assert config["credentials"] == {"access_key_id": {"$document": place}, "secret_access_key": "${SECRET}"}
    assert config["tags"] == {"a": "${BIFROST_EXPORT_VALUE_A}"}
    assert "CANARY" not in json.dumps(found)


def test_a_default_is_as_literal_as_a_value(tmp_path: Path) -> None:
    """It stays in the document too."""
    keys = {"access_key_id": "${A:-CANARY}", "secret_access_key": "x${B}"}
    assert "CANARY" not in json.dumps(frozen(tmp_path, document(to_s3(credentials=keys))))


def test_it_says_where_the_export_stands(tmp_path: Path) -> None:
    """And reads back as the same export."""
    found = frozen(tmp_path, document(logs_store={"type": "sqlite", "config": {"path": "a.db"}}))
    assert found["name"] == "nightly"
    assert found["document"] == str(tmp_path / "log_exports.json")
    assert (found["pointer"], found["source_pointer"]) == (POINTER, "/logs_store")
    assert found["source"] == {"type": "sqlite", "config": {"path": "a.db"}}
    assert found["staging"]["keep_days"] == 7
    assert json.loads(json.dumps(found)) == found
    assert Export.model_validate(found["export"], strict=False) == Export.model_validate(export(), strict=False)


def test_a_resolver_gives_back_what_was_written(tmp_path: Path) -> None:
    """Also from a document that has other exports before it."""
    path = write(tmp_path / "a.json", document(export(name="first"), to_s3(credentials=KEYS)))
    found = freeze(load_export(path, "nightly"))
    told: list[str] = []
    resolver = Resolver({"SECRET": "s"}, {"EXPORT_NAME": "nightly"}, path, told.append)
    pointer = f"{found['pointer']}/destination/config"
    config = resolver.resolve(found["export"]["destination"]["config"], S3Config, pointer)
    assert config["credentials"] == {"access_key_id": "CANARY-ID", "secret_access_key": "s"}
    assert {"CANARY-ID", "s"} <= set(told)
    write(path, document(to_s3(credentials=KEYS)))
    with pytest.raises(ConfigError, match=r"changed in the middle of the run\. Clear from plan"):
        resolver.resolve(found["export"]["destination"]["config"], S3Config, pointer)


def test_another_exports_secret_is_not_taken(tmp_path: Path) -> None:
    """When the exports of a document have changed places in the middle of a run."""
    other = {**to_s3(credentials={**KEYS, "access_key_id": "OTHER"}), "name": "other"}
    path = write(tmp_path / "a.json", document(to_s3(credentials=KEYS), other))
    found = freeze(load_export(path, "nightly"))
    write(path, document(other, to_s3(credentials=KEYS)))
    resolver = Resolver({"SECRET": "s"}, {"EXPORT_NAME": "nightly"}, path)
    with pytest.raises(ConfigError, match="not in the document"):
        resolver.resolve(found["export"]["destination"]["config"], S3Config, f"{POINTER}/destination/config")


def test_a_broken_export_isnt_frozen(tmp_path: Path) -> None:
    """Its problems are raised."""
    with pytest.raises(DocumentError, match="data is 1"):
        frozen(tmp_path, document(export(data=1)))


def test_the_hash_tells_what_the_output_depends_on(tmp_path: Path) -> None:
    """Export and source count; how the document is laid out, its other exports and literal secrets don't."""
    wanted = config_hash(frozen(tmp_path, document(to_s3(credentials=KEYS))))
    assert len(wanted) == 64
    same = [
        json.dumps(document(to_s3(credentials=KEYS), export(name="other"))),
        document(to_s3(credentials={**KEYS, "access_key_id": "ANOTHER"})),
        document({**to_s3(credentials=KEYS), "enabled": True}),
    ]
    assert {config_hash(frozen(tmp_path, each)) for each in same} == {wanted}
    others = [
        document(to_s3(credentials=KEYS, prefix="x/")),
        document({**to_s3(credentials=KEYS), "data": {"max_rows_per_file": 5}}),
        document(to_s3(credentials=KEYS), logs_store={"type": "sqlite"}),
    ]
    assert wanted not in {config_hash(frozen(tmp_path, each)) for each in others}
