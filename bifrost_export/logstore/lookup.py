"""Look requests up by their ids, some hundreds at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pyarrow as pa

from bifrost_export.logstore.adaptive_pieces import SlowError
from bifrost_export.logstore.contents import content_sources
from bifrost_export.logstore.port import Requests
from bifrost_export.logstore.repair import whole_text

AT_ONCE = 500
"""Ids of one statement."""
WIDE_AT_ONCE = 50
"""The same where contents are wanted."""

LONGEST = 1_000
"""Characters of an id that is looked for: a statement has an end, and Bifrost's columns hold 255."""

Ask = Callable[[list[str]], Iterable[tuple[pa.RecordBatch, pa.RecordBatch]]]
"""Gives rows by their ids: as they stand, and mapped, without those that can't be."""


def find_requests(ask: Ask, ids: Sequence[str], schema: pa.Schema) -> Requests:
    """The requests of some ids; arguments and result as the log store port tells of `lookup`.

    Raises:
        SlowError: Even one of them takes too long.
    """
    size = WIDE_AT_ONCE if content_sources(schema) else AT_ONCE
    # A NUL would end a statement, and PostgreSQL has no text with one.
    ids = [each for each in ids if "\0" not in each and len(each) <= LONGEST]
    found: list[pa.RecordBatch] = []
    seen: set[str] = set()
    for first in range(0, len(ids), size):
        for raw, rows in _answers(ask, ids[first : first + size]):
            seen.update(each for each in whole_text(raw.column("id")).values.to_pylist() if each is not None)
            found.append(rows)
    table = pa.Table.from_batches(found, schema)
    return Requests(table, frozenset(seen.difference(table.column("request_id").to_pylist())))


def _answers(ask: Ask, ids: list[str]) -> list[tuple[pa.RecordBatch, pa.RecordBatch]]:
    try:
        return list(ask(ids))
    except SlowError:
        if len(ids) == 1:
            raise
        half = len(ids) // 2
        return [*_answers(ask, ids[:half]), *_answers(ask, ids[half:])]
