"""A log store with plausible rows, the same ones for the same seed: for trying things, for the demo and for tests."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bifrost_export.errors import ConfigError
from bifrost_export.sample import postgres, sqlite
from bifrost_export.sample.rows import Sample
from bifrost_export.window import UTC, Window, rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bifrost_export.sample.rows import Batches

    Report = Callable[[str], None]


@dataclass(frozen=True)
class SampleSummary:
    """What was made.

    Args:
        window: The time that the rows cover.
        rows: How many rows `logs` has.
        tool_calls: How many rows `mcp_tool_logs` has.
        offloaded: How many rows of `logs` have their payload in an object.
        size: Bytes of the file, or of the tables with their indexes.
    """

    window: Window
    rows: int
    tool_calls: int
    offloaded: int
    size: int


@dataclass(frozen=True)
class SampleOptions:
    """What rows to make; the same options give the same rows in both kinds of log store.

    Args:
        rows: How many rows `logs` gets.
        seed: What they are drawn from.
        days: How many days of 24 hours before `end` they cover.
        end: First instant after the rows, aware; today 00:00 UTC by default.
        broken: How many rows have a latency that no record can hold.
        offloaded: Share of the rows whose payload lies in an object, from 0 to 1.
        objects: New or empty folder that stands for the bucket; needed with `offloaded`.
    """

    rows: int = 200_000
    seed: int = 1
    days: int = 7
    end: dt.datetime | None = None
    broken: int = 0
    offloaded: float = 0.0
    objects: Path | None = None

    def sample(self) -> Sample:
        """The sample that these options describe.

        Raises:
            ConfigError: A number that makes no sense, or a folder for objects that is missing or not empty.
        """
        for name, value in (("rows", self.rows), ("days", self.days)):
            if value < 1:
                raise ConfigError(f"{name} is {value}", allowed="a whole number of at least 1")
        if not 0 <= self.broken <= self.rows:
            raise ConfigError(f"broken is {self.broken}", allowed=f"a whole number from 0 to the rows, {self.rows}")
        if not 0 <= self.offloaded <= 1:
            raise ConfigError(f"offloaded is {self.offloaded}", allowed="a share from 0 to 1")
        self._check_objects()
        end = last_midnight(dt.datetime.now(UTC)) if self.end is None else self.end.astimezone(UTC)
        try:
            window = Window(end - dt.timedelta(days=self.days), end)
        except OverflowError:
            raise ConfigError(f"{self.days} days before {rfc3339(end)} lie before the year 1") from None
        return Sample(window, self.rows, self.seed, self.broken, self.offloaded, self.objects)

    def _check_objects(self) -> None:
        if self.offloaded and self.objects is None:
            raise ConfigError(
                "offloaded rows need a place for their payloads", hint="Name a folder for the objects (--objects)."
            )
        if self.objects is not None and self.objects.exists() and any(self.objects.iterdir()):
            raise ConfigError(f"the folder {self.objects} is not empty", hint="Name a new or an empty folder.")


def last_midnight(now: dt.datetime) -> dt.datetime:
    """The start of the UTC day that holds `now`."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def write(path: Path, report: Report = lambda text: None, **options: object) -> SampleSummary:
    """Make a SQLite log store.

    Args:
        path: The file to make; it must not exist, its folder is made.
        report: Is told what is being done, a sentence at a time.
        options: Those of `SampleOptions`.

    Raises:
        ConfigError: The file exists, or an option makes no sense.
    """
    if path.exists():
        raise ConfigError(
            f"{path} exists already", hint="Name a file that doesn't exist yet, or remove this one yourself."
        )
    sample = SampleOptions(**options).sample()  # type: ignore[arg-type]
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    counted = _Counted(sample, report)
    try:
        sqlite.fill(unfinished, counted.batches(), report)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return counted.summary(path.stat().st_size)


def write_postgres(url: str, report: Report = lambda text: None, **options: object) -> SampleSummary:
    """Make a PostgreSQL log store: Bifrost's tables in the connection's current schema. After an error it is as it was.

    Args:
        url: The database's address, as libpq reads it.
        report: Is told what is being done, a sentence at a time.
        options: Those of `SampleOptions`.

    Raises:
        ConfigError: The log store that is there has rows, or an option makes no sense.
        LogStoreError: The database can't be reached or refuses.
    """
    counted = _Counted(SampleOptions(**options).sample(), report)  # type: ignore[arg-type]
    return counted.summary(postgres.fill(url, counted.batches(), report))


class _Counted:
    """Counts the rows of a sample while they go by."""

    def __init__(self, sample: Sample, report: Report) -> None:
        self._sample, self._report = sample, report
        self._rows = self._tool_calls = self._offloaded = 0

    def batches(self) -> Iterator[Batches]:
        for chunk in _ahead(self._sample.batches()):
            yield chunk
            self._rows += len(chunk.logs)
            self._tool_calls += len(chunk.tools)
            self._offloaded += chunk.logs.column("has_object").true_count
            self._report(f"{self._rows:,} of {self._sample.rows:,} rows")

    def summary(self, size: int) -> SampleSummary:
        return SampleSummary(self._sample.window, self._rows, self._tool_calls, self._offloaded, size)


def _ahead(batches: Iterator[Batches]) -> Iterator[Batches]:
    """The same batches, each drawn by a thread while the one before it is being written."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, batches, None)
        while (chunk := coming.result()) is not None:
            coming = thread.submit(next, batches, None)
            yield chunk
