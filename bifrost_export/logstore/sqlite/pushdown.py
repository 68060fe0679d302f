"""The filters of an export as SQLite's SQL."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bifrost_export.logstore.port import Removed
from bifrost_export.logstore.pushdown import COSTLIEST, IN_DOUBT, INT32, LEAST_LATENCY, MOST_LATENCY, PARTS, Removal

if TYPE_CHECKING:
    from bifrost_export.filters.config import Filters
    from bifrost_export.logstore.sqlite.extra_selection import ExtraSelection


def literal(text: str) -> str:
    """A text as SQL writes it, whatever it holds: by its bytes where it has characters that can't be seen.

    A NUL would end the statement.

    Raises:
        UnicodeEncodeError: It holds half of a surrogate pair.
    """
    if text.isprintable():
        text.encode()
        return "'" + text.replace("'", "''") + "'"
    return f"CAST(x'{text.encode().hex()}' AS TEXT)"


_QUOTE = "'\"'"


class SQLiteRemoval(Removal):
    """The SQL for one table.

    Args:
        filters: The export's.
        columns: The columns that the table has.
        extra: What is wanted beside the record.
    """

    def __init__(self, filters: Filters, columns: Collection[str], extra: ExtraSelection) -> None:
        super().__init__(filters)
        self.columns, self.extra = columns, extra

    def sums(self, source: str, totals: str) -> str:
        """One row: what a source holds, and beside it what is removed of it.

        Args:
            source: What stands behind FROM.
            totals: The aggregates over all rows.
        """
        told = [name for name in ("status", "prompt_tokens", "completion_tokens", "cost") if name in self.columns]
        # The limit keeps the inner query one of its own, so that a row's rule is looked for once.
        rows = f"SELECT {', '.join(told)}, {self.rule()} AS rule FROM {source} LIMIT -1"
        counts = "".join(f", count(*) FILTER (WHERE rule = '{rule}') AS {rule}" for rule in self.rules)
        counts += f", count(*) FILTER (WHERE rule = '{IN_DOUBT}') AS in_doubt"
        return f"SELECT {totals}{counts}, {self._sums()} FROM ({rows})"

    def told(self, row: Mapping[str, Any]) -> Removed:
        """What a row of `sums` says is removed; nothing where another statement gave it."""
        if "removed_cost" not in row:
            return Removed()
        counts = {rule: row[rule] for rule in self.rules if row[rule]}
        cost = (row["removed_cost"], row["removed_cost_rest"])
        tokens = (row["removed_input_tokens"], row["removed_output_tokens"])
        return Removed(counts, *tokens, cost, row["removed_cost_scale"], row["in_doubt"])

    def _sums(self) -> str:
        def given(name: str) -> str:
            return f"CASE WHEN rule <> '{IN_DOUBT}' THEN {name} END" if name in self.columns else "NULL"

        cost = given("cost")
        whole = f"CAST({cost} * {PARTS} AS INTEGER)"
        return (
            f"coalesce(sum({given('prompt_tokens')}), 0) AS removed_input_tokens,"
            f" coalesce(sum({given('completion_tokens')}), 0) AS removed_output_tokens,"
            f" total({whole}) / {PARTS} AS removed_cost, total({cost} - {whole} / {PARTS}) AS removed_cost_rest,"
            f" total(abs({cost})) AS removed_cost_scale"
        )

    def text(self, column: str) -> str:
        """A column as text; a function's result has neither the column's affinity nor its collation."""
        return f"coalesce(CAST({column} AS TEXT), '')" if column in self.columns else "''"

    def literal(self, text: str) -> str:
        """A text as SQL writes it."""
        return literal(text)

    def latency(self) -> str:
        """The record's latency as a double, before it is rounded."""
        if "latency" not in self.columns:
            return "0.0"
        # Without the column's affinity every text and blob is more than any number.
        known = f"+latency >= {LEAST_LATENCY} AND +latency < {MOST_LATENCY}"
        return f"CASE WHEN {known} THEN CAST(latency AS REAL) ELSE 0.0 END"

    def latency_is_known(self) -> str:
        """Whether it is there."""
        return "latency IS NOT NULL" if "latency" in self.columns else "false"

    def has_object(self) -> str:
        """Whether the row's payload is offloaded."""
        return "coalesce(has_object IN (1, 'true', 't'), 0)" if "has_object" in self.columns else "false"

    def sums_are_exact(self) -> Iterator[str]:
        """Conditions on what is added up of the rows that are removed."""
        # Without the column's affinity every text and blob is more than any number.
        tests = {
            "prompt_tokens": f"typeof({{0}}) = 'integer' AND {{0}} {INT32}",
            "completion_tokens": f"typeof({{0}}) = 'integer' AND {{0}} {INT32}",
            "cost": f"+{{0}} BETWEEN -{COSTLIEST} AND {COSTLIEST}",
        }
        for name, test in tests.items():
            if name in self.columns:
                yield f"({name} IS NULL OR {test.format(name)})"

    def has_long_number(self, text: str) -> str:
        """Whether a text has ten digits in a row, or a digit before an `e`."""
        return f"{text} GLOB '*{'[0-9]' * 10}*' OR {text} GLOB '*[0-9][eE]*'"

    def begins(self, text: str, with_: str) -> str:
        """Whether a text begins with another."""
        return f"substr({text}, 1, {len(with_)}) = {literal(with_)}"

    def contains(self, text: str, other: str) -> str:
        """Whether a text contains another."""
        return f"instr({text}, {literal(other)}) > 0"

    def first_text(self, json: str) -> str:
        """What stands between the first two quotes."""
        rest = f"substr({json}, 3)"
        return f"substr({rest}, 1, max(0, instr({rest}, {_QUOTE}) - 1))"
