"""Google Cloud Storage and Azure Blob Storage from end to end, through the commands; no secret is ever told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.commands import Desk
from tests.integration.test_check import by_step, failed
from tests.servers.azure import ACCOUNT, BlobStorage
from tests.servers.gcs import CloudStorage

DAY = ("2026-03-01", "2026-03-02")


class Cloud:
    """A fresh bucket or container, as the destination of a desk.

    Args:
        desk: The desk.
        config: Of the destination.
        contents: Every object with its bytes.
        secrets: What may never be told.
    """

    def __init__(
        self,
        desk: Desk,
        kind: str,
        config: dict[str, Any],
        contents: Callable[[], dict[str, bytes]],
        secrets: list[str],
    ) -> None:
        self.desk, self.kind, self.contents, self.secrets = desk, kind, contents, secrets
        desk.destination = {"type": kind, "config": config}

    @property
    def config(self) -> dict[str, Any]:
        """The destination's config, to change."""
        assert self.desk.destination is not None
        config: dict[str, Any] = self.desk.destination["config"]
        return config

    def told(self, command: str, *arguments: str) -> tuple[int, Any]:
        """As the desk does; no secret stands in the answer."""
        code, found = self.desk.told(command, *arguments)
        assert not [secret for secret in self.secrets if secret in json.dumps(found)]
        return code, found


@pytest.fixture
def gcs_cloud(desk: Desk, gcs: CloudStorage, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """A bucket, with an account's key by reference."""
    account = gcs.auth.make_account()
    monkeypatch.setenv("TEST_GCS_KEY", account.key_json)
    bucket = gcs.make_bucket()
    config = {"bucket": bucket, "prefix": "logs/{day}/", "credentials": {"service_account_key": "${TEST_GCS_KEY}"}}
    secrets = [line for line in account.key["private_key"].splitlines() if "-" not in line]
    return Cloud(desk, "gcs", config, lambda: gcs.contents(bucket), secrets)


@pytest.fixture
def azure_cloud(desk: Desk, azure: BlobStorage, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """A container, with the account's key by reference."""
    monkeypatch.setenv("TEST_AZURE_KEY", azure.key)
    container = azure.make_container()
    config = {
        "container": container,
        "account_name": ACCOUNT,
        "account_key": "${TEST_AZURE_KEY}",
        "endpoint_url": azure.url,
        "prefix": "logs/{day}/",
    }
    return Cloud(desk, "azure_blob", config, lambda: azure.contents(container), [azure.key])


@pytest.fixture(params=["gcs", "azure"])
def cloud(request: pytest.FixtureRequest) -> Cloud:
    """Each of them."""
    found: Cloud = request.getfixturevalue(f"{request.param}_cloud")
    return found


def test_a_window_is_checked_run_verified_and_told(cloud: Cloud) -> None:
    """A second run is unchanged, and an address is all that `verify` needs."""
    code, found = cloud.told("check")
    assert (code, failed(found)) == (0, [])
    assert cloud.contents() == {}

    published = cloud.desk.run(*DAY)
    before = cloud.contents()
    assert cloud.desk.run(*DAY)["unchanged"]
    assert cloud.contents() == before
    assert {f"{key}" for key in before} >= {part["key"] for part in published["datasets"]["request_logs"]["parts"]}

    how = ("--config", cloud.desk.document, "--export", "nightly")
    assert cloud.desk.verify(published["manifest"], *how)["ok"]
    code, found = cloud.told("status")
    assert (code, found["exports"][0]["windows"]) == (0, 1)


@pytest.mark.parametrize(
    ("format_", "compression"),
    [("csv", "gzip"), ("csv", "zstd"), ("json", "gzip"), ("json", "zstd"), ("json", "none"), ("arrow", "lz4")],
)
def test_a_file_of_any_format_is_read_again_where_it_lies(cloud: Cloud, format_: str, compression: str) -> None:
    """The streams that the clients give are read by every format's reader."""
    cloud.desk.data = {"format": format_, "compression": compression}
    published = cloud.desk.run(*DAY)

    assert cloud.desk.verify(published["manifest"], "--config", cloud.desk.document)["ok"]


def test_what_is_said_about_a_part_stands_beside_it_in_cloud_storage(gcs_cloud: Cloud, gcs: CloudStorage) -> None:
    """Media type, export, window, rows, storage class; on the manifest, its own."""
    gcs_cloud.config["storage_class"] = "NEARLINE"

    published = gcs_cloud.desk.run(*DAY)

    objects = gcs.describe(gcs_cloud.config["bucket"])
    (part,) = published["datasets"]["request_logs"]["parts"]
    found = objects[part["key"]]
    window = "20260301T000000Z_20260302T000000Z"
    assert found["contentType"] == "application/vnd.apache.parquet"
    assert found["metadata"] == {"export": "nightly", "window": window, "rows": str(part["rows"])}
    assert found["storageClass"] == "NEARLINE"
    assert objects[f"logs/_manifests/nightly/{window}.json"]["contentType"] == "application/json"


def test_what_is_said_about_a_part_stands_beside_it_in_azure(azure_cloud: Cloud, azure: BlobStorage) -> None:
    """Media type, export, window, rows, access tier and tags."""
    azure_cloud.config.update(access_tier="Cool", tags={"team": "data platform"})

    published = azure_cloud.desk.run(*DAY)

    (part,) = published["datasets"]["request_logs"]["parts"]
    with azure.client() as client, client.get_blob_client(azure_cloud.config["container"], part["key"]) as blob:
        found, tags = blob.get_blob_properties(), blob.get_blob_tags()
    assert found.content_settings.content_type == "application/vnd.apache.parquet"
    window = "20260301T000000Z_20260302T000000Z"
    assert found.metadata == {"export": "nightly", "window": window, "rows": str(part["rows"])}
    assert (found.blob_tier, tags) == ("Cool", {"team": "data platform"})


@pytest.mark.parametrize(
    ("step", "right"),
    [
        ("write", "storage.objects.create"),
        ("read", "storage.objects.get"),
        ("list", "storage.objects.list"),
        ("delete", "storage.objects.delete"),
    ],
)
def test_a_missing_permission_is_named_as_google_names_it(
    gcs_cloud: Cloud, gcs: CloudStorage, monkeypatch: pytest.MonkeyPatch, step: str, right: str
) -> None:
    """With the role that holds it."""
    every = {f"storage.objects.{name}" for name in ("create", "get", "list", "delete")}
    account = gcs.auth.make_account(frozenset(every - {right}))
    monkeypatch.setenv("TEST_GCS_KEY", account.key_json)

    code, found = gcs_cloud.told("check")

    check = by_step(found)[f"destination: {step}"]
    assert (code, check["ok"]) == (1, False)
    assert right in check["hint"]
    assert "roles/storage.objectUser" in check["hint"]
    assert by_step(found)["destination: sign in"]["ok"]


@pytest.mark.parametrize(("step", "letter"), [("write", "cw"), ("read", "r"), ("list", "l"), ("delete", "d")])
def test_a_missing_permission_is_named_as_azure_names_it(
    azure_cloud: Cloud, azure: BlobStorage, monkeypatch: pytest.MonkeyPatch, step: str, letter: str
) -> None:
    """The letters of a SAS token, and the data actions of a role."""
    config = azure_cloud.config
    permissions = "".join(each for each in "rcwdl" if each not in letter)
    token = azure.sas(config["container"], permissions)
    azure_cloud.secrets.append(token.rpartition("sig=")[2])
    del config["account_key"]
    config["sas_token"] = "${TEST_SAS}"
    monkeypatch.setenv("TEST_SAS", token)

    code, found = azure_cloud.told("check")

    check = by_step(found)[f"destination: {step}"]
    assert (code, check["ok"]) == (1, False)
    assert f"permissions {letter}" in check["hint"]
    assert "Storage Blob Data Contributor" in check["hint"]
    assert by_step(found)["destination: sign in"]["ok"]


def test_a_sas_token_is_all_that_azure_needs(
    azure_cloud: Cloud, azure: BlobStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the permissions that `plan --iam` tells."""
    config = azure_cloud.config
    del config["account_key"]
    config["sas_token"] = "${TEST_SAS}"
    rights = azure_cloud.told("plan", "--iam", "--count", "1")[1]["exports"][0]["iam"]
    monkeypatch.setenv("TEST_SAS", "?" + azure.sas(config["container"], rights["sas_permissions"]))

    assert azure_cloud.told("check")[0] == 0
    azure_cloud.desk.run(*DAY)


def test_the_permissions_that_plan_tells_are_all_that_google_needs(
    gcs_cloud: Cloud, gcs: CloudStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For check and run."""
    rights = gcs_cloud.told("plan", "--iam", "--count", "1")[1]["exports"][0]["iam"]
    account = gcs.auth.make_account(frozenset(rights["permissions"]))
    monkeypatch.setenv("TEST_GCS_KEY", account.key_json)

    assert gcs_cloud.told("check")[0] == 0
    gcs_cloud.desk.run(*DAY)


def break_google(cloud: Cloud, gcs: CloudStorage, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """Give a key that is not known, or none at all."""
    key = gcs.auth.make_account().key
    if how == "wrong key":
        other = gcs.auth.make_account().key
        monkeypatch.setenv("TEST_GCS_KEY", json.dumps({**key, "private_key": other["private_key"]}))
    elif how == "disabled account":
        gcs.auth.accounts[key["client_email"]].is_disabled = True
        monkeypatch.setenv("TEST_GCS_KEY", json.dumps(key))
    elif how == "cut key":
        cut = key["private_key"][:200]
        cloud.secrets.append(cut.splitlines()[1])
        monkeypatch.setenv("TEST_GCS_KEY", json.dumps({**key, "private_key": cut}))
    else:
        cloud.config["bucket"] = "no-such-bucket"


@pytest.mark.parametrize(
    ("how", "step", "hint"),
    [
        ("wrong key", "sign in", "Fix credentials.service_account_key"),
        ("disabled account", "sign in", "Google does not know the account"),
        ("cut key", "sign in", "make the account a new key"),
        ("missing bucket", "bucket", "Create the bucket"),
    ],
)
def test_what_google_refuses_is_told_with_what_to_do(
    gcs_cloud: Cloud, gcs: CloudStorage, monkeypatch: pytest.MonkeyPatch, how: str, step: str, hint: str
) -> None:
    """At the step that shows it; a run fails for the same reason and writes nothing."""
    break_google(gcs_cloud, gcs, monkeypatch, how)

    code, found = gcs_cloud.told("check")

    assert (code, failed(found)) == (1, [f"destination: {step}"])
    assert hint in by_step(found)[f"destination: {step}"]["hint"]
    code, found = gcs_cloud.told("run", "--export", "nightly", "--window-start", DAY[0], "--window-end", DAY[1])
    assert code == 1
    assert hint in found["error"]["hint"]


@pytest.mark.parametrize(
    ("changes", "step", "hint"),
    [
        ({"account_key": "bm90IHRoZSByaWdodCBrZXk="}, "sign in", "Fix account_key"),
        ({"account_key": "not-base64-at-all"}, "sign in", "account_key"),
        ({"account_key": None, "sas_token": "expired"}, "sign in", "enew sas_token"),
        ({"container": "no-such-container"}, "container", "Create the container"),
    ],
    ids=["wrong key", "no key", "expired token", "missing container"],
)
def test_what_azure_refuses_is_told_with_what_to_do(
    azure_cloud: Cloud, azure: BlobStorage, changes: dict[str, Any], step: str, hint: str
) -> None:
    """At the step that shows it; a run fails for the same reason and writes nothing."""
    if changes.get("sas_token"):
        changes = {**changes, "sas_token": azure.sas(azure_cloud.config["container"], "rcwdl", hours=-1)}
    azure_cloud.secrets += [str(value) for name, value in changes.items() if name in ("account_key", "sas_token")]
    azure_cloud.secrets = [secret for secret in azure_cloud.secrets if secret != "None"]
    config = {**azure_cloud.config, **changes}
    assert azure_cloud.desk.destination is not None
    azure_cloud.desk.destination["config"] = {key: value for key, value in config.items() if value is not None}

    code, found = azure_cloud.told("check")

    assert (code, failed(found)) == (1, [f"destination: {step}"])
    assert hint in by_step(found)[f"destination: {step}"]["hint"]
    code, found = azure_cloud.told("run", "--export", "nightly", "--window-start", DAY[0], "--window-end", DAY[1])
    assert code == 1
    assert hint in found["error"]["hint"]


def test_a_key_may_lie_in_a_file(gcs_cloud: Cloud, gcs: CloudStorage, tmp_path: Path) -> None:
    """What is no key there is told without what it holds."""
    path = tmp_path / "key.json"
    path.write_text(gcs.account.key_json)
    gcs_cloud.config["credentials"] = {"service_account_key": str(path)}
    assert gcs_cloud.told("check")[0] == 0

    path.write_text('{"type": "service_account", "private_key": "canary"}')
    gcs_cloud.secrets.append("canary")
    code, found = gcs_cloud.told("check")
    assert code == 2
    assert "it lacks client_email, token_uri" in by_step(found)["destination: sign in"]["message"]


@pytest.mark.parametrize("kind", ["gcs", "azure"])
def test_rows_may_wait_in_the_cloud_too(
    desk: Desk, kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Staging signs in by a connection, and is empty after the run."""
    if kind == "gcs":
        gcs: CloudStorage = request.getfixturevalue("gcs")
        place, contents = gcs.make_bucket(), gcs.contents
        connection: dict[str, Any] = {
            "conn_type": "google_cloud_platform",
            "extra": {"keyfile_dict": gcs.account.key},
        }
        url = f"gs://{place}/staged"
    else:
        azure: BlobStorage = request.getfixturevalue("azure")
        place, contents = azure.make_container(), azure.contents
        connection = {"conn_type": "wasb", "login": ACCOUNT, "password": azure.key, "host": azure.url}
        url = f"az://{place}/staged"
    monkeypatch.setenv("AIRFLOW_CONN_STAGE", json.dumps(connection))
    desk.staging = {"url": url, "conn_id": "stage"}

    assert desk.run(*DAY)["datasets"]["request_logs"]["exported"] > 0
    assert contents(place) == {}
    assert len(desk.files()) == 2
