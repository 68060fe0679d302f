"""The command line with a ninth filter: its key, its entry in the list of rules, its SQL, and nothing else.

Run as a program, since the models of a document are made once in a process.

    python -m tests.integration.ninth_filter with-sql run log_exports.json ...
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from bifrost_export.filters import config, rules
from bifrost_export.logstore.pushdown import Removal, Test

NAME = "min_input_tokens"


class Filters(config.Filters):
    """The keys of `data.filters`, and one more."""

    min_input_tokens: int | None = Field(default=None, ge=0, description="At least so many input tokens.")


def _at_least(values: pa.Array, least: int) -> pa.Array:
    return pc.greater_equal(values, least)


def _sql(_: Removal, __: rules.Rule, least: int) -> Iterator[Test]:
    """A row without a count may have one on its record: only the record tells."""
    yield Test("prompt_tokens IS NULL", is_sure=False)
    yield Test(f"prompt_tokens < {least}")


def _register(kinds: dict[str, Any]) -> None:
    config.Filters = Filters  # type: ignore[misc]
    ninth = rules.Rule(NAME, "input_tokens", "the input has at least {} tokens", _at_least, "least_input_tokens")
    rules.RULES = (*rules.RULES, ninth)
    Removal.tests = {**Removal.tests, **kinds}


def _page(document: str) -> int:
    """Print the page of the document's DAG."""
    from bifrost_export.airflow.dag_page import page
    from bifrost_export.config.freezing import config_hash, freeze
    from bifrost_export.config.loader import load

    [found] = load(Path(document)).exports
    frozen = freeze(found)
    sys.stdout.write(json.dumps({"page": page(found.good, frozen, config_hash(frozen))}))
    return 0


def _main(sql: str, *arguments: str) -> int:
    _register({"least_input_tokens": _sql} if sql == "with-sql" else {})
    if arguments[0] == "page":
        return _page(arguments[1])
    from bifrost_export.cli.group import execute

    return execute(arguments)


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
