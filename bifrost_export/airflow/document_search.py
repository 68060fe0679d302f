"""Where the document is looked for when no variable names it: beside the DAG file, then beside the DAGs folder."""

from __future__ import annotations

import sys
from pathlib import Path

from bifrost_export.config.loader import named_document
from bifrost_export.dag_bundles import DOCUMENT, document_beside_dags


def caller_file(depth: int) -> str | None:
    """Return the file of the module that called a function, or None.

    Args:
        depth: How many calls lie between: 1 for the caller of the function that asks.
    """
    found = sys._getframe(depth + 1).f_globals.get("__file__")
    return found if isinstance(found, str) else None


def places(dag_file: str | None) -> list[Path]:
    """Return the documents to look for, in order: one when `BIFROST_EXPORT_CONFIG` names it.

    In a DAG bundle, whose folder changes with each commit, the document beside the DAG file is of the same commit.

    Args:
        dag_file: The DAG file that asks, or None.
    """
    named = named_document()
    if named is not None:
        return [named]
    found = [] if dag_file is None else [Path(dag_file).absolute().parent.parent / DOCUMENT]
    return list(dict.fromkeys([*found, document_beside_dags()]))


def find_document(dag_file: str | None) -> Path:
    """Return the first of the places that exists, else the first.

    Args:
        dag_file: The DAG file that asks, or None.
    """
    looked = places(dag_file)
    return next((each for each in looked if _is_there(each)), looked[0])


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # it may be, and whoever reads it tells why not
    return True
