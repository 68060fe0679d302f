"""Exports in an Airflow that an administrator has set up: by airflow.cfg, under cluster policies, out of bundles."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.airflow_lab import Run, local_export
from tests.integration.airflow_site import CONFIGURED, DEFAULT_FOLDER, NEVER, UNDER_POLICY, Site, running_site

pytestmark = pytest.mark.airflow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The running Airflow."""
    folder = tmp_path_factory.mktemp("site")

    def to_files(name: str, **changes: Any) -> dict[str, Any]:
        return {**local_export(name, folder / "out" / name), **UNDER_POLICY, **changes}

    relative = {"type": "local", "config": {"path": "out"}}
    exports = {
        "files": [
            to_files("refused", schedule=NEVER, airflow={}),
            to_files("broken", data={"formt": "json"}),
            to_files("skipped", schedule=NEVER),
            to_files("in_finances_pool", schedule=NEVER),
        ],
        "team": [to_files("of_team"), to_files("relative", schedule=NEVER, destination=relative)],
        "repository": [to_files("of_repository", destination=in_out("of_repository"))],
    }
    with running_site(folder, exports, {"SITE_OUT": str(folder / "out")}) as running:
        yield running


def in_out(name: str) -> dict[str, Any]:
    """A destination whose path begins with a reference."""
    return {"type": "local", "config": {"path": f"${{SITE_OUT}}/{name}", "prefix": "logs/{day}/"}}


def manifest_of(run: Run) -> dict[str, Any]:
    """What a run to files has published."""
    found: dict[str, Any] = json.loads(Path(run.xcom("publish")["manifest"]).read_text())
    return found


def test_airflow_cfg_alone_says_where_the_dags_are(site: Site) -> None:
    """No variable does, nor where Airflow's home is; `$HOME` in it is the user's."""
    assert [name for name in site.given if name.startswith((CONFIGURED, "AIRFLOW_HOME", "BIFROST_EXPORT_CONFIG"))] == []
    assert "dags_folder = $HOME/files/dags" in (site.lab.folder / DEFAULT_FOLDER / "airflow.cfg").read_text()
    site.wait_for("broken")
    assert site.dag("broken")["fileloc"] == str(site.files.root / "dags" / "bifrost_exports.py")


def test_a_cluster_policy_refuses_one_export_and_the_banner_names_it(site: Site) -> None:
    """The others of the file stay, a broken one too; one that is skipped is left out without a word."""
    site.wait_for("broken", "in_finances_pool")
    assert not site.lab.server.knows("bifrost_export__refused")
    assert not site.lab.server.knows("bifrost_export__skipped")

    told = site.import_errors()["files", "bifrost_export_errors.py"]

    assert "a cluster policy of this Airflow refuses the DAG bifrost_export__refused" in told
    assert "AirflowClusterPolicyViolation: bifrost_export__refused has no tag team:..." in told
    assert "'formt'" in told
    assert "skipped" not in told
    assert ("files", "bifrost_exports.py") not in site.import_errors()
    assert {task["owner"] for task in site.tasks("broken")} == {"finops"}


def test_what_a_cluster_policy_changes_holds_in_each_run(site: Site) -> None:
    """Retries and queue of every task, and a tag of the DAG; the run ends well."""
    site.wait_for("of_team")
    assert {(task["retries"], task["queue"]) for task in site.tasks("of_team")} == {(7, "exports")}
    assert "seen-by-policy" in {tag["name"] for tag in site.dag("of_team")["tags"]}

    run = site.lab.scheduled("of_team")

    assert run.wait() == "success", run.states()
    assert {(task["max_tries"], task["queue"]) for task in run.tasks()} == {(7, "exports")}
    assert manifest_of(run)["window"] == site.lab.last.to_json()


def test_a_pool_that_a_policy_sets_and_nobody_has_made_is_told_at_once(site: Site) -> None:
    """With both places that may name it."""
    site.wait_for("in_finances_pool")
    run = site.lab.trigger("in_finances_pool")
    assert run.wait() == "failed"
    told = site.lab.server.request(run.path)["note"]
    assert told.startswith("There is no pool 'finance', which airflow.pool of the export names")
    assert "or a cluster policy of this Airflow sets" in told


def test_an_export_of_a_local_bundle_reads_the_document_beside_its_dags(site: Site) -> None:
    """Not the one beside the DAGs folder; its staging is in Airflow's home."""
    site.wait_for("of_team")
    assert site.dag("of_team")["bundle_name"] == "team"
    run = site.lab.scheduled("of_team")
    assert run.wait() == "success", run.states()
    assert site.lab.published("of_team", site.lab.last)
    staging = site.lab.folder / DEFAULT_FOLDER / "bifrost_staging"
    assert run.xcom("plan", "plan")["staging"]["url"].startswith(staging.as_uri())


def test_a_worker_that_lacks_the_document_says_so_though_a_policy_refuses_the_task_that_would(site: Site) -> None:
    """Nobody who can't read the document can carry the tag that the policy asks for."""
    fault = site.lab.folder / "faults" / "no-document"
    site.wait_for("of_team")
    site.lab.scheduled("of_team").wait()
    fault.touch()
    run = site.lab.trigger("of_team")
    deadline = time.monotonic() + 120
    while "Dag not found" not in (told := run.log("plan")) and time.monotonic() < deadline:
        time.sleep(0.5)
    fault.unlink()

    assert "can't run 'plan' of bifrost_export__of_team: " in told
    assert "unmounted does not exist on this worker" in told
    assert "has no tag team:..." in told


def test_a_relative_path_in_a_bundle_fails_the_plan_at_once(site: Site) -> None:
    """Nothing is written into the bundle."""
    before = sorted(each for each in site.team.root.rglob("*") if "__pycache__" not in each.parts)
    site.wait_for("relative")
    run = site.lab.trigger("relative")
    assert run.wait() == "failed"
    assert (run.states()["plan"], run.tries("plan")) == ({"failed"}, 1)
    assert "the relative path 'out'" in run.log("plan")
    assert f"lies in the DAG bundle {site.team.root}" in run.log("plan")
    assert sorted(each for each in site.team.root.rglob("*") if "__pycache__" not in each.parts) == before


def test_an_export_out_of_git_reads_the_document_of_its_clone(site: Site) -> None:
    """Its path is of no version of the bundle, and nothing that is published says where the clone is."""
    run = site.lab.scheduled("of_repository")
    assert run.wait(400) == "success", run.states()
    assert site.lab.published("of_repository", site.lab.last)
    assert str(site.lab.folder / "bundles") not in json.dumps(manifest_of(run))
    version = site.lab.server.request(run.path)["bundle_version"]
    assert site.dag("of_repository")["bundle_name"] == "repository"
    assert (site.lab.folder / "bundles" / "repository" / "versions" / version / "include").is_dir()


@pytest.mark.long
def test_a_run_out_of_git_keeps_to_the_document_of_its_commit(site: Site) -> None:
    """A commit changes the runs that begin after it; an older run that is cleared reads the older document."""
    first = site.lab.scheduled("of_repository")
    assert first.wait() == "success", first.states()
    before = manifest_of(first)
    assert before["format"] == "parquet"

    changed = {**local_export("of_repository", Path(os.devnull), format="json"), **UNDER_POLICY}
    changed["destination"] = in_out("of_repository")
    site.repository.write(site.lab.folder / "logs.db", changed)
    site.wait_for_version("of_repository", site.repository.commit())
    first.clear("plan")
    assert first.wait() == "success", first.states()
    assert first.xcom("publish")["unchanged"] is True
    assert manifest_of(first) == before

    second = site.lab.trigger("of_repository")
    assert second.wait() == "success", second.states()
    assert second.xcom("publish")["unchanged"] is False
    assert manifest_of(second)["format"] == "json"
