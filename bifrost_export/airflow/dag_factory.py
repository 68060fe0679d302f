"""A DAG for every export of the document; nothing here ever raises, since that would hide every DAG of the file."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, Asset, get_parsing_context, task_group
from airflow.sdk.definitions.param import ParamsDict

from bifrost_export.airflow.broken_export import broken_dag
from bifrost_export.airflow.dag_page import page
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
from bifrost_export.airflow.retries import PAUSES
from bifrost_export.airflow.timetable import ExportTimetable
from bifrost_export.airflow.trigger_form import trigger_form
from bifrost_export.config.freezing import config_hash, freeze
from bifrost_export.config.loader import default_path, load
from bifrost_export.formats.choosing import encoding_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bifrost_export.config.documents import LoadedExport
    from bifrost_export.config.models import Export

_NONE_FAILED = "none_failed"
"""Also behind a `load` that was skipped because there is nothing to load."""


def build_dags(path: str | Path | None = None) -> dict[str, DAG]:
    """A DAG for each export that isn't switched off, by DAG id; a broken one gets a DAG that tells its problems.

    Args:
        path: The document, or a folder of them; where the package looks for it, when not given.
    """
    path = Path(path) if path is not None else default_path()
    with _without_collecting():
        return _build_all(path, get_parsing_context().dag_id)


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


def _build_all(path: Path, wanted: str | None) -> dict[str, DAG]:
    try:
        exports = [each for each in load(path).exports if each.enabled]
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 (a fault of ours must not hide the DAG that tells it)
        dag_id = "bifrost_export__log_exports"
        return {dag_id: broken_dag(dag_id, str(path), [_fault(error)])}
    dags: dict[str, DAG] = {}
    for each in exports:
        dag_id = each.dag_id
        # Airflow drops the whole file when two of its DAGs have one id.
        if dag_id not in dags and wanted in (None, dag_id):
            dags[dag_id] = _build(dag_id, each)
    return dags


def config_errors(path: str | Path | None = None) -> list[str]:
    """Every error of the document, for people.

    Args:
        path: As for `build_dags`.
    """
    try:
        return [str(problem) for problem in load(Path(path) if path is not None else default_path()).errors]
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 (as above)
        return [_fault(error)]


def _fault(error: BaseException) -> str:
    return f"the document can't be read: {type(error).__name__}: {error}"


def _build(dag_id: str, loaded: LoadedExport) -> DAG:
    name = loaded.name or loaded.document.path.name
    if loaded.export is None:
        return broken_dag(dag_id, name, [str(problem) for problem in loaded.errors])
    try:
        return export_dag(dag_id, loaded, loaded.export)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 (the other exports' DAGs stand in the same file)
        return broken_dag(dag_id, name, [f"the DAG can't be made: {type(error).__name__}: {error}"])


def export_dag(dag_id: str, loaded: LoadedExport, export: Export) -> DAG:
    """The DAG of a good export: one graph for all of them.

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
        default_args=_arguments(export),
        start_date=schedule.start,
        catchup=schedule.catchup,
        max_active_runs=options.max_active_runs,
        is_paused_upon_creation=options.paused,
    ) as dag:
        _graph(str(loaded.document.path.absolute()), export.name, options.extract_concurrency)
    # Set before, each task would carry a copy of the form.
    # Past the DAG's own setter, which checks each DAG's form against JSON Schema's own schema: a third of all work.
    object.__setattr__(dag, "params", ParamsDict(trigger_form(schedule.timezone)))
    return dag


def _arguments(export: Export) -> dict[str, Any]:
    """Arguments of every task."""
    options = export.airflow
    given = {"owner": export.owner or None, "pool": options.pool, "queue": options.queue}
    return {
        **PAUSES,
        "retries": options.retries,
        "execution_timeout": options.timeout,
        **{name: value for name, value in given.items() if value is not None},
    }


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
