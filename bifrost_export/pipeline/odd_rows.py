"""The odd rows of a slice that are exported: counted by dataset and all together, each log row once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bifrost_export.datasets import named
from bifrost_export.datasets.tool_calls import TRACES, tool_call_columns
from bifrost_export.hidden_columns import ODDITIES
from bifrost_export.logstore.oddities import Blanked, Oddity, odd_rows
from bifrost_export.pipeline.flows import TOOL_CALLS, first_schema
from bifrost_export.pipeline.odd_counts import OddCounts

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.pipeline.plan_document import Plan


def columns_of(plan: Plan, dataset: str) -> frozenset[str]:
    """Return the columns of a log row that a dataset has, or is made of."""
    if dataset == TOOL_CALLS:
        return frozenset(column.name for column in tool_call_columns(plan.export.data))
    return frozenset((*first_schema(plan, dataset).names, *(column.name for column in named(dataset).reads)))


@dataclass
class OddRow:
    """An odd row, with the columns of it that are exported.

    Args:
        timestamp: Microseconds since 1970 UTC.
        request_id: Its id, as the record has it.
        is_call: Whether it is a tool call.
        oddity: What is odd in it.
        columns: Of the datasets that it went to.
    """

    timestamp: int
    request_id: str
    is_call: bool
    oddity: Oddity
    columns: set[str] = field(default_factory=set)

    def blanked(self) -> Iterator[Blanked]:
        """Return the exported fields that are blanked."""
        return (each for each in self.oddity.blanked if each.column in self.columns)

    def counted(self) -> OddCounts:
        """Count the row."""
        repaired = (name for name in self.oddity.repaired if name in self.columns)
        return OddCounts.of_row((each.column for each in self.blanked()), repaired)


class OddRows:
    """Notes the odd rows among those that datasets get.

    Args:
        plan: The run's plan.
    """

    def __init__(self, plan: Plan) -> None:
        self.columns = {name: columns_of(plan, name) for name in (*plan.datasets, TOOL_CALLS)}
        self.by_dataset: dict[str, OddCounts] = {}
        self._rows: dict[tuple[Any, ...], OddRow] = {}
        self._seen: dict[str, Counter[tuple[Any, ...]]] = {}

    def add(self, dataset: str, batch: pa.RecordBatch) -> None:
        """Note the odd rows of a batch that a dataset gets.

        Args:
            dataset: The dataset; `TOOL_CALLS` for the calls among the rows of `traces`.
            batch: Rows of the reading, with `ODDITIES`.
        """
        for row, oddity in odd_rows(batch.column(ODDITIES)):
            self._add(dataset, batch, row, oddity)

    def _add(self, dataset: str, batch: pa.RecordBatch, row: int, oddity: Oddity) -> None:
        is_call = dataset == TOOL_CALLS
        told: OddRow = OddRow(
            batch.column("timestamp")[row].value, batch.column("request_id")[row].as_py(), is_call, oddity
        )
        # Ids can be alike once they are repaired: then the order tells the rows apart.
        key = (is_call, told.timestamp, told.request_id, oddity)
        seen = self._seen.setdefault(dataset, Counter())
        seen[key] += 1
        kept = self._rows.setdefault((*key, seen[key]), told)
        kept.columns |= self.columns[dataset]
        told.columns = set(self.columns[dataset])
        self._count(dataset, told)
        if is_call:
            self._count(TRACES, told)

    def _count(self, dataset: str, row: OddRow) -> None:
        names: Mapping[str, str] = {} if dataset == TOOL_CALLS else named(dataset).told_as
        counted = row.counted()
        told = OddCounts.of_row(
            *({names.get(name, name) for name in each} for each in (counted.blanked, counted.repaired))
        )
        self.by_dataset[dataset] = self.by_dataset.get(dataset, OddCounts()) + told

    def counts(self) -> OddCounts:
        """Return the counts of all datasets together, each log row once a column."""
        total = OddCounts()
        for row in self._rows.values():
            total += row.counted()
        return total

    def blanked(self) -> list[OddRow]:
        """Return the rows with a field that is blanked."""
        return [row for row in self._rows.values() if any(True for _ in row.blanked())]
