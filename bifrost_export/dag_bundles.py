"""Where Airflow's configuration has its DAGs: the folder, and bundles, whose place changes with each version."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

DOCUMENT = Path("include", "log_exports.json")
"""The document's place, from the folder above that of the DAG files."""


def document_beside_dags() -> Path:
    """Return where the document is looked for by default: beside the DAGs folder of Airflow's configuration."""
    folder = Path(_setting("core", "dags_folder") or "~/airflow/dags").expanduser().absolute()
    return folder.parent / DOCUMENT


def bundle_folders() -> list[Path]:
    """Return the folders that the bundles of this Airflow are in, as its configuration says."""
    folders = [Path(_setting("dag_processor", "dag_bundle_storage_path") or _default_storage())]
    for bundle in _bundles():
        given = bundle.get("kwargs") or {}
        is_local = str(bundle.get("classpath", "")).endswith("LocalDagBundle")
        path = given.get("path") or (_setting("core", "dags_folder") if is_local else None)
        if path:
            folders.append(Path(str(path)).expanduser())
    return folders


def bundle_of(document: Path, folders: Sequence[Path]) -> Path | None:
    """Return the bundle folder that a document lies in, or None.

    Args:
        document: The document.
        folders: As `bundle_folders` gives them.
    """
    for folder in folders:
        if document.absolute().is_relative_to(folder.absolute()) or document.resolve().is_relative_to(folder.resolve()):
            return folder
    return None


def checkout_of(document: Path) -> Path | None:
    """Return the working tree of Git that a document lies in, where this Airflow takes bundles from Git; else None.

    Args:
        document: The document, as somebody edits it: a bundle will hold a copy of it.
    """
    if not any("git" in str(bundle.get("classpath", "")).lower() for bundle in _bundles()):
        return None
    return next((folder for folder in document.resolve().parents if (folder / ".git").exists()), None)


def _bundles() -> list[dict[str, Any]]:
    try:
        found = json.loads(_setting("dag_processor", "dag_bundle_config_list") or "[]")
    except ValueError:  # Airflow tells it
        return []
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _default_storage() -> Path:
    return Path(tempfile.gettempdir(), "airflow", "dag_bundles")


def _setting(section: str, key: str) -> str | None:
    try:
        from airflow.sdk.configuration import conf
    except ImportError:  # 3.1
        from airflow.configuration import conf
    found = conf.get(section, key, fallback=None)
    return None if found is None else str(found)
