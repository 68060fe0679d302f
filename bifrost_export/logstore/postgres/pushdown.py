"""The filters of an export as PostgreSQL's SQL. None of it can fail, whatever a row holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bifrost_export.logstore.postgres.numeric import INTEGERS, real
from bifrost_export.logstore.postgres.table import Table, identifier, literal
from bifrost_export.logstore.pushdown import COSTLIEST, INT32, LEAST_LATENCY, MOST_LATENCY, PARTS, Removal

if TYPE_CHECKING:
    from bifrost_export.filters.config import Filters
    from bifrost_export.logstore.postgres.extra_selection import ExtraSelection


class PostgresRemoval(Removal):
    """The SQL for one table of a database whose texts are UTF-8, which the server vouches for.

    Args:
        filters: The export's.
        table: The table.
        extra: What is wanted beside the record.
    """

    def __init__(self, filters: Filters, table: Table, extra: ExtraSelection) -> None:
        super().__init__(filters)
        self.table, self.extra = table, extra

    def costs(self) -> str:
        """Two aggregates, `removed_cost` and `removed_cost_rest`: together the sum of the costs as the record has them.

        The server's own sum of decimals is another than that of their floats, in the last digit.
        """
        if "cost" not in self.table.columns:
            return "0::float8 AS removed_cost, 0::float8 AS removed_cost_rest"
        given = identifier("cost")
        cost = real(given, self.table.type_of("cost"))
        cost = f"(CASE WHEN {given} BETWEEN -{COSTLIEST} AND {COSTLIEST} THEN {cost} END)"
        whole = f"trunc({cost} * {PARTS}::float8)"
        return (
            f"coalesce(sum({whole}), 0) / {PARTS}::float8 AS removed_cost,"
            f" coalesce(sum({cost} - {whole} / {PARTS}::float8), 0) AS removed_cost_rest"
        )

    def text(self, column: str) -> str:
        """A column as text, whatever the collation of its own."""
        given = f"{identifier(column)}::text" if column in self.table.columns else "NULL::text"
        return f"coalesce({given}, '') COLLATE \"C\""

    def literal(self, text: str) -> str | None:
        """A text as SQL writes it; none of PostgreSQL's has a NUL."""
        return None if "\0" in text else literal(text)

    def latency(self) -> str:
        """The record's latency as a double, before it is rounded; NaN is more than any number."""
        if "latency" not in self.table.columns:
            return "0::float8"
        # Compared as the float that it is rounded as: a decimal can lie on the other side of a bound.
        value = f"({real(identifier('latency'), self.table.type_of('latency'))})"
        return f"(CASE WHEN {value} >= {LEAST_LATENCY} AND {value} < {MOST_LATENCY} THEN {value} ELSE 0 END)"

    def latency_is_known(self) -> str:
        """Whether it is there."""
        return "latency IS NOT NULL" if "latency" in self.table.columns else "false"

    def has_object(self) -> str:
        """Whether the row's payload is offloaded."""
        return f"{self.text('has_object')} IN ('true', 't', '1')"

    def sums_are_exact(self) -> Iterator[str]:
        """Conditions on what is added up of the rows that are removed: ranges, and that tokens are whole."""
        tests = {"cost": f"BETWEEN -{COSTLIEST} AND {COSTLIEST}"}
        tests |= dict.fromkeys(("prompt_tokens", "completion_tokens"), INT32)
        for name, test in tests.items():
            if name in self.table.columns:
                given = identifier(name)
                is_free = test is not INT32 or self.table.type_of(name) in INTEGERS
                whole = "" if is_free else f" AND {given} = trunc({given})"
                yield f"({given} IS NULL OR {given} {test}{whole})"

    def others(self) -> Iterator[str]:
        """What becomes of an offloaded payload that is wanted is counted of every row."""
        if self.extra.contents:
            yield f"NOT ({self.has_object()})"

    def has_long_number(self, text: str) -> str:
        """Whether a text has ten digits in a row, or a digit before an `e`."""
        return f"{text} ~ '[0-9]{{10}}|[0-9][eE]'"

    def begins(self, text: str, with_: str) -> str:
        """Whether a text begins with another."""
        return f"left({text}, {len(with_)}) = {literal(with_)}"

    def contains(self, text: str, other: str) -> str:
        """Whether a text contains another."""
        return f"strpos({text}, {literal(other)}) > 0"

    def first_text(self, json: str) -> str:
        """What stands between the first two quotes."""
        return f"split_part({json}, '\"', 2)"
