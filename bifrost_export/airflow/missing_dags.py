"""Why a worker can't build the DAG of a task that it is to run, though the DAG processor could."""

from __future__ import annotations

import socket
from pathlib import Path

from bifrost_export.config.documents import LoadedExport
from bifrost_export.config.loader import VARIABLE, load


def reasons(path: Path, dag_id: str, task_id: str, refusal: str | None = None) -> tuple[list[str], bool]:
    """Return why, for people, and whether it may pass: a worker's copy of the document can come some seconds late.

    Args:
        path: The document, or the folder of documents, that the worker looks at.
        dag_id: The DAG that it asks for.
        task_id: The task that it asks for.
        refusal: What a cluster policy has against the DAG here, if one has.
    """
    here = f"This worker ({socket.gethostname()}) can't run {task_id!r} of {dag_id}: "
    alike = f"All workers need the same document, at the same place, as the DAG processor (or set {VARIABLE})."
    try:
        exports = load(path).exports
    except Exception as error:  # noqa: BLE001 (it stands in the task's log)
        return [f"{here}the document {path} can't be read: {type(error).__name__}: {error}. {alike}"], True
    unread = [problem for each in exports if each.index is None for problem in each.errors]
    if unread:
        told = " ".join(str(problem).rstrip(".") + "." for problem in unread)
        return [f"{here}{told} The document is {path}. {alike}", *_seen(path)], True
    own = next((each for each in exports if each.dag_id == dag_id), None)
    if own is None:
        known = ", ".join(sorted(each.dag_id for each in exports)) or "none"
        told = "it was removed or renamed since, or this worker has another copy"
        return [f"{here}the document {path} has no such export ({told}). Its DAGs: {known}. {alike}"], True
    if refusal is not None and not own.errors:
        return [f"{here}{refusal} The document is {path}."], False
    return [here + _of(own, path, task_id)], not own.errors


def _of(own: LoadedExport, path: Path, task_id: str) -> str:
    if own.errors:
        return f"the export is broken in {path}: " + "; ".join(map(str, own.errors))
    if not own.enabled:
        return f"the export is switched off in {path} (enabled: false). Switch it on, then clear this task."
    return (
        f"its DAG has no task {task_id!r} here: the document {path} or the package was changed in between. Trigger a"
        " new run."
    )


def _seen(path: Path) -> list[str]:
    """What there is, when a part of the path is missing: a volume that isn't mounted is seen at once."""
    missing = next((each for each in reversed((path, *path.parents)) if not _exists(each)), None)
    return [] if missing is None or missing == path else [f"{missing} does not exist on this worker."]


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return True
