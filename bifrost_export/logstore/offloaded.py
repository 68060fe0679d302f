"""Rows whose payload Bifrost has offloaded are completed, before they are mapped, from the store that has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from bifrost_export.errors import LogStoreError
from bifrost_export.logstore.endpoints import PASSTHROUGH
from bifrost_export.logstore.payloads.objects import BrokenError, Objects, folder_of, key_of
from bifrost_export.logstore.payloads.open_reader import open_reader
from bifrost_export.logstore.payloads.port import PayloadReader, way_out
from bifrost_export.logstore.port import TOOL_CALLS, Offloaded
from bifrost_export.logstore.repair import repaired
from bifrost_export.logstore.rows import CONTENT, SHOWN

if TYPE_CHECKING:
    from bifrost_export.logstore.payloads.config import Offloading

AT_ONCE = 8
"""Objects that are asked for at once."""

HAS_OBJECT = "has_object"
"""Column of the rows beside those of `rows.RAW`: 1 where Bifrost says that it has offloaded the payload."""

Needs = Callable[[pa.RecordBatch], pa.Array]


def _failed(rows: pa.RecordBatch) -> pa.Array:
    failed = pc.fill_null(pc.not_equal(rows.column("status"), "success"), True)
    return pc.and_(failed, _is_empty(rows.column("error_details")))


def _passes(rows: pa.RecordBatch) -> pa.Array:
    passes = pc.is_in(rows.column("object_type"), value_set=pa.array(PASSTHROUGH))
    return pc.and_(passes, _is_empty(rows.column("params")))


def _shows(rows: pa.RecordBatch) -> pa.Array:
    return pc.equal(rows.column(SHOWN), 1)


NEEDED: dict[str, Needs] = {"error_details": _failed, "params": _passes}
"""The payload columns that a record is made of -> which rows need them."""


def _needed(rows: pa.RecordBatch) -> dict[str, Needs]:
    """The same with the contents that are wanted: of a conversation the row itself keeps the last message alone."""
    contents = [name for name in rows.schema.names if name.startswith(CONTENT) and name != SHOWN]
    return {**NEEDED, **dict.fromkeys(contents, _shows)}


@dataclass(frozen=True)
class _Wish:
    """What a row lacks."""

    row: int
    key: str
    columns: tuple[str, ...]
    table: str

    @property
    def names(self) -> list[str]:
        """The columns as the payload names them."""
        return [name.removeprefix(CONTENT) for name in self.columns]


@dataclass
class Completion:
    """Completes the rows of one log store.

    Args:
        config: Names the object storage, and what to do without access to it.
    """

    config: Offloading
    _objects: Objects | None = None
    _pool: ThreadPoolExecutor | None = None
    _refusal: LogStoreError | None = field(default=None)

    def complete(
        self, rows: pa.RecordBatch, instants: pa.Array, counts: Offloaded, table: str = "logs"
    ) -> pa.RecordBatch:
        """The rows, with what offloaded payloads say in their empty columns; their order stays.

        Args:
            rows: Rows of the shape `rows.RAW`, with `HAS_OBJECT` among other columns.
            instants: Their times, microseconds since 1970 UTC; rows without one are left alone.
            counts: Gets what became of each row that needed its payload.
            table: The rows'.

        Raises:
            LogStoreError: There is no access, and `offloaded` is `fail`.
            LogStoreBusyError: The object storage throttles or can't be reached.
        """
        wishes = self._wishes(rows, instants, table)
        if not wishes:
            return rows
        found: dict[str, dict[int, bytes]] = {name: {} for name in _needed(rows)}
        done = 0
        try:
            for wish, columns in zip(wishes, self._answers(wishes), strict=True):
                outcome = "gone" if columns is None else "broken" if columns == _BROKEN else "completed"
                counts.add(outcome, wish.names)
                done += 1
                _keep(found, wish, columns)
        except LogStoreError as error:
            if self.config.offloaded == "fail":
                raise
            self._refusal = error
            counts.reason = error.message
            for wish in wishes[done:]:
                counts.add("skipped", wish.names)
        for name, texts in found.items():
            if texts:
                rows = rows.set_column(rows.schema.get_field_index(name), name, _filled(rows.column(name), texts))
        return rows

    @property
    def is_named(self) -> bool:
        """Whether the source names an object storage."""
        return self.config.object_storage is not None

    def probe(self) -> str:
        """Look whether payloads could be read; says what was found.

        Raises:
            LogStoreError: There is no access.
            LogStoreBusyError: The object storage can't be reached.
        """
        reader = self._open().reader
        folder = folder_of(self._prefix)
        key = reader.any_key(folder)
        if key is None:
            return f"{folder} can be listed, and has no object"
        reader.read(key, 0, 0)
        return f"{folder} can be listed, and an object in it be read"

    def close(self) -> None:
        """Wait for what is being read, and ask for no more."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    @property
    def _prefix(self) -> str:
        return self.config.object_storage.prefix if self.config.object_storage else ""

    def _wishes(self, rows: pa.RecordBatch, instants: pa.Array, table: str) -> list[_Wish]:
        has_object = pc.and_(pc.fill_null(pc.equal(rows.column(HAS_OBJECT), 1), False), instants.is_valid())
        if not pc.any(has_object).as_py():
            return []
        lacking = {name: pc.and_(has_object, needs(rows)) for name, needs in _needed(rows).items()}
        return list(self._each_wish(rows, instants, lacking, table))

    def _each_wish(
        self, rows: pa.RecordBatch, instants: pa.Array, lacking: dict[str, pa.Array], table: str
    ) -> Iterator[_Wish]:
        chosen = pa.array([False] * rows.num_rows, pa.bool_())
        for mask in lacking.values():
            chosen = pc.or_(chosen, mask)
        names = rows.column("id").view(pa.binary())
        for row in pc.indices_nonzero(chosen).to_pylist():
            request_id = repaired(names[row].as_py() or b"")
            columns = tuple(name for name, mask in lacking.items() if mask[row].as_py())
            yield _Wish(row, key_of(self._prefix, instants[row].as_py(), request_id, table), columns, table)

    def _answers(self, wishes: list[_Wish]) -> Iterator[Any]:
        if self._refusal is not None:
            raise self._refusal
        objects = self._open()
        if self._pool is None:
            self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="offloaded")
        return self._pool.map(lambda wish: _answer(objects, wish), wishes)

    def _open(self) -> Objects:
        if self._objects is None:
            if self.config.object_storage is None:
                raise LogStoreError(
                    "payloads of this log store are offloaded, and no object storage is named",
                    hint="Give object_storage in source.config, with the keys of Bifrost's logs_store.object_storage."
                    f" {way_out()}",
                )
            reader: PayloadReader = open_reader(self.config.object_storage, AT_ONCE)
            self._objects = Objects(reader)
        return self._objects


def _keep(found: dict[str, dict[int, bytes]], wish: _Wish, columns: dict[str, bytes] | str | None) -> None:
    """Add what an object holds to the texts by column and row."""
    if isinstance(columns, dict):
        for name in wish.columns:
            if text := columns.get(name.removeprefix(CONTENT)):
                found[name][wish.row] = text


_BROKEN = "broken"


def _answer(objects: Objects, wish: _Wish) -> dict[str, bytes] | str | None:
    try:
        return objects.columns(wish.key, wish.names, holds_values=wish.table == TOOL_CALLS)
    except BrokenError:
        return _BROKEN


def _is_empty(column: pa.Array) -> pa.Array:
    return pc.fill_null(pc.equal(pc.binary_length(column.view(pa.binary())), 0), True)


def _filled(column: pa.Array, texts: dict[int, bytes]) -> pa.Array:
    """The column with other texts in some rows; what is no UTF-8 stays as it is."""
    mask = [False] * len(column)
    for row in texts:
        mask[row] = True
    values = pa.array([texts[row] for row in sorted(texts)], pa.binary())
    return pc.replace_with_mask(column.view(pa.binary()), pa.array(mask), values).view(pa.string())
