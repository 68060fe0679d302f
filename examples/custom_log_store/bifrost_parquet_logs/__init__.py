"""A log store of one's own: a folder of Parquet files with rows of Bifrost's table `logs`, such as an archive has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, Field

from bifrost_export.errors import LogStoreError, NoLogStoreError
from bifrost_export.fields.markers import PathText
from bifrost_export.logstore.source_config import SourceConfig

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.filters.config import Filters
    from bifrost_export.logstore.port import Reading, Requests, Totals
    from bifrost_export.window import Window


class ParquetLogsConfig(SourceConfig):
    """Keys of `source.config`."""

    path: PathText = Field(min_length=1, description="The folder of files with the columns of logs.")


class ParquetLogs:
    """Reads files that nobody changes any more. A slice is held in memory while it is read."""

    kind: ClassVar[str] = "parquet_logs"
    Config: ClassVar[type[BaseModel]] = ParquetLogsConfig

    def __init__(self, config: ParquetLogsConfig) -> None:
        import pyarrow.dataset as ds

        self.path = Path(config.path)
        files = sorted(map(str, self.path.glob("*.parquet")))
        if not files:
            raise LogStoreError(
                f"{self.path} has no file *.parquet", hint="Set source.config.path to a folder with some."
            )
        with self._errors():
            self.logs = ds.dataset(files, format="parquet")
        if missing := {"id", "timestamp", "status"} - self.columns():
            raise NoLogStoreError(
                f"the files *.parquet of {self.path} lack the columns {', '.join(sorted(missing))}",
                hint="Set source.config.path to a folder with rows of Bifrost's table logs.",
            )

    def describe(self) -> dict[str, Any]:
        """Identify the log store in manifests."""
        return {"type": self.kind, "path": str(self.path)}

    def columns(self) -> frozenset[str]:
        """Return the columns of the files."""
        return frozenset(self.logs.schema.names)

    def slices(self, windows: Sequence[Window], rows_per_slice: int, most: int) -> list[Window]:
        """Cut windows by counts of their own rows."""
        from bifrost_export.logstore import arrow_rows, slicing

        seconds = int(slicing.step(windows).total_seconds())
        times = [self._inside(window, ["timestamp"]).column("timestamp") for window in windows]
        counts = [arrow_rows.moments(each, seconds) for each in times]
        return slicing.cut_windows(windows, counts, rows_per_slice, most)

    def count(self, window: Window) -> Totals:
        """Count a window."""
        from bifrost_export.logstore import arrow_rows

        return arrow_rows.totals(self._inside(window, arrow_rows.COUNTED))

    def unplaced(self) -> int:
        """Count the rows without a time: they are in no window."""
        import pyarrow.dataset as ds

        with self._errors():
            return int(self.logs.count_rows(filter=ds.field("timestamp").is_null()))

    def read(self, window: Window, schema: pa.Schema, filters: Filters | None = None) -> Reading:
        """Read a slice; the step filter judges the filters."""
        from bifrost_export.logstore import arrow_rows

        return arrow_rows.reading(self._inside(window, arrow_rows.needed(schema)), schema)

    def lookup(self, ids: Sequence[str], schema: pa.Schema) -> Requests:
        """Find requests by their ids."""
        import pyarrow as pa
        import pyarrow.dataset as ds

        from bifrost_export.logstore import arrow_rows

        wanted = pa.array(ids, self.logs.schema.field("id").type)
        return arrow_rows.requests(self._rows(ds.field("id").isin(wanted), arrow_rows.needed(schema)), ids, schema)

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _inside(self, window: Window, columns: Sequence[str]) -> pa.Table:
        import pyarrow as pa
        import pyarrow.dataset as ds

        type_ = self.logs.schema.field("timestamp").type
        with self._errors():
            start, end = (pa.scalar(each, type_) for each in (window.start, window.end))
        return self._rows((ds.field("timestamp") >= start) & (ds.field("timestamp") < end), columns)

    def _rows(self, where: Any, columns: Sequence[str]) -> pa.Table:
        with self._errors():
            return self.logs.to_table([each for each in columns if each in self.columns()], where)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Raise the errors of reading files as the package's own; a retry can't fix them."""
        import pyarrow as pa

        try:
            yield
        except (OSError, pa.ArrowException) as error:
            raise LogStoreError(
                f"the Parquet files of {self.path} can't be read: {error}",
                hint="Check that the folder exists, that the task may read it, and that no file is half written.",
            ) from None
