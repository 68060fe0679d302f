"""The SQL that reads a SQLite log store: rows of the shape `rows.RAW`, totals, odd rows, counts by time."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from bifrost_export.logstore.endpoints import PASSTHROUGH
from bifrost_export.logstore.rows import NUMBERS
from bifrost_export.logstore.sqlite.extra_selection import ExtraSelection
from bifrost_export.logstore.sqlite.intervals import (
    has_other_form,
    is_plain,
    migrated_inside,
    migrated_ranges,
    space_range,
    widened_range,
)
from bifrost_export.logstore.sqlite.numbers import is_whole_real, number, usual
from bifrost_export.logstore.sqlite.pushdown import SQLiteRemoval
from bifrost_export.thresholds import SUMMED_COST, SUMMED_TOKENS
from bifrost_export.window import Window

if TYPE_CHECKING:
    from bifrost_export.filters.config import Filters

_SETTLED = "status IS NOT 'processing'"
# ADBC takes each column's type from the first row, so that a typed one is put before the others and dropped again.
_TYPED = (
    "SELECT '' AS timestamp, '' AS id, '' AS customer_id, '' AS customer_ids, '' AS provider, '' AS model,"
    " '' AS object_type, '' AS status, 0.0 AS latency, 0 AS prompt_tokens, 0 AS completion_tokens, 0 AS recorded,"
    " 0.0 AS cost, '' AS odd, '' AS error_details, '' AS params, 0 AS has_object, 0 AS row"
)


class Statements:
    """The statements for one table.

    Args:
        columns: The columns that `logs` has here.
        schema: What is wanted, where it is more than the record.
        table: `mcp_tool_logs` has the same columns, as far as it has them.
        filters: Rows that these surely remove are left out.
    """

    def __init__(
        self,
        columns: Collection[str],
        schema: pa.Schema | None = None,
        table: str = "logs",
        filters: Filters | None = None,
    ) -> None:
        self.columns = columns
        self.table = table
        self.extra = ExtraSelection(schema or pa.schema([]), columns)
        self.typed = _TYPED + self.extra.typed()
        self.is_wide = bool(self.extra.contents)
        self.removal = None
        # Whether long contents are UTF-8 SQLite tells no faster than it gives them.
        if filters is not None and not self.is_wide:
            removal = SQLiteRemoval(filters, columns, self.extra)
            self.removal = removal if removal.rules else None

    def _given(self, name: str) -> str:
        return name if name in self.columns else "NULL"

    def _text(self, name: str) -> str:
        return f"CAST({name} AS TEXT)" if name in self.columns else "NULL"

    def _number(self, name: str) -> str:
        return number(self._given(name), is_real=name in REALS)

    def _odd(self) -> str:
        """Null, or what stands in the number columns when one of them holds no number of its kind."""
        tests = " AND ".join(
            f"({self._given(name)} IS NULL OR {usual(self._given(name), is_real=name in REALS)})"
            for name in NUMBERS
            if name in self.columns
        )
        told = " || ',' || ".join(
            f"{self._kind(name)} || ':' || coalesce(length(CAST({self._given(name)} AS BLOB)), 0)" for name in NUMBERS
        )
        return f"CASE WHEN {tests or '1'} THEN NULL ELSE {told} END"

    def _kind(self, name: str) -> str:
        given = self._given(name)
        if name in REALS:
            return f"typeof({given})"
        return f"CASE WHEN {is_whole_real(given)} THEN 'integer' ELSE typeof({given}) END"

    def _recorded(self) -> str:
        counts = [name for name in ("prompt_tokens", "completion_tokens", "total_tokens") if name in self.columns]
        empty = [f"coalesce({name}, 0) = 0" for name in counts]
        if "token_usage" in self.columns:
            empty.append("coalesce(token_usage, '') IN ('', x'')")
        # Most rows are answered by the first, cheap question.
        quick = f"WHEN {counts[0]} > 0 THEN 1 " if counts else ""
        return f"CASE {quick}WHEN {' AND '.join(empty) or '1'} THEN 0 ELSE 1 END"

    def _selection(self) -> str:
        kinds = ", ".join(f"'{kind}'" for kind in PASSTHROUGH)
        own = self._given("customer_id")
        several = f"CASE WHEN coalesce({own}, '') IN ('', x'') THEN {self._text('customer_ids')} END"
        details = f"CASE WHEN status IS NOT 'success' THEN {self._text('error_details')} END"
        params = f"CASE WHEN {self._given('object_type')} IN ({kinds}) THEN {self._text('params')} END"
        return (
            ", ".join(
                (
                    *("timestamp", self._text("id"), self._text("customer_id"), several, self._text("provider")),
                    *(self._text("model"), self._text("object_type"), self._text("status")),
                    *(self._number(name) for name in NUMBERS[:3]),
                    *(self._recorded(), self._number("cost"), self._odd(), details, params),
                    *(self._has_object(), "rowid"),
                )
            )
            + self.extra.selection()
        )

    def _has_object(self) -> str:
        if "has_object" not in self.columns:
            return "0"
        return "CASE WHEN has_object IN (1, 'true', 't') THEN 1 ELSE 0 END"

    def space_rows(self, window: Window) -> str:
        """The rows of Bifrost's own time form, in the order of their texts, which is theirs but for ties.

        Those that the filters remove are left out, also those in doubt, which `doubtful_rows` gives.
        """
        passing = f" AND {self.removal.passes()}" if self.removal else ""
        return f"{self.typed} UNION ALL SELECT * FROM ({self._space_rows(window)}{passing} ORDER BY timestamp)"

    def doubtful_rows(self, window: Window) -> str:
        """Those of the same form that a filter removes unless they are rejected, in no order; none without filters."""
        doubtful = self.removal.is_in_doubt() if self.removal else "false"
        return f"{self.typed} UNION ALL {self._space_rows(window)} AND {doubtful}"

    def _space_rows(self, window: Window) -> str:
        chosen = f"{space_range('timestamp', window)} AND {_SETTLED}"
        return f"SELECT {self._selection()} FROM {self.table} WHERE {chosen}"

    def migrated_rows(self, window: Window) -> str:
        """The rows of the migrated time form, in no order."""
        stays = f" AND {self.removal.stays()}" if self.removal else ""
        return (
            f"{self.typed} UNION ALL SELECT {self._selection()} FROM {_migrated_from(self.table, 'timestamp', window)}"
            f" WHERE {_migrated_where('timestamp', window)} AND {_SETTLED}{stays}"
        )

    def odd_rows(self, numbers: Iterable[int]) -> str:
        """Rows by their number."""
        chosen = ", ".join(str(number) for number in numbers)
        rows = f"SELECT {self._selection()} FROM {self.table} WHERE rowid IN ({chosen}) AND {_SETTLED}"
        return f"{self.typed} UNION ALL {rows}"

    def named_rows(self, ids: Iterable[str]) -> str:
        """Rows by their id."""
        chosen = ", ".join("'" + each.replace("'", "''") + "'" for each in ids)
        return f"{self.typed} UNION ALL SELECT {self._selection()} FROM {self.table} WHERE id IN ({chosen})"

    def held(self, window: Window) -> str:
        """How many rows were created in about a window, and about how many there are at most: indexes answer."""
        created = "0"
        if "created_at" in self.columns:
            created = f"(SELECT count(*) FROM {self.table} WHERE {widened_range('created_at', window)})"
        return f"SELECT {created} AS created, (SELECT coalesce(max(rowid), 0) FROM {self.table}) AS highest"

    def span(self) -> str:
        """About how many rows the table has: both ends by themselves, so that nothing is walked through."""
        last, first = (f"(SELECT coalesce({each}(rowid), 0) FROM {self.table})" for each in ("max", "min"))
        return f"SELECT {last} - {first} + 1 AS rows"

    def candidates(self, window: Window, whole: bool = False) -> str:
        """Rows whose time is in neither form, or can't be read: whoever calls this reads each of them by itself.

        Args:
            window: The window.
            whole: Look for times that can't be read in the whole table, not only in the rows that were created then.
        """
        told = (
            "rowid AS row, CASE WHEN typeof(timestamp) = 'text' THEN timestamp END AS timestamp,"
            f" {self._created_text()} AS created_at, typeof(timestamp) AS kind,"
            " length(CAST(timestamp AS BLOB)) AS bytes"
        )
        sources = [f"{self.table} WHERE {widened_range('timestamp', window)} AND {has_other_form('timestamp')}"]
        if whole:
            unread = f"SELECT rowid FROM {self.table} WHERE NOT {is_plain('timestamp')}"
            sources.append(f"{self.table} WHERE rowid IN ({unread})")
        elif "created_at" in self.columns:
            unread = f"timestamp IS NOT created_at AND NOT {is_plain('timestamp')}"
            migrated = _migrated_from(self.table, "created_at", window)
            sources += [
                f"{self.table} WHERE {space_range('created_at', window)} AND {unread}",
                f"{migrated} WHERE {_migrated_where('created_at', window, checked=False)} AND {unread}",
                (
                    f"{self.table} WHERE {widened_range('created_at', window)} AND {has_other_form('created_at')}"
                    f" AND NOT {is_plain('timestamp')}"
                ),
            ]
        typed = "SELECT 0 AS row, '' AS timestamp, '' AS created_at, '' AS kind, 0 AS bytes"
        return " UNION ALL ".join((typed, *(f"SELECT {told} FROM {source}" for source in sources)))

    def _created_text(self) -> str:
        given = self._given("created_at")
        return f"CASE WHEN typeof({given}) = 'text' THEN {given} END"

    def totals(self, window: Window, odd: Collection[int]) -> list[str]:
        """Statements whose rows add up to the totals of an interval; each gives the same six columns.

        With filters those of the usual times tell besides what is removed.
        """
        sources = [
            f"{self.table} WHERE {space_range('timestamp', window, checked=True)}",
            f"{_migrated_from(self.table, 'timestamp', window)} WHERE {_migrated_where('timestamp', window)}",
        ]
        numbers = sorted(odd)
        odd_sources = [
            f"{self.table} WHERE rowid IN ({', '.join(map(str, numbers[first : first + _MANY]))})"
            for first in range(0, len(numbers), _MANY)
        ]
        sums = self._sums()
        if self.removal:
            return [*(self.removal.sums(each, sums) for each in sources), *_selects(sums, odd_sources)]
        return _selects(sums, [*sources, *odd_sources])

    def _sums(self) -> str:
        def tokens(name: str) -> str:
            given = self._given(name)
            counted = f"{_SETTLED} AND {given} BETWEEN -{SUMMED_TOKENS} AND {SUMMED_TOKENS}"
            return f"coalesce(sum(CASE WHEN {counted} THEN {number(given, is_real=False)} END), 0)"

        cost = self._given("cost")
        finite = f"CASE WHEN {_SETTLED} AND typeof({cost}) IN ('integer', 'real') AND abs({cost}) <= {SUMMED_COST} THEN"
        return (
            f"count(*) FILTER (WHERE {_SETTLED}) AS rows, count(*) FILTER (WHERE NOT {_SETTLED}) AS unsettled,"
            f" {tokens('prompt_tokens')} AS input_tokens, {tokens('completion_tokens')} AS output_tokens,"
            f" total({finite} {cost} END) AS cost_usd, total({finite} abs({cost}) END) AS cost_scale"
        )

    def unplaced(self) -> str:
        """Rows of the whole table whose two times have neither form, for a reader of their texts."""
        created = f"NOT {is_plain('created_at')}" if "created_at" in self.columns else "1"
        return (
            "SELECT '' AS timestamp, '' AS created_at UNION ALL"
            f" SELECT CASE WHEN typeof(timestamp) = 'text' THEN timestamp END, {self._created_text()}"
            # An index alone answers the inner question, for nearly every row.
            f" FROM {self.table} WHERE rowid IN (SELECT rowid FROM {self.table}"
            f" WHERE NOT {is_plain('timestamp')}) AND {created}"
        )

    def newest(self, day: str | None = None) -> str:
        """The latest text that is a time; of one day in Bifrost's own form, which sorts before the migrated one."""
        among = f"timestamp >= '{day} ' AND timestamp < '{day}!' AND " if day else ""
        return (
            f"SELECT timestamp FROM {self.table} WHERE {among}{is_plain('timestamp')} ORDER BY timestamp DESC LIMIT 1"
        )

    def time_indexes(self) -> str:
        """The whole indexes that begin with `timestamp`."""
        return (
            "SELECT list.name FROM pragma_index_list('logs') AS list, pragma_index_info(list.name) AS info"
            " WHERE info.seqno = 0 AND info.name = 'timestamp' AND NOT list.partial"
        )

    def rows_about(self, window: Window) -> str:
        """How many rows a window holds at most; an index alone serves it, at little cost."""
        return f"SELECT count(*) AS rows FROM {self.table} WHERE {widened_range('timestamp', window)}"

    def by_time(self, window: Window, characters: int) -> str:
        """Rows by the first so many characters of their times, in order; an index alone serves it."""
        moment = f"replace(substr(timestamp, 1, {characters}), 'T', ' ')"
        return (
            f"SELECT {moment} AS moment, count(*) AS rows FROM {self.table}"
            f" WHERE {widened_range('timestamp', window)} GROUP BY moment ORDER BY moment"
        )


_MANY = 5_000
REALS: Final = ("latency", "cost")
"""Those of `NUMBERS` that may have a fraction."""


def _selects(what: str, sources: Iterable[str]) -> list[str]:
    return [f"SELECT {what} FROM {source}" for source in sources]


def _migrated_from(table: str, column: str, window: Window) -> str:
    ranges = ", ".join(f"('{low}', '{high}')" for low, high in migrated_ranges(window))
    return f"(VALUES {ranges}) AS days CROSS JOIN {table} ON {column} >= days.column1 AND {column} < days.column2"


def _migrated_where(column: str, window: Window, checked: bool = True) -> str:
    return migrated_inside(column, window) + (f" AND {is_plain(column)}" if checked else "")
