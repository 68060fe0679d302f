"""The DAG files as Airflow loads them: under cluster policies, in bundles, and on a worker that lacks the document."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow import settings
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.exceptions import AirflowClusterPolicySkipDag, AirflowClusterPolicyViolation
from airflow.policies import hookimpl
from airflow.sdk import DAG
from airflow.sdk.definitions.context import _AIRFLOW_PARSING_CONTEXT_DAG_ID, _AIRFLOW_PARSING_CONTEXT_TASK_ID
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from bifrost_export.airflow.task_runtime import task_runtime, variables
from bifrost_export.cli.group import execute
from bifrost_export.config.loader import VARIABLE
from bifrost_export.errors import ConfigError
from bifrost_export.pipeline.plan import PlanRequest, plan
from bifrost_export.window import Window
from tests.unit.config.documents import export

FILES = Path(__file__).parents[2] / "dags"
GOOD = "bifrost_export__nightly"
BROKEN = "bifrost_export__broken"


class Bundle:
    """A folder with the DAG files and a document, and the processes that load them.

    Args:
        root: The folder.
        monkeypatch: Sets what a worker is told.
    """

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.monkeypatch = root, monkeypatch
        (root / "dags").mkdir(parents=True)
        for file in FILES.glob("*.py"):
            shutil.copy(file, root / "dags")
        self.document = root / "include" / "log_exports.json"
        self.document.parent.mkdir()

    def write(self, *exports: dict[str, Any]) -> None:
        """Write the document."""
        self.document.write_text(json.dumps({"log_exports": {"exports": exports}}))

    def bag(self) -> BundleDagBag:
        """What the DAG processor finds."""
        return BundleDagBag(self.root / "dags", bundle_path=self.root, bundle_name="exports")

    def dags(self) -> dict[str, DAG]:
        """The DAGs, by id; the file that holds them has no error."""
        found = self.bag()
        assert [name for name in found.import_errors if "errors" not in name] == []
        return dict(found.dags)

    def told(self) -> str:
        """The errors that Airflow's home page shows."""
        return "\n".join(self.bag().import_errors.values())

    def on_worker(self, dag_id: str, task_id: str) -> Any:
        """The task that a worker runs, as Airflow's task runner finds it."""
        self.monkeypatch.setenv(_AIRFLOW_PARSING_CONTEXT_DAG_ID, dag_id)
        self.monkeypatch.setenv(_AIRFLOW_PARSING_CONTEXT_TASK_ID, task_id)
        return (
            BundleDagBag(
                self.root / "dags" / "bifrost_exports.py", safe_mode=False, bundle_path=self.root, bundle_name="exports"
            )
            .dags[dag_id]
            .task_dict[task_id]
        )


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """A bundle with a good export and a broken one, both with an owner."""
    monkeypatch.delenv(VARIABLE, raising=False)
    made = Bundle(tmp_path / "bundle", monkeypatch)
    made.write(export(owner="finops"), export(name="broken", owner="finops", data={"formt": "json"}))
    return made


@pytest.fixture
def policies() -> Iterator[Callable[..., None]]:
    """Sets cluster policies as `airflow_local_settings.py` does."""
    manager, added = settings.get_policy_plugin_manager(), []

    def add(**functions: Callable[[Any], None]) -> None:
        plugin = type("Policies", (), {name: staticmethod(hookimpl(each)) for name, each in functions.items()})
        manager.register(plugin)
        added.append(plugin)

    yield add
    for plugin in added:
        manager.unregister(plugin)


def must_have_owner(task: Any) -> None:
    """Airflow's own example of a policy."""
    if not task.owner or task.owner.lower() == "airflow":
        raise AirflowClusterPolicyViolation(f"{task.task_id} has no owner")


def must_have_retries_and_timeout(task: Any) -> None:
    """Two more that are common."""
    if not task.retries or task.execution_timeout is None:
        raise AirflowClusterPolicyViolation(f"{task.task_id} has no retries or no timeout")


@pytest.mark.parametrize("policy", [must_have_owner, must_have_retries_and_timeout])
def test_a_broken_export_passes_the_policies_that_good_ones_pass(
    bundle: Bundle, policies: Callable[..., None], policy: Callable[[Any], None]
) -> None:
    """Its DAG carries the export's own owner, retries and timeout; it must not hide the other exports."""
    policies(task_policy=policy)

    assert set(bundle.dags()) == {GOOD, BROKEN}
    assert bundle.dags()[BROKEN].tasks[0].owner == "finops"


@pytest.mark.parametrize("content", ["{", "[]", '{"log_exports": {"exports": [7]}}', ""])
def test_a_document_that_names_no_owner_passes_them_too(
    bundle: Bundle, policies: Callable[..., None], content: str
) -> None:
    """Nothing of it can be read."""
    bundle.document.write_text(content)
    policies(task_policy=must_have_owner)

    [dag] = bundle.dags().values()
    assert "invalid-config" in dag.tags


def test_of_broken_options_the_good_ones_are_kept(bundle: Bundle) -> None:
    """A policy may ask for a queue, a pool or a tag."""
    options = {"retries": "many", "queue": "exports", "tags": ["team:core"], "execution_timeout": "10m", "colour": 1}
    bundle.write(export(airflow=options))

    dag = bundle.dags()[GOOD]

    assert (dag.tasks[0].queue, dag.tasks[0].retries) == ("exports", 4)
    assert str(dag.tasks[0].execution_timeout) == "0:10:00"
    assert "team:core" in dag.tags


def judging(kind: str, judge: Callable[[Any], None]) -> Callable[[Any], None]:
    """A policy: pluggy passes its argument by name."""
    policies = {"dag_policy": lambda dag: judge(dag), "task_policy": lambda task: judge(task)}  # noqa: PLW0108
    return policies[kind]


REFUSALS = {
    "a violation": AirflowClusterPolicyViolation("not on this cluster"),
    "a bug": KeyError("not on this cluster"),
    "an exit": SystemExit("not on this cluster"),
}


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("kind", ["dag_policy", "task_policy"])
def test_an_export_that_a_policy_refuses_is_left_out_alone(
    bundle: Bundle, policies: Callable[..., None], kind: str, refusal: str
) -> None:
    """Whatever the policy raises; the errors file tells it, and the others stay."""
    bundle.write(export(), export(name="weekly"), export(name="hourly"))

    def refuse(judged: Any) -> None:
        if judged.dag_id == "bifrost_export__weekly":
            raise REFUSALS[refusal]

    policies(**{kind: judging(kind, refuse)})

    assert set(bundle.dags()) == {GOOD, "bifrost_export__hourly"}
    told = bundle.told()
    assert "a cluster policy of this Airflow refuses the DAG bifrost_export__weekly" in told
    assert "not on this cluster" in told
    assert "bifrost_export__hourly" not in told


def test_a_dag_that_a_policy_skips_is_left_out_without_an_error(bundle: Bundle, policies: Callable[..., None]) -> None:
    """As Airflow does it: the administrator wants no word of it."""

    def skip(dag: Any) -> None:
        if dag.dag_id == GOOD:
            raise AirflowClusterPolicySkipDag

    policies(dag_policy=skip)

    assert set(bundle.dags()) == {BROKEN}
    assert GOOD not in bundle.told()


def test_a_policy_that_changes_dags_is_applied_once(bundle: Bundle, policies: Callable[..., None]) -> None:
    """By Airflow: it is tried on a DAG that nobody gets."""

    def mutate(task: Any) -> None:
        task.retries += 1
        task.owner = f"{task.owner}+"

    def tag(dag: Any) -> None:
        if "seen" in dag.tags:
            raise AirflowClusterPolicyViolation("it was here before")
        dag.tags.add("seen")

    policies(task_policy=mutate, dag_policy=tag)

    dag = bundle.dags()[GOOD]

    assert {(task.retries, task.owner) for task in dag.tasks} == {(5, "finops+")}
    assert "seen" in dag.tags


def test_policies_see_the_dag_file(bundle: Bundle, policies: Callable[..., None]) -> None:
    """Some let only certain folders use a pool."""
    seen = set()
    policies(dag_policy=lambda dag: seen.add((Path(dag.fileloc).parent.parent, dag.dag_id)))

    bundle.dags()

    assert seen == {(bundle.root, GOOD), (bundle.root, BROKEN)}


def test_without_policies_each_dag_is_built_once(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading the DAG file stays quick."""
    from bifrost_export.airflow import dag_factory

    built = []
    whole = dag_factory.export_dag
    monkeypatch.setattr(dag_factory, "export_dag", lambda *given: built.append(given[0]) or whole(*given))

    bundle.dags()

    assert built == [GOOD]


def failure(task: Any) -> AirflowException:
    """How a task fails when it runs."""
    with pytest.raises(AirflowException) as failed:
        task.execute({})
    return failed.value


def removed(bundle: Bundle) -> None:
    """The file is gone."""
    bundle.document.unlink()


def unmounted(bundle: Bundle) -> None:
    """The volume that holds it is not mounted."""
    shutil.rmtree(bundle.document.parent)


def renamed(bundle: Bundle) -> None:
    """Another name for the export."""
    bundle.write(export(name="nightly_v2"))


def cut_short(bundle: Bundle) -> None:
    """A copy that is still under way."""
    bundle.document.write_text('{"log_exports": {"exports": [')


def a_folder(bundle: Bundle) -> None:
    """A mount point without its file."""
    bundle.document.unlink()
    bundle.document.mkdir()


def broken(bundle: Bundle) -> None:
    """A mistake in the export."""
    bundle.write(export(data={"formt": "json"}))


def switched_off(bundle: Bundle) -> None:
    """`enabled: false`."""
    bundle.write(export(enabled=False))


MISSING: dict[Callable[[Bundle], None], tuple[str, type[Exception]]] = {
    removed: ("there is no document", AirflowException),
    unmounted: ("include does not exist on this worker", AirflowException),
    renamed: ("has no such export (it was removed or renamed since, ", AirflowException),
    cut_short: ("no JSON", AirflowException),
    a_folder: ("holds no document", AirflowException),
    broken: ("formt", AirflowFailException),
    switched_off: ("switched off", AirflowException),
}


@pytest.mark.parametrize("task_id", ["plan", "load"])
@pytest.mark.parametrize("change", MISSING, ids=lambda change: change.__name__)
def test_a_worker_without_the_export_says_why_in_the_tasks_log(
    bundle: Bundle, change: Callable[[Bundle], None], task_id: str
) -> None:
    """In place of "Dag not found during start up"; it is tried again where a late copy of the document can mend it."""
    assert set(bundle.dags()) == {GOOD, BROKEN}
    change(bundle)

    told = failure(bundle.on_worker(GOOD, task_id))

    reason, kind = MISSING[change]
    assert reason in str(told)
    assert f"can't run '{task_id}' of {GOOD}" in str(told)
    assert str(bundle.document) in str(told)
    assert type(told) is kind


def test_a_worker_with_another_version_says_that_its_dag_has_no_such_task(bundle: Bundle) -> None:
    """The run of a broken export was triggered, and the export was mended before its task began."""
    told = failure(bundle.on_worker(GOOD, "show_problems"))

    assert "its DAG has no task 'show_problems' here" in str(told)


def test_a_worker_whose_policies_differ_says_so(bundle: Bundle, policies: Callable[..., None]) -> None:
    """The DAG processor's let the DAG pass."""
    bundle.write(export())
    policies(task_policy=must_have_owner)

    told = failure(bundle.on_worker(GOOD, "extract"))

    assert "a cluster policy of this Airflow refuses the DAG" in str(told)
    assert "has no owner" in str(told)


def must_have_a_teams_tag(dag: Any) -> None:
    """A policy that nobody can meet who can't read the document."""
    if not any(tag.startswith("team:") for tag in dag.tags):
        raise AirflowClusterPolicyViolation(f"{dag.dag_id} has no tag team:...")


def must_be_of_a_team(dag: Any) -> None:
    """One that leaves out in silence what it doesn't want."""
    if not any(tag.startswith("team:") for tag in dag.tags):
        raise AirflowClusterPolicySkipDag


@pytest.mark.parametrize("policy", [must_have_a_teams_tag, must_be_of_a_team])
@pytest.mark.parametrize("change", [removed, renamed, broken, None], ids=lambda change: change and change.__name__)
def test_where_a_policy_refuses_the_task_that_tells_the_reason_stands_in_the_log(
    bundle: Bundle,
    policies: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
    policy: Callable[[Any], None],
    change: Callable[[Bundle], None] | None,
) -> None:
    """Of the task that looks for its DAG: Airflow itself says "Dag not found" alone."""
    bundle.write(export(airflow={} if change is None else {"tags": ["team:core"]}))
    if change is not None:
        change(bundle)
    policies(dag_policy=policy)

    with pytest.raises(KeyError):
        bundle.on_worker(GOOD, "load")

    [told] = [each.getMessage() for each in caplog.records if "can't run 'load' of" in each.getMessage()]
    reason = MISSING[change][0] if change is not None else "a cluster policy of this Airflow"
    assert reason in told
    assert str(bundle.document) in told


def test_dags_of_others_are_none_of_this_file(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that asks for one gets nothing; nor does a command, which would store what it gets."""
    monkeypatch.setenv(_AIRFLOW_PARSING_CONTEXT_DAG_ID, "somebody_elses")
    monkeypatch.setenv(_AIRFLOW_PARSING_CONTEXT_TASK_ID, "plan")
    assert bundle.dags() == {}

    monkeypatch.setenv(_AIRFLOW_PARSING_CONTEXT_DAG_ID, "bifrost_export__gone")
    monkeypatch.delenv(_AIRFLOW_PARSING_CONTEXT_TASK_ID)
    assert bundle.dags() == {}


def test_the_document_beside_the_dag_file_comes_first(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a bundle it is of the same commit; the one beside Airflow's own DAGs folder is of another deployment."""
    elsewhere = Bundle(bundle.root.parent / "elsewhere", monkeypatch)
    elsewhere.write(export(name="elsewhere"))
    monkeypatch.setenv("AIRFLOW__CORE__DAGS_FOLDER", str(elsewhere.root / "dags"))

    assert set(bundle.dags()) == {GOOD, BROKEN}

    bundle.document.unlink()
    assert set(bundle.dags()) == {"bifrost_export__elsewhere"}


def test_the_variable_wins(bundle: Bundle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Over both places."""
    named = tmp_path / "named.json"
    named.write_text(json.dumps({"log_exports": {"exports": [export(name="named")]}}))
    monkeypatch.setenv(VARIABLE, str(named))

    assert set(bundle.dags()) == {"bifrost_export__named"}


@pytest.mark.parametrize("written", ["$HOME/repo/dags", "~/repo/dags", "{home}/repo/dags"])
def test_airflows_own_configuration_says_where_its_dags_are(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: str
) -> None:
    """`[core] dags_folder` of airflow.cfg, with a variable or `~` in it."""
    from airflow.sdk.configuration import conf

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("AIRFLOW__CORE__DAGS_FOLDER")
    conf.read_dict({"core": {"dags_folder": written.format(home=tmp_path)}})
    repo = Bundle(tmp_path / "repo", monkeypatch)
    repo.write(export(name="of_the_repo"))
    bundle.document.unlink()
    try:
        assert set(bundle.dags()) == {"bifrost_export__of_the_repo"}
    finally:
        conf.remove_option("core", "dags_folder")


def test_a_missing_document_is_told_with_the_place_beside_the_dag_file(bundle: Bundle) -> None:
    """As a DAG, and on the home page."""
    bundle.document.unlink()

    [dag] = bundle.dags().values()

    assert str(bundle.document) in str(dag.tasks[0].problems)
    assert str(bundle.document) in bundle.told()


RELATIVE = {
    "a destination": {"destination": {"type": "local", "config": {"path": "out"}}},
    "a destination below a reference": {"destination": {"type": "local", "config": {"path": "${FOLDER:-out}/x"}}},
    "a source": {"source": {"type": "sqlite", "config": {"path": "logs.db"}}},
}


@pytest.fixture
def configured(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """The bundle, as Airflow's configuration names it."""
    config = [
        {
            "name": "exports",
            "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
            "kwargs": {"path": str(bundle.root)},
        }
    ]
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps(config))
    return bundle


def runtime() -> Any:
    """The surroundings of a step in a task."""
    context: Any = {"ti": SimpleNamespace(try_number=1)}
    return task_runtime(context, logging.getLogger("task"))  # type: ignore[arg-type]


def plan_on_worker(bundle: Bundle) -> None:
    """Plan the last settled window as the task does."""
    window = Window.parse("2026-03-01", "2026-03-02")
    plan(runtime(), PlanRequest(str(bundle.document), "nightly", window, "manual"))


@pytest.mark.parametrize("kind", RELATIVE)
def test_a_relative_path_in_a_bundle_is_refused_at_run_time(configured: Bundle, kind: str, log_store: Path) -> None:
    """It would lead to another folder with each commit; nothing is written."""
    source = {"source": {"type": "sqlite", "config": {"path": str(log_store)}}}
    configured.write(export(**{**source, **RELATIVE[kind]}))

    with pytest.raises(ConfigError, match=r"the relative path '.*', .* lies in the DAG bundle .*absolute path"):
        plan_on_worker(configured)

    assert sorted(path.name for path in configured.root.rglob("*") if path.is_file()) == [
        *sorted(file.name for file in FILES.glob("*.py")),
        "log_exports.json",
    ]


def test_a_relative_path_outside_of_bundles_is_taken_from_the_documents_folder(
    configured: Bundle, tmp_path: Path, log_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As before: `include/` beside the DAGs folder is no bundle."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "home"))
    configured.document = tmp_path / "log_exports.json"
    configured.write(
        export(
            source={"type": "sqlite", "config": {"path": str(log_store)}},
            destination={"type": "local", "config": {"path": "out"}},
        )
    )

    plan_on_worker(configured)

    assert (tmp_path / "home" / "bifrost_staging" / "nightly").is_dir()


@pytest.mark.parametrize("kind", RELATIVE)
def test_validate_warns_of_a_relative_path_in_a_bundle(
    configured: Bundle, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its place; one that begins with a reference is looked at when it has a value."""
    configured.write(export(**RELATIVE[kind]))

    assert execute(["validate", str(configured.document), "--format", "json"]) == 0

    found = json.loads(capsys.readouterr().out)["problems"]
    warned = [each["pointer"] for each in found if "lies in the DAG bundle" in each["message"]]
    pointer = f"/log_exports/exports/0/{'source' if kind == 'a source' else 'destination'}/config/path"
    assert warned == ([] if "reference" in kind else [pointer])


def test_validate_warns_in_a_working_tree_that_becomes_a_bundle(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """This Airflow takes its bundles from Git, and the document is being written in a checkout."""
    config = [{"name": "exports", "classpath": "airflow.providers.git.bundles.git.GitDagBundle", "kwargs": {}}]
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps(config))
    bundle.write(export(**RELATIVE["a destination"]))
    assert execute(["validate", str(bundle.document), "--format", "json"]) == 0
    assert "lies in the DAG bundle" not in capsys.readouterr().out

    (bundle.root / ".git").mkdir()

    assert execute(["validate", str(bundle.document), "--format", "json"]) == 0
    assert f"lies in the DAG bundle {bundle.root}" in capsys.readouterr().out


def test_validate_of_absolute_paths_asks_no_airflow(bundle: Bundle, tmp_path: Path) -> None:
    """Importing it takes seconds."""
    bundle.write(export(destination={"type": "local", "config": {"path": str(tmp_path)}}))
    script = (
        "import sys; from bifrost_export.cli.group import execute;"
        " code = execute(sys.argv[1:]); print(code, 'airflow' in sys.modules, file=sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, "validate", str(bundle.document)], capture_output=True, text=True, check=True
    )

    assert done.stderr.split() == ["0", "False"]


def test_the_home_is_the_one_that_airflow_takes() -> None:
    """Also when the variable isn't set, or holds another one."""
    assert variables({"A": "b"}) == {"A": "b", "AIRFLOW_HOME": str(Path("~/airflow").expanduser())}
    assert variables({"AIRFLOW_HOME": "/air"})["AIRFLOW_HOME"] == "/air"
    assert variables({"AIRFLOW_HOME": "$HOME/air"})["AIRFLOW_HOME"] == os.path.expandvars("$HOME/air")
