"""The filters that look at a record: the one list of them, from which every other place takes what it needs.

A new filter is one entry of `RULES`, its SQL in `logstore/pushdown.py`, and its key in `filters/config.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bifrost_export.thresholds import ERRORS_FROM

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.filters.config import Filters

DATE_RANGE = "date_range"
"""The filter that chooses which time is read; it looks at no record, and comes before the others."""

Predicate = Callable[["pa.Array", Any], "pa.Array"]


@dataclass(frozen=True)
class Rule:
    """A filter on records.

    Args:
        name: Its key in `data.filters`; the books count the rows that it removes under this name.
        column: The column of the record that it looks at.
        words: What it keeps, for people; `{}` is the value. For a filter of true or false, the words of each.
        keeps: Takes the column's values and the wanted value, and returns for each value whether its row is kept.
        pushdown: The kind of its SQL. A log store that has no SQL of this kind leaves the filter to the record.
    """

    name: str
    column: str
    words: str | Mapping[bool, str]
    keeps: Predicate
    pushdown: str

    def in_words(self, wanted: Any, shown: Callable[[Any], str]) -> str:
        """Return what the filter keeps, for people.

        Args:
            wanted: The value in the document.
            shown: Formats the value.
        """
        words = self.words if isinstance(self.words, str) else self.words[wanted]
        return words.format(shown(wanted))


def _one_of(values: pa.Array, wanted: Any) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.is_in(values, value_set=pa.array(list(wanted), values.type))


def _at_least(values: pa.Array, least: Any) -> pa.Array:
    import pyarrow.compute as pc

    return pc.greater_equal(values, least)


def _at_most(values: pa.Array, most: Any) -> pa.Array:
    import pyarrow.compute as pc

    return pc.less_equal(values, most)


def _is_error(values: pa.Array, wanted: Any) -> pa.Array:
    import pyarrow.compute as pc

    failed = pc.greater_equal(values, ERRORS_FROM)
    return failed if wanted else pc.invert(failed)


_ERRORS_IN_WORDS = {
    True: f"the status code is {ERRORS_FROM} or above",
    False: f"the status code is below {ERRORS_FROM}",
}

RULES = (
    Rule("providers", "provider", "the provider is one of {}", _one_of, "one_of_texts"),
    Rule("models", "model", "the model is one of {}", _one_of, "one_of_texts"),
    Rule("customers", "customer_id", "the customer is one of {}", _one_of, "one_of_customers"),
    Rule("min_latency_ms", "latency_ms", "the latency is at least {} ms", _at_least, "least_latency"),
    Rule("max_latency_ms", "latency_ms", "the latency is at most {} ms", _at_most, "most_latency"),
    Rule("status_codes", "status_code", "the status code is one of {}", _one_of, "one_of_status_codes"),
    Rule("has_errors", "status_code", _ERRORS_IN_WORDS, _is_error, "errors"),
)
"""In the order in which a row that several remove is counted (contract, section 6)."""


def asked(filters: Filters) -> list[tuple[Rule, Any]]:
    """Return the rules that an export's filters ask for, in the order of `RULES`, each with the wanted value."""
    values = ((rule, getattr(filters, rule.name)) for rule in RULES)
    return [(rule, wanted) for rule, wanted in values if wanted is not None]


def counted_together(*removed: Mapping[str, int]) -> dict[str, int]:
    """Return counts by rule, added up, in the order of the books; a rule that removed nothing is left out."""
    ordered = (DATE_RANGE, *(rule.name for rule in RULES), *(name for each in removed for name in each))
    counts = {name: sum(each.get(name, 0) for each in removed) for name in dict.fromkeys(ordered)}
    return {name: rows for name, rows in counts.items() if rows}
