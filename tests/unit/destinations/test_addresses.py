"""Where an address leads: a bucket and a key, a folder and what is in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bifrost_export.destinations.object_store.addresses import local_path, local_root, open_bucket, type_of
from bifrost_export.errors import ConfigError


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("s3://bucket/a/b.json", "a/b.json"),
        ("s3://bucket", ""),
        ("s3://bucket/bucket/x", "bucket/x"),
        ("gs://bucket/a/b.json", "a/b.json"),
        ("https://account.blob.core.windows.net/container/a/b.json", "a/b.json"),
        ("abfss://container@account.dfs.core.windows.net/a/b.json", "a/b.json"),
        ("wasbs://container@account.blob.core.windows.net/a/b.json", "a/b.json"),
    ],
)
def test_a_bucket_is_opened_with_the_key_in_it(address: str, key: str) -> None:
    """Nothing is asked of it yet."""
    found = open_bucket(address)
    assert found is not None
    assert found[1] == key


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("s3://bucket/key", "s3"),
        ("gs://bucket/key", "gcs"),
        ("gcs://bucket/key", "gcs"),
        ("https://account.blob.core.windows.net/container/key", "azure_blob"),
        ("http://127.0.0.1:10000/account/container/key", "azure_blob"),
        ("wasbs://container@account.blob.core.windows.net/key", "azure_blob"),
        ("az://container/key", "azure_blob"),
        ("snowflake://account/db/schema/table/export/window", "snowflake"),
        ("file:///a/b.json", None),
        ("a/b.json", None),
    ],
)
def test_an_address_tells_the_type_of_its_destination(address: str, found: str | None) -> None:
    """A file's has none: nobody signs in."""
    assert type_of(address) == found


def test_a_container_may_be_named_alone_where_a_connection_knows_the_account() -> None:
    """Without one nobody does."""
    found = open_bucket("az://container/a/b.json", "somewhere")
    assert found is not None
    assert found[1] == "a/b.json"
    assert open_bucket("az://container/a/b.json") is None


@pytest.mark.parametrize("address", ["a/b.json", "/a/b.json", "file:///a/b.json", "ftp://bucket/key", "s3:///key"])
def test_other_addresses_are_no_bucket(address: str) -> None:
    """They are left to others."""
    assert open_bucket(address) is None


def test_a_path_may_be_written_as_a_url() -> None:
    """With its odd characters quoted."""
    assert local_path("file:///a/b%20c.json") == Path("/a/b c.json")
    assert local_path("/a/b%20c.json") == Path("/a/b%20c.json")
    with pytest.raises(ConfigError, match="ftp://bucket/key"):
        local_path("ftp://bucket/key")


@pytest.mark.parametrize("root", ["", "logs/", "logs/daily/"])
@pytest.mark.parametrize("is_there", [True, False])
def test_the_folder_of_keys_is_found_from_the_manifest(tmp_path: Path, root: str, is_there: bool) -> None:
    """By the files, and by the keys' first folders when the files are gone."""
    manifest = tmp_path / f"{root}_manifests/nightly/window.json"
    keys = [f"{root}request_logs/part-1", f"{root}_rejected/nightly/r"]
    if is_there:
        (tmp_path / keys[1]).parent.mkdir(parents=True)
        (tmp_path / keys[1]).touch()
    assert local_root(manifest, keys) == tmp_path


def test_without_keys_it_is_the_folder_that_holds_the_manifests(tmp_path: Path) -> None:
    """An empty window names none."""
    assert local_root(tmp_path / "_manifests/nightly/window.json", []) == tmp_path
