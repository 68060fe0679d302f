"""The filters of an export as SQL: which rows a log store may leave out, and the rule that removes each.

What the SQL removes, the filter on the record would remove too, under the same rule; whatever SQL can't tell for sure
passes, and is judged on the record. A row that might be rejected passes always: it is rejected before a filter sees it.
Blanked and repaired fields are counted of exported rows alone, so that a removed row may have any.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import takewhile
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from bifrost_export.filters.rules import Rule, asked
from bifrost_export.logstore.endpoints import PASSTHROUGH
from bifrost_export.logstore.records import FINAL
from bifrost_export.logstore.repair import REPLACEMENT
from bifrost_export.thresholds import ERRORS_FROM, INT32_MAX, INT32_MIN

if TYPE_CHECKING:
    from bifrost_export.filters.config import Filters

IN_DOUBT = "in doubt"
"""In the place of a rule: one removes the row, unless it is rejected, which it may be."""

COSTLIEST = 1e9
"""A row that cost more, either way, in USD, is judged on its record: the sums of those that SQL removes stay exact."""

PARTS = 67_108_864.0
"""A cost is a whole number of parts of a dollar, which is added up without an error, and the rest."""

MOST_WORDS = 1_000
"""A longer list is judged on the record: PostgreSQL takes seconds to read it, for every piece of a slice anew."""

INT32 = f"BETWEEN {INT32_MIN} AND {INT32_MAX}"
LEAST_LATENCY, MOST_LATENCY = INT32_MIN - 0.5, INT32_MAX + 0.5
"""From the one, inclusive, up to the other, exclusive, a latency is rounded to a number of 32 bits. Any other one is
blanked, and 0 on the record."""

_FINAL = ", ".join(f"'{status}'" for status in FINAL)
_LIST_OF_TEXTS = '["'
_BACKSLASH = "\\"
_ESCAPED = "\\u"


class Test(NamedTuple):
    """A condition on a row; it is never null.

    Args:
        sql: The condition.
        is_sure: Whether a row that meets it is removed by the rule. If not, only the record tells whether the rule
            removes it, so that no later rule may.
    """

    sql: str
    is_sure: bool = True


class Removal(ABC):
    """The SQL for one table; a dialect fills in how it reads a row. No condition is ever null.

    Args:
        filters: The export's; `date_range` is none of the rules.
    """

    def __init__(self, filters: Filters) -> None:
        self.filters = filters

    @property
    def rules(self) -> list[str]:
        """The rules that SQL judges, in their order: all of the export's, up to the first that it leaves to the record.

        Whether that one removes a row only the record tells, so that no later rule may.
        """
        return [rule.name for rule, _ in self._judged()]

    def _judged(self) -> Iterator[tuple[Rule, Any]]:
        return takewhile(lambda each: self._can_be_judged(*each), asked(self.filters))

    def _can_be_judged(self, rule: Rule, value: Any) -> bool:
        if rule.pushdown not in self.tests:
            return False
        if not isinstance(value, tuple):
            return True
        # A text with bad bytes holds that character on the record alone.
        return len(value) <= MOST_WORDS and not any(REPLACEMENT in str(each) for each in value)

    def rule(self) -> str:
        """The rule that removes a row; null where none does, `IN_DOUBT` where one does unless the row is rejected."""
        first = self._first_rule()
        which = f"'{self.rules[0]}'" if len(self.rules) == 1 else first
        sure = f"CASE WHEN {self._becomes_a_record()} THEN {which} ELSE '{IN_DOUBT}' END"
        return f"CASE WHEN {first} IS NOT NULL THEN {sure} END"

    def passes(self) -> str:
        """Whether no rule removes a row; a cheap question."""
        return f"{self._first_rule()} IS NULL"

    def is_in_doubt(self) -> str:
        """Whether a rule removes a row unless it is rejected, which takes its record to tell."""
        return f"{self._first_rule()} IS NOT NULL AND NOT ({self._becomes_a_record()})"

    def stays(self) -> str:
        """Whether a row passes or is in doubt."""
        return f"NOT ({self._first_rule()} IS NOT NULL AND {self._becomes_a_record()})"

    def _first_rule(self) -> str:
        """The rule that removes a row, unless it is rejected; null where none does, or SQL can't tell."""
        removed = " ".join(f"WHEN {test} THEN {rule}" for rule, test in self._tests())
        return f"(CASE {removed} END)"

    def _tests(self) -> Iterator[tuple[str, str]]:
        """Rule, as SQL, and whether it removes a row, in the order of the rules; null where SQL can't tell."""
        for rule, wanted in self._judged():
            for test in self.tests[rule.pushdown](self, rule, wanted):
                yield f"'{rule.name}'" if test.is_sure else "NULL", test.sql

    def _takes_its_latency_elsewhere(self) -> str:
        """Whether a row without a latency of its own may take one that its error tells."""
        elsewhere = f"{self.text('error_details')} <> '' OR {self.has_object()}"
        return f"NOT ({self.latency_is_known()}) AND {self.text('status')} <> 'success' AND ({elsewhere})"

    def _is_no_text_of(self, rule: Rule, wanted: Iterable[str]) -> Iterator[Test]:
        yield Test(f"NOT ({self._one_of(self.text(rule.column), wanted)})")

    def _is_no_customer_of(self, _: Rule, wanted: Iterable[str]) -> Iterator[Test]:
        yield Test(self._has_no_customer_of(wanted))
        yield Test(f"{self.text('customer_id')} = '' AND {self.text('customer_ids')} <> ''", is_sure=False)

    # A latency is rounded half to even before it is compared.
    def _is_faster(self, _: Rule, least: int) -> Iterator[Test]:
        yield Test(self._takes_its_latency_elsewhere(), is_sure=False)
        yield Test(f"{self.latency()} {'<=' if least % 2 else '<'} {least - 0.5}")

    def _is_slower(self, _: Rule, most: int) -> Iterator[Test]:
        yield Test(self._takes_its_latency_elsewhere(), is_sure=False)
        yield Test(f"{self.latency()} {'>=' if most % 2 else '>'} {most + 0.5}")

    def _is_no_code_of(self, _: Rule, wanted: Iterable[int]) -> Iterator[Test]:
        codes = ", ".join(str(int(code)) for code in wanted)
        yield Test(f"coalesce({self._code()} NOT IN ({codes}), false)" if codes else "true")

    def _ended_otherwise(self, _: Rule, wanted: bool) -> Iterator[Test]:
        yield Test(f"coalesce({self._code()} {'<' if wanted else '>='} {ERRORS_FROM}, false)")

    tests: ClassVar[Mapping[str, Callable[[Any, Rule, Any], Iterator[Test]]]] = {
        "one_of_texts": _is_no_text_of,
        "one_of_customers": _is_no_customer_of,
        "least_latency": _is_faster,
        "most_latency": _is_slower,
        "one_of_status_codes": _is_no_code_of,
        "errors": _ended_otherwise,
    }
    """Which rows a rule removes, by the kind of its pushdown: each gives the conditions of a rule with its value, in
    the order in which they are asked. A rule of another kind is judged on the record, and each rule behind it."""

    def _has_no_customer_of(self, wanted: Iterable[str]) -> str:
        own, several = self.text("customer_id"), self.text("customer_ids")
        alone = f"NOT ({self._one_of(own, wanted)})"
        if "" in wanted:
            return f"{own} <> '' AND {alone}"
        # The first of a list that can be read is what stands in the first quotes; of any other there is no customer.
        first = f"NOT ({self._one_of(self.first_text(several), wanted)})"
        plain = f"{self.begins(several, _LIST_OF_TEXTS)} AND NOT ({self.contains(several, _BACKSLASH)})"
        return f"CASE WHEN {own} <> '' OR {several} = '' THEN {alone} WHEN {plain} THEN {first} ELSE false END"

    def _one_of(self, value: str, wanted: Iterable[str]) -> str:
        literals = [told for each in wanted if (told := self.literal(each)) is not None]
        return f"{value} IN ({', '.join(literals)})" if literals else "false"

    def _code(self) -> str:
        """The status code of a row, where the row tells it without its JSON texts; else null."""
        return (
            f"CASE WHEN {self._passes_through()} THEN NULL WHEN {self.text('status')} = 'success' THEN 200"
            f" WHEN {self.text('error_details')} <> '' OR {self.has_object()} THEN NULL"
            f" WHEN {self.text('status')} = 'cancelled' THEN 499 ELSE 500 END"
        )

    def _becomes_a_record(self) -> str:
        """Whether a row is rejected under no circumstances; what costs most is asked last."""
        status, details = self.text("status"), self.text("error_details")
        return " AND ".join(
            (
                f"{status} IN ({_FINAL})",
                *self.sums_are_exact(),
                f"CASE WHEN {self._passes_through()} THEN {self._tells_a_code(self.text('params'))} ELSE true END",
                f"CASE WHEN {status} = 'success' THEN true ELSE {self._tells_a_code(details)} END",
                *self.others(),
            )
        )

    def _passes_through(self) -> str:
        kinds = ", ".join(f"'{kind}'" for kind in PASSTHROUGH)
        return f"{self.text('object_type')} IN ({kinds})"

    def _tells_a_code(self, json: str) -> str:
        """Whether the status code that a JSON text tells fits 32 bits: it has no long number, in whatever notation."""
        short = f"NOT ({self.has_long_number(json)}) AND NOT ({self.contains(json, _ESCAPED)})"
        return f"CASE WHEN {json} = '' THEN NOT ({self.has_object()}) ELSE {short} END"

    @abstractmethod
    def text(self, column: str) -> str:
        """A column as text, compared byte by byte; `''` where it is null, or missing."""

    @abstractmethod
    def literal(self, text: str) -> str | None:
        """A text as SQL writes it; None for one that no row can hold."""

    @abstractmethod
    def latency(self) -> str:
        """The record's latency as a double, before it is rounded; 0 where it is null, missing, or blanked."""

    @abstractmethod
    def latency_is_known(self) -> str:
        """Whether it is there."""

    @abstractmethod
    def has_object(self) -> str:
        """Whether the row's payload is offloaded."""

    @abstractmethod
    def sums_are_exact(self) -> Iterator[str]:
        """Conditions under which SQL adds up a row's tokens and cost as the record does."""

    def others(self) -> Iterator[str]:
        """Conditions under which nothing else is counted of a row that is removed."""
        return iter(())

    @abstractmethod
    def has_long_number(self, text: str) -> str:
        """Whether a text has ten digits in a row, or a digit before an `e`."""

    @abstractmethod
    def begins(self, text: str, with_: str) -> str:
        """Whether a text begins with another."""

    @abstractmethod
    def contains(self, text: str, other: str) -> str:
        """Whether a text contains another."""

    @abstractmethod
    def first_text(self, json: str) -> str:
        """What stands between the first two quotes of a text that begins with a bracket and a quote."""
