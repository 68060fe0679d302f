"""The rights that the page of each destination shows are those that `plan --iam` prints for its document."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.cli.group import execute
from bifrost_export.registry import DESTINATIONS
from tests.docs.pages import as_document, blocks_of, code_in, prose_of

CLOUDS = [name for name in DESTINATIONS.names() if name != "local"]


def rights(name: str, folder: Path) -> dict[str, Any]:
    """Return what `plan --iam` prints for the first document on the page of a destination."""
    page = f"docs/destinations/{name}.md"
    document = as_document(json.loads(next(each.text for each in blocks_of(page) if each.language == "json")))
    assert document is not None
    document["log_exports"]["exports"][0]["name"] = "daily_costs"
    (folder / "log_exports.json").write_text(json.dumps(document), "utf-8")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        code = execute(["plan", str(folder / "log_exports.json"), "--count", "1", "--iam", "--format", "json"])
    assert code == 0, printed.getvalue()
    found: dict[str, Any] = json.loads(printed.getvalue())["exports"][0]["iam"]
    return found


def section(name: str) -> str:
    """Return the section on rights of a destination's page."""
    return prose_of(f"docs/destinations/{name}.md").partition("\n## Rights\n")[2].partition("\n## ")[0]


def actions(policy: dict[str, Any]) -> set[str]:
    """Return the actions of a policy of AWS."""
    return {action for statement in policy["Statement"] for action in statement["Action"]}


@pytest.mark.parametrize("name", CLOUDS)
def test_every_permission_is_on_the_page(name: str, tmp_path: Path) -> None:
    """By its own name, and no other beside it where the page lists permissions."""
    found, shown = rights(name, tmp_path), set(code_in(section(name)))
    if name in ("gcs", "bigquery"):
        listed = {each for each in shown if each.startswith(("storage.objects.", "bigquery."))}
        assert listed == set(found["permissions"])
    if name == "redshift":
        listed = {each for each in shown if each.startswith(("s3:", "redshift:"))}
        assert listed == actions(found["policy"]) | actions(found["policy_of_iam_role"])
    if name == "azure_blob":
        with_tags = {each.rpartition("blobs/")[2] for each in found["custom_role"]["DataActions"]}
        assert with_tags | {found["sas_permissions"], found["predefined_role"]} <= shown
    roles = {found.get("predefined_role"), *found.get("predefined_roles", {})} - {None}
    assert roles <= shown


def test_the_policy_of_s3_is_the_one_shown(tmp_path: Path) -> None:
    """Statement by statement."""
    shown = next(json.loads(each.text) for each in blocks_of("docs/destinations/s3.md") if '"Version"' in each.text)
    assert shown == rights("s3", tmp_path)["policy"]


@pytest.mark.parametrize("name", ["snowflake", "redshift"])
def test_the_grants_shown_are_those_that_are_printed(name: str, tmp_path: Path) -> None:
    """Without those for tables that somebody else has created."""
    page = f"docs/destinations/{name}.md"
    (shown,) = [each.text for each in blocks_of(page) if each.language == "sql" and "GRANT" in each.text]
    printed = [each for each in rights(name, tmp_path)["statements"] if " -- " not in each]
    assert shown.splitlines() == printed
