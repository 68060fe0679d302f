"""The SQL that reads a PostgreSQL log store: rows of the shape `rows.RAW`, totals, odd rows, counts by time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pyarrow as pa

from bifrost_export.logstore.endpoints import PASSTHROUGH
from bifrost_export.logstore.postgres.extra_selection import ExtraSelection
from bifrost_export.logstore.postgres.numeric import is_summed, is_whole, real, summed_tokens, whole
from bifrost_export.logstore.postgres.pushdown import PostgresRemoval
from bifrost_export.logstore.postgres.table import Table, identifier, literal
from bifrost_export.logstore.rows import NUMBERS
from bifrost_export.window import Window

if TYPE_CHECKING:
    from bifrost_export.filters.config import Filters

_KINDS = ", ".join(f"'{kind}'" for kind in PASSTHROUGH)
_TEXTS = ("text", "varchar", "bpchar")
_FIRST, _END = "'0001-01-01 00:00:00+00'", "'10000-01-01 00:00:00+00'"
_EPOCH = "'1970-01-01 00:00:00+00'::timestamptz"


class Statements:
    """The statements for one table.

    Args:
        table: The table.
        schema: What is wanted, where it is more than the record.
        filters: Rows that these surely remove are left out.

    Raises:
        LogStoreError: One of these is of a type that can't hold what is wanted.
    """

    def __init__(self, table: Table, schema: pa.Schema | None = None, filters: Filters | None = None) -> None:
        self.table = table
        self.extra = ExtraSelection(schema or pa.schema([]), table, _is_unread)
        self.settled = f"{self._text('status')} IS DISTINCT FROM 'processing'"
        self.lock = table.name if table.lockable else None
        self.has_created_at = "created_at" in table.columns
        self.removal = None
        # Of another encoding neither the server vouches for the texts, nor can it hold every text of the filters.
        if filters is not None and table.is_utf8:
            removal = PostgresRemoval(filters, table, self.extra)
            self.removal = removal if removal.rules else None

    def rows(self, window: Window, *, in_doubt: bool = True) -> str:
        """The rows of an interval that have settled, in their order, without those that the filters remove.

        Args:
            window: The interval.
            in_doubt: Whether it has rows that a filter removes unless they are rejected: these are given.
        """
        stays = ""
        if self.removal:
            stays = f" AND {self.removal.stays() if in_doubt else self.removal.passes()}"
        return (
            f'SELECT {self._instant("timestamp")} AS "timestamp", {self._selection()} FROM {self.table.name} AS logs'
            f" WHERE {self._inside('timestamp', window)} AND {self.settled}{stays}"
            # The table's own column, not the one that is selected: an index gives its order.
            f' ORDER BY logs."timestamp", {self._text("id")} COLLATE "C"'
        )

    def named_rows(self, ids: Iterable[str]) -> str:
        """Rows by their id, whatever their state; the time is null where it is none that can be exported."""
        given = identifier("id")
        named = given if self.table.type_of("id") in _TEXTS else f"{given}::text"
        instant = f"CASE WHEN NOT {_is_unread('timestamp')} THEN {self._instant('timestamp')} END"
        return (
            f'SELECT {instant} AS "timestamp", {self._selection()} FROM {self.table.name}'
            f" WHERE {named} IN ({', '.join(map(literal, ids))})"
        )

    def totals(self, window: Window) -> str:
        """One row: the totals of an interval, and the bytes of its long texts; with filters one for each rule, too."""
        source = f"FROM {self.table.name} WHERE {self._inside('timestamp', window)}"
        if self.removal:
            return f"SELECT {self.removal.rule()} AS rule, {self._sums()}, {self.removal.costs()} {source} GROUP BY 1"
        return f"SELECT {self._sums()} {source}"

    def unread_rows(self, window: Window) -> str:
        """Rows whose `timestamp` is no time of the years 1 to 9999, and whose `created_at` lies in an interval."""
        return (
            f'SELECT {self._instant("created_at")} AS "timestamp", {self._selection()} FROM {self.table.name}'
            f" WHERE {_is_unread('timestamp')} AND {self._inside('created_at', window)} AND {self.settled}"
        )

    def unread_totals(self, window: Window) -> str:
        """The totals of such rows."""
        return (
            f"SELECT {self._sums()} FROM {self.table.name}"
            f" WHERE {_is_unread('timestamp')} AND {self._inside('created_at', window)}"
        )

    def unplaced(self) -> str:
        """How many rows of the whole table have no time of the years 1 to 9999 at all."""
        created = f" AND {_is_unread('created_at')}" if self.has_created_at else ""
        return f"SELECT count(*) AS rows FROM {self.table.name} WHERE {_is_unread('timestamp')}{created}"

    def by_time(self, window: Window, step: dt.timedelta) -> str:
        """Rows by moments of so many seconds, in order; an index alone serves it."""
        moment = f"date_bin('{int(step.total_seconds())} seconds', {self._instant('timestamp')}, {_EPOCH})"
        return (
            f"SELECT {moment} AS moment, count(*) AS rows FROM {self.table.name}"
            f" WHERE {self._inside('timestamp', window)} GROUP BY 1 ORDER BY 1"
        )

    def newest(self) -> str:
        """The latest time of the years 1 to 9999; an index alone serves it."""
        given = identifier("timestamp")
        return (
            f'SELECT {self._instant("timestamp")} AS "timestamp" FROM {self.table.name} AS logs'
            f" WHERE {given} >= {_FIRST} AND {given} < {_END} ORDER BY logs.{given} DESC LIMIT 1"
        )

    def kinds(self, window: Window) -> str:
        """How many rows of an interval there are of each kind and status."""
        kind = self._text("object_type") if "object_type" in self.table.columns else "NULL::text"
        return (
            f"SELECT {kind} AS object_type, {self._text('status')} AS status, count(*) AS rows"
            f" FROM {self.table.name} AS logs WHERE {self._inside('timestamp', window)} GROUP BY 1, 2 ORDER BY 1, 2"
        )

    def time_indexes(self) -> str:
        """The valid whole indexes that begin with `timestamp`; a partitioned table has such, too."""
        return (
            "SELECT 1::int8 AS found FROM pg_index AS i JOIN pg_attribute AS a"
            " ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
            f" WHERE i.indrelid = to_regclass({literal(self.table.name)}) AND a.attname = 'timestamp'"
            " AND i.indisvalid AND i.indpred IS NULL"
        )

    def _given(self, name: str) -> str | None:
        return identifier(name) if name in self.table.columns else None

    def _text(self, name: str) -> str:
        return f"{self._given(name) or 'NULL'}::text"

    def _instant(self, name: str) -> str:
        return f"{identifier(name)}::timestamptz"

    def _inside(self, column: str, window: Window) -> str:
        start, end = (instant.isoformat(" ") for instant in (window.start, window.end))
        return f"{identifier(column)} >= '{start}' AND {identifier(column)} < '{end}'"

    def _selection(self) -> str:
        own = self._text("customer_id")
        columns = {
            "id": self._text("id"),
            "customer_id": own,
            "customer_ids": f"CASE WHEN coalesce({own}, '') = '' THEN {self._text('customer_ids')} END",
            **{name: self._text(name) for name in ("provider", "model", "object_type", "status")},
            "latency": self._real("latency"),
            "prompt_tokens": self._whole("prompt_tokens"),
            "completion_tokens": self._whole("completion_tokens"),
            "recorded": self._recorded(),
            "cost": self._real("cost"),
            "odd": self._odd(),
            "error_details": f"CASE WHEN {self._failed()} THEN {self._text('error_details')} END",
            "params": f"CASE WHEN {self._passes()} THEN {self._text('params')} END",
            "has_object": f"CASE WHEN {self._text('has_object')} IN ('true', 't', '1') THEN 1::int8 ELSE 0::int8 END",
            **self.extra.columns(),
        }
        return ", ".join(f"{expression} AS {name}" for name, expression in columns.items())

    def _failed(self) -> str:
        return f"{self._text('status')} IS DISTINCT FROM 'success'"

    def _passes(self) -> str:
        return f"{self._text('object_type')} IN ({_KINDS})"

    def _real(self, name: str) -> str:
        given = self._given(name)
        return "NULL::float8" if given is None else real(given, self.table.type_of(name))

    def _whole(self, name: str) -> str:
        given = self._given(name)
        return "NULL::int8" if given is None else whole(given, self.table.type_of(name))

    def _odd(self) -> str:
        """Null, or which token columns hold a number that is no whole one; most tables can't hold such."""
        tests = {name: self._is_odd(name) for name in NUMBERS}
        if not any(tests.values()):
            return "NULL::text"
        usual = " AND ".join(f"NOT coalesce({test}, false)" for test in tests.values() if test)
        told = " || ',' || ".join(
            f"CASE WHEN {test} THEN 'real:0' ELSE 'null:0' END" if test else "'null:0'" for test in tests.values()
        )
        return f"CASE WHEN {usual} THEN NULL ELSE {told} END"

    def _is_odd(self, name: str) -> str | None:
        given = self._given(name)
        if given is None or name not in ("prompt_tokens", "completion_tokens"):
            return None
        test = is_whole(given, self.table.type_of(name))
        return None if test is None else f"NOT ({test})"

    def _recorded(self) -> str:
        counts = [self._given(name) for name in ("prompt_tokens", "completion_tokens", "total_tokens")]
        tests = [f"{given} <> 0" for given in counts if given]
        if self._given("token_usage"):
            tests.append(f"{self._text('token_usage')} <> ''")
        return f"CASE WHEN {' OR '.join(tests) or 'false'} THEN 1::int8 ELSE 0::int8 END"

    def _sums(self) -> str:
        def tokens(name: str) -> str:
            given = self._given(name)
            summed = f"{summed_tokens(given, self.table.type_of(name))} FILTER (WHERE {self.settled})" if given else "0"
            return f"coalesce({summed}, 0)::int8"

        cost = self._given("cost")
        added = f"FILTER (WHERE {self.settled} AND {is_summed(cost, self.table.type_of('cost'))})" if cost else ""
        # PostgreSQL adds up floats of 4 bytes to one of 4 bytes.
        value = f"{cost}::float8" if cost and self.table.type_of("cost") == "float4" else cost
        costs = {"cost_usd": f"sum({value}) {added}", "cost_scale": f"sum(abs({value})) {added}"}
        columns = {
            "rows": f"count(*) FILTER (WHERE {self.settled})",
            "unsettled": f"count(*) FILTER (WHERE NOT {self.settled})",
            "input_tokens": tokens("prompt_tokens"),
            "output_tokens": tokens("completion_tokens"),
            **{name: f"coalesce({summed if cost else '0'}, 0)::text" for name, summed in costs.items()},
            "bytes": f"coalesce(sum({self._bytes()}) FILTER (WHERE {self.settled}), 0)::int8",
        }
        return ", ".join(f"{expression} AS {name}" for name, expression in columns.items())

    def _bytes(self) -> str:
        """How long the texts are that can be long; none of them is read for it."""
        long = {"error_details": self._failed(), "params": self._passes(), "customer_ids": "true"}
        long |= dict.fromkeys(self.extra.texts(), "true")
        sizes = [f"CASE WHEN {when} THEN {self._size(name)} ELSE 0 END" for name, when in long.items()]
        return " + ".join(f"coalesce({size}, 0)" for size in sizes)

    def _size(self, name: str) -> str:
        given = self._given(name)
        if given is None:
            return "0"
        measure = "octet_length" if self.table.type_of(name) in _TEXTS else "pg_column_size"
        return f"{measure}({given})"


def _is_unread(column: str) -> str:
    """Whether a time is infinite, missing, or of a year that no window reaches; an index serves it."""
    given = identifier(column)
    return f"({given} IS NULL OR {given} < {_FIRST} OR {given} >= {_END})"
