"""A DAG for every export of the document; nothing here ever raises, since that would hide every DAG of the file."""

from __future__ import annotations

import gc
import logging
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from airflow.sdk import DAG, Asset, get_parsing_context, task_group
from airflow.sdk.definitions.param import ParamsDict

from bifrost_export.airflow.broken_export import arguments, broken_dag, stand_in
from bifrost_export.airflow.cluster_policies import passed, register
from bifrost_export.airflow.dag_page import page
from bifrost_export.airflow.document_search import caller_file, find_document
from bifrost_export.airflow.missing_dags import reasons
from bifrost_export.airflow.operators import (
    PLAN,
    AggregateOperator,
    CleanUpOperator,
    ExtractOperator,
    FilterOperator,
    LoadOperator,
    PlanOperator,
    PublishOperator,
    ReconcileOperator,
    TransformOperator,
)
from bifrost_export.airflow.timetable import ExportTimetable
from bifrost_export.airflow.trigger_form import trigger_form
from bifrost_export.airflow.versions import has_policies
from bifrost_export.config.documents import DAG_ID_PREFIX
from bifrost_export.config.freezing import config_hash, freeze
from bifrost_export.config.loader import load
from bifrost_export.errors import PolicyRefusalError, PolicySkipError
from bifrost_export.pipeline.encoding import encoding_of
from bifrost_export.redaction.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bifrost_export.config.documents import LoadedExport
    from bifrost_export.config.models.export import Export

_log = logging.getLogger(__name__)

_NONE_FAILED = "none_failed"
"""Also behind a `load` that was skipped because there is nothing to load."""


def build_dags(path: str | Path | None = None, dag_file: str | None = None) -> dict[str, DAG]:
    """A DAG for each export that isn't switched off, by DAG id; a broken one gets a DAG that tells its problems.

    A DAG that a cluster policy of this Airflow refuses is left out, since it would hide all others of its file.

    Args:
        path: The document, or a folder of them; where the package looks for it, when not given.
        dag_file: The DAG file that asks; the caller's, when not given.
    """
    asked = get_parsing_context()
    with _without_collecting():
        return _build_all(_Wanted(path, dag_file or caller_file(1), asked.dag_id, asked.task_id))


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Hundreds of DAGs are a million objects that all stay, and looking through them again and again takes as long."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@dataclass(frozen=True)
class _Wanted:
    """What a process asks of the DAG file.

    Args:
        given: The document, when the DAG file names it.
        dag_file: The DAG file.
        dag_id: The DAG that a worker or a command asks for; None when all are wanted.
        task_id: The task that a worker asks for.
    """

    given: str | Path | None
    dag_file: str | None
    dag_id: str | None = None
    task_id: str | None = None

    @property
    def path(self) -> Path:
        return Path(self.given) if self.given is not None else find_document(self.dag_file)


def _build_all(wanted: _Wanted) -> dict[str, DAG]:
    dags: dict[str, DAG] = {}
    left_out: dict[str, str] = {}
    for dag_id, build in _builders(wanted).items():
        try:
            dags[dag_id] = passed(build, wanted.dag_file)
        except PolicyRefusalError as error:
            left_out[dag_id] = str(error)  # the file beside this one tells it
    _stand_in(wanted, dags, left_out)
    for dag in dags.values():
        register(dag)
    return dags


def _stand_in(wanted: _Wanted, dags: dict[str, DAG], left_out: dict[str, str]) -> None:
    """Give a worker a task that tells why it can't run the one that it asks for, in place of "Dag not found"."""
    dag_id, task_id = wanted.dag_id, wanted.task_id
    if dag_id is None or task_id is None or not dag_id.startswith(DAG_ID_PREFIX):
        return
    if (dag := dags.pop(dag_id, None)) is not None and task_id in dag.task_ids:
        dags[dag_id] = dag
        return
    problems, may_pass = reasons(wanted.path, dag_id, task_id, left_out.get(dag_id))
    try:
        dags[dag_id] = passed(partial(stand_in, dag_id, task_id, problems, may_pass=may_pass), wanted.dag_file)
    except PolicyRefusalError as error:
        # What is logged while the DAG file is read stands in the log of the task that asks for it.
        _log.error("%s", printable("\n".join([*problems, f"The task that should fail with this is left out: {error}"])))


def _builders(wanted: _Wanted) -> dict[str, Callable[[], DAG]]:
    """What makes each wanted DAG, by its id."""
    path = wanted.path
    try:
        exports = [each for each in load(path).exports if each.enabled]
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 (a fault of ours must not hide the DAG that tells it)
        dag_id = f"{DAG_ID_PREFIX}log_exports"
        return {dag_id: partial(broken_dag, dag_id, str(path), [_fault(error)])}
    # Airflow drops the whole file when two of its DAGs have one id.
    found = {each.dag_id: each for each in reversed(exports) if wanted.dag_id in (None, each.dag_id)}
    return {dag_id: partial(_build, dag_id, each) for dag_id, each in reversed(found.items())}


def config_errors(path: str | Path | None = None, dag_file: str | None = None) -> list[str]:
    """Every error of the document and every export that a cluster policy refuses, for people.

    Args:
        path: As for `build_dags`.
        dag_file: As for `build_dags`.
    """
    wanted = _Wanted(path, dag_file or caller_file(1))
    try:
        found = [str(problem) for problem in load(wanted.path).errors]
        return [*found, *_refusals(wanted)]
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 (as above)
        return [_fault(error)]


def _refusals(wanted: _Wanted) -> Iterator[str]:
    if not has_policies():
        return
    for build in _builders(wanted).values():
        try:
            passed(build, wanted.dag_file)
        except PolicySkipError:
            continue  # the administrator wants no word of it
        except PolicyRefusalError as error:
            yield str(error)


def _fault(error: BaseException) -> str:
    return f"the document can't be read: {type(error).__name__}: {error}"


def _build(dag_id: str, loaded: LoadedExport) -> DAG:
    name = loaded.name or loaded.document.path.name
    if loaded.export is None:
        return broken_dag(dag_id, name, [str(problem) for problem in loaded.errors], loaded.raw)
    try:
        return export_dag(dag_id, loaded, loaded.export)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 (the other exports' DAGs stand in the same file)
        return broken_dag(dag_id, name, [f"the DAG can't be made: {type(error).__name__}: {error}"], loaded.raw)


def export_dag(dag_id: str, loaded: LoadedExport, export: Export) -> DAG:
    """The DAG of a good export: one graph for all of them; it isn't registered with the DAG file.

    Args:
        dag_id: Its id.
        loaded: The export with its place.
        export: The export itself.
    """
    frozen = freeze(loaded)
    warnings = [problem for problem in loaded.problems if problem.severity == "warning"]
    schedule, kind, options = export.schedule, export.destination.type, export.airflow
    default = f"{', '.join(export.data.include)} to {kind}, {schedule.describe()}"
    with DAG(
        dag_id,
        schedule=ExportTimetable(schedule),
        description=export.description or default,
        doc_md=page(export, frozen, config_hash(frozen), warnings),
        tags={"bifrost", "log-export", kind, encoding_of(export).format.kind, *options.tags},
        default_args=arguments(export.owner or None, options),
        start_date=schedule.start,
        catchup=schedule.catchup,
        max_active_runs=options.max_active_runs,
        is_paused_upon_creation=options.paused,
        auto_register=False,
    ) as dag:
        _graph(str(loaded.document.path.absolute()), export.name, options.extract_concurrency)
    # Set before, each task would carry a copy of the form.
    # Past the DAG's own setter, which checks each DAG's form against JSON Schema's own schema: a third of all work.
    object.__setattr__(dag, "params", ParamsDict(trigger_form(schedule.timezone)))
    return dag


def _graph(document: str, export: str, extract_concurrency: int) -> None:
    label = "{{ task.item['label'] }}"

    @task_group(prefix_group_id=False)
    def slices(item: object) -> None:
        # Clearing one slice of a mapped group reruns that slice alone, and a slice needn't wait for the others.
        extract = ExtractOperator(
            task_id="extract", item=item, max_active_tis_per_dagrun=extract_concurrency, map_index_template=label
        ).output
        filtered = FilterOperator(task_id="filter", item=extract, map_index_template=label).output
        TransformOperator(task_id="transform", item=filtered, map_index_template=label)

    plan = PlanOperator(task_id=PLAN, document=document, export=export)
    reconcile = ReconcileOperator(task_id="reconcile")
    load = LoadOperator.partial(task_id="load", map_index_template="{{ task.group['label'] }}").expand(
        group=reconcile.output
    )
    asset = Asset(name=f"bifrost_export/{export}", uri=f"x-bifrost://export/{export}")
    publish = PublishOperator(task_id="publish", trigger_rule=_NONE_FAILED, outlets=[asset])
    clean_up = CleanUpOperator(task_id="clean_up", trigger_rule=_NONE_FAILED)

    slices.expand(item=plan.output) >> AggregateOperator(task_id="aggregate") >> reconcile >> [load, publish]
    load >> publish >> clean_up
