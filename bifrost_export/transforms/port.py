"""The transform port: what one entry of `data.transformations` does, whoever wrote it.

A transform is a class with a `Config` model; it is registered by an entry point of the group
`bifrost_export.transforms`, or named in a document as `{"type": "package.module:Class"}`. Its module is imported when a
DAG file is read, so heavy imports (pyarrow, pandas) stand inside its methods.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar
from zoneinfo import ZoneInfo

from pydantic import Field

from bifrost_export.columns import Column
from bifrost_export.fields.markers import LiteralText, Strict

if TYPE_CHECKING:
    import pyarrow as pa

Columns = tuple[Column, ...]


class TransformConfig(Strict):
    """The keys that every transformation has; a transform's own `Config` adds its keys."""

    type: LiteralText = Field(description="The kind of transformation.")
    datasets: tuple[LiteralText, ...] | None = Field(
        default=None,
        min_length=1,
        description="The datasets to change; without it, all that have the fields.",
        examples=[["request_logs"]],
    )


@dataclass(frozen=True)
class Setting:
    """Where a transform runs.

    Args:
        dataset: The dataset whose rows it gets.
        timezone: The export's.
        scratch: Opens a private file for what doesn't fit into memory; it has no name, and goes when it is closed.
        memory: Bytes that it may hold, about, beside a few batches.
    """

    dataset: str
    timezone: ZoneInfo
    scratch: Callable[[], BinaryIO]
    memory: int = 48 * 1024 * 1024


class Transform(ABC):
    """One transformation of an export.

    Args:
        config: Its `Config`. In a task, all references are filled in; before (when a document is checked, a run
            planned, a DAG's page written), they stand as they are written, and a secret is `***`.

    Attributes:
        Config: The model of its keys in the document.
        whole_window: Whether it must see the rows of all slices, in order, in one stream; else it is given each slice
            by itself.
        looks_inside: Whether it also finds values of its fields under the keys of a span's `attributes`.
        keeps_rows: Whether it gives exactly the rows that it gets, in their order: the books then hold it to that.
    """

    Config: ClassVar[type[TransformConfig]] = TransformConfig
    whole_window: ClassVar[bool] = False
    looks_inside: ClassVar[bool] = False
    keeps_rows: ClassVar[bool] = False

    def __init__(self, config: Any) -> None:
        self.config = config

    def fields(self) -> tuple[str, ...]:
        """The columns that it names or reads. One that no dataset ever has is an error of the document."""
        return ()

    def missing(self, names: Collection[str]) -> tuple[str, ...]:
        """What it lacks in a dataset with columns of these names."""
        return tuple(name for name in self.fields() if name not in names)

    def takes(self, names: Collection[str]) -> bool:
        """Whether it runs on a dataset with columns of these names."""
        return not self.missing(names)

    def columns(self, given: Columns) -> Columns:
        """The columns of the rows that it gives, from those that it gets. Nothing is read for that.

        Raises:
            ConfigError: It can't work on columns of these types, or two would have one name.
        """
        return given

    def changed(self, given: Columns) -> frozenset[str]:
        """Columns that it gives with other values than it got them: the books don't compare their sums."""
        return frozenset()

    def measured(self) -> tuple[str, ...]:
        """Return the columns of the record of which it wants what was measured, beside what the record shows.

        `apply` then gets the columns that `config.hidden_columns.MEASURED` names as well, as far as there are any.
        """
        return ()

    def masked(self, given: Columns) -> frozenset[str]:
        """Columns whose values can't be read any more from what it gives."""
        return frozenset()

    def mask_value(self, column: str, value: str | None) -> str | None:
        """A value of a column as it may be told outside of the rows, of a rejected one say.

        Args:
            column: The dataset's column that the value belongs to.
            value: Of a row that doesn't pass through `apply`.
        """
        return value

    def accounts(self) -> dict[str, tuple[str, ...]]:
        """Columns of what it gives that add up to something of what it got, by which the books hold it.

        Returns:
            Column -> the measures whose sum it tells: of `rows`, `input_tokens`, `output_tokens`, `cost`.
        """
        return {}

    def remarks(self) -> Iterable[tuple[str, str]]:
        """What works and should be looked at: a message, and what to do."""
        return ()

    def describe(self) -> str:
        """What it does, in words, for the DAG's page; no secret."""
        return f"{self.config.type}"

    @abstractmethod
    def apply(self, batches: Iterator[pa.RecordBatch], given: Columns, setting: Setting) -> Iterator[pa.RecordBatch]:
        """Change rows.

        Args:
            batches: Rows of the columns `given`, some tens of thousands a batch, in their order: of one slice, or of
                all slices when `whole_window` says so.
            given: Their columns.
            setting: Where it runs.

        Returns:
            Batches of `columns(given)`. The same rows in give the same rows out, however they are cut into batches.
        """
