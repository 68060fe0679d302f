"""All rows of a sample, chunk by chunk, as Arrow batches: what both kinds of log store are filled from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from bifrost_export.sample import columns, tool_calls
from bifrost_export.sample.contents import CONTENT_SHARE, Contents
from bifrost_export.sample.curves import RequestTimes
from bifrost_export.sample.objects import offload
from bifrost_export.sample.traffic import PROCESSING, SUCCESS, Traffic, draw

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bifrost_export.window import Window

CHUNK_ROWS = 50_000
_TOO_LONG = 3_100_000_000_000_000
"""Nanoseconds: more milliseconds than a record can hold."""


@dataclass(frozen=True)
class Batches:
    """A chunk of a sample.

    Args:
        logs: Rows of `logs`.
        tools: Rows of `mcp_tool_logs`.

    Times are in nanoseconds, UTC; reals are decimals, so that each kind of store gets the exact value. Columns that
    neither batch has are null, or stand in `columns.EMPTY` and `tool_calls.EMPTY`.
    """

    logs: pa.RecordBatch
    tools: pa.RecordBatch


@dataclass(frozen=True)
class Sample:
    """What a sample is made of; the same one gives the same rows.

    Args:
        window: The time that the requests start in.
        rows: How many rows `logs` has.
        seed: What they are drawn from.
        broken: How many of them have a latency that no record can hold: a clock jumped while the request ran.
        offloaded: Share of the rows whose payload lies in an object, from 0 to 1.
        objects: Folder for these objects; needed when there are any.
    """

    window: Window
    rows: int
    seed: int
    broken: int = 0
    offloaded: float = 0.0
    objects: Path | None = None

    def batches(self) -> Iterator[Batches]:
        """The rows in the order in which Bifrost would have inserted them."""
        times, seed = RequestTimes(self.window), self.seed % 2**64
        contents = Contents(seed)
        for number, first in enumerate(range(0, self.rows, CHUNK_ROWS)):
            random = np.random.default_rng([seed, 0, number])
            end = min(first + CHUNK_ROWS, self.rows)
            traffic = draw(random, times, first / self.rows, end / self.rows, end - first)
            self._break(traffic, first)
            yield self._batches(random, traffic, contents, times.end)

    def _break(self, traffic: Traffic, first: int) -> None:
        places = (2 * np.arange(self.broken) + 1) * self.rows // (2 * max(self.broken, 1)) - first
        here = places[(places >= 0) & (places < len(traffic))]
        traffic.latency[here] = _TOO_LONG
        traffic.status[here] = SUCCESS

    def _batches(self, random: np.random.Generator, traffic: Traffic, contents: Contents, last: int) -> Batches:
        logs = columns.columns(traffic)
        called, ends = columns.calls_tools(traffic), traffic.start + traffic.latency
        tools = tool_calls.columns(random, logs, called, traffic.words, ends, last)
        chance, away = random.random(len(traffic)), random.random(len(traffic)) < self.offloaded
        away &= traffic.status != PROCESSING
        said = ((chance < CONTENT_SHARE) | away) & traffic.is_chat & ~traffic.hidden & (traffic.status != PROCESSING)
        rows = np.flatnonzero(said)
        places = random.integers(0, 2**31, len(traffic))[rows]
        contents.fill(logs, rows, places, failed=traffic.status[rows] != SUCCESS)
        if self.objects is not None and away.any():
            offload(logs, away, self.objects)
        return Batches(pa.RecordBatch.from_pydict(logs), pa.RecordBatch.from_pydict(tools))
