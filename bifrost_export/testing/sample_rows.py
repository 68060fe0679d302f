"""The sample's rows: numbers drawn as arrays once, turned into rows of `logs` chunk by chunk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bifrost_export.testing.sample_catalog import CUSTOMERS, ERRORS, MODELS, PASSTHROUGH
from bifrost_export.testing.sample_curves import customers, pick, request_times
from bifrost_export.testing.sample_labels import Draw, row, space_form

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bifrost_export.window import Window

CHUNK_ROWS = 20_000
_BROKEN_EVERY = 40_000
_ERROR_SHARE, _CANCELLED_SHARE = 0.04, 0.006
_NO_PRICE = np.nan

COLUMNS = (
    *("id", "parent_request_id", "timestamp", "created_at", "object_type", "provider", "model", "params", "stream"),
    *("number_of_retries", "fallback_index", "selected_key_id", "selected_key_name"),
    *("virtual_key_id", "virtual_key_name", "team_id", "team_name", "customer_id", "customer_name", "customer_ids"),
    *("app", "user_agent", "latency", "status", "stop_reason", "error_details"),
    *("prompt_tokens", "completion_tokens", "total_tokens", "cached_read_tokens", "token_usage"),
    *("input_cost", "output_cost", "cost"),
)
EMPTY = (
    *("attempt_trail", "routing_engines_used", "input_history", "responses_input_history", "output_message"),
    *("responses_output", "embedding_output", "tools", "tool_calls", "content_summary", "raw_request", "raw_response"),
    *("cache_debug", "plugin_logs", "routing_engine_logs"),
)


class Sample:
    """All rows of a sample log store, in the order in which Bifrost would have inserted them.

    Args:
        window: The time that the requests start in.
        rows: How many rows.
        seed: What they are drawn from.
    """

    def __init__(self, window: Window, rows: int, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._rows = rows
        model = pick(self._random, [m.share for m in MODELS], rows)
        self._draw_outcome(model)
        start = request_times(self._random, window, rows)
        order = np.argsort(start + (self._latency * 1e6).astype(np.int64), kind="stable")
        self._start, self._model = start[order], model[order]
        for name in ("_latency", "_kind", "_error", "_input", "_output", "_cached"):
            setattr(self, name, getattr(self, name)[order])
        self._break_some()
        self._draw_labels()

    def _draw_outcome(self, model: np.ndarray[Any, Any]) -> None:
        draw, rows = self._random, self._rows
        typical = np.array([m.latency for m in MODELS])[model]
        self._latency = np.round(typical * draw.lognormal(0.0, 0.6, rows), 6)
        chance = draw.random(rows)
        self._kind = np.where(chance < _ERROR_SHARE, 1, np.where(chance < _ERROR_SHARE + _CANCELLED_SHARE, 2, 0))
        self._error = pick(draw, [share for share, _ in ERRORS], rows)
        self._input = np.minimum(draw.lognormal(6.2, 1.1, rows), 180_000).astype(np.int64) + 1
        self._output = np.minimum(draw.lognormal(5.0, 1.0, rows), 30_000).astype(np.int64) + 1
        self._output[np.array([m.output_price == 0 for m in MODELS])[model]] = 0
        self._cached = np.where(draw.random(rows) < 0.2, self._input // 2, 0)

    def _break_some(self) -> None:
        """A clock that jumped while a request ran has left a latency that no record can hold: one row in 40,000."""
        self._latency[_BROKEN_EVERY // 2 :: _BROKEN_EVERY] = 3.1e9

    def _draw_labels(self) -> None:
        draw, rows = self._random, self._rows
        self._object = draw.random(rows)
        self._passthrough = pick(draw, [share for share, _ in PASSTHROUGH], rows)
        self._customer = customers(draw, CUSTOMERS, rows)
        self._app = draw.integers(0, 6, rows)
        self._retries = np.where(draw.random(rows) < 0.03, draw.integers(1, 4, rows), 0)
        self._id = draw.integers(0, 2**63, (rows, 2), dtype=np.int64)
        failed = np.maximum.accumulate(np.where(self._kind == 1, np.arange(rows), -1))
        self._parent = np.where((draw.random(rows) < 0.015) & (self._kind == 0), failed, -1)

    @staticmethod
    def statement() -> str:
        """The INSERT that the tuples of `chunk` belong to; texts that are always empty stand in it."""
        names = ", ".join(f"`{name}`" for name in (*COLUMNS, *EMPTY))
        values = ", ".join(("?",) * len(COLUMNS) + ("''",) * len(EMPTY))
        return f"INSERT INTO logs ({names}) VALUES ({values})"  # noqa: S608 (our own column names)

    def chunk(self, first: int, end: int) -> Iterator[tuple[Any, ...]]:
        """Rows number `first` to `end - 1`, each a value for every name of `COLUMNS`."""
        part = slice(first, end)
        price = np.array([[_NO_PRICE if m.input_price is None else m.input_price, m.output_price] for m in MODELS])
        tokens = np.stack([self._input[part], self._output[part]], axis=1)
        parents = [self._id[parent].tolist() if parent >= 0 else None for parent in self._parent[part].tolist()]
        numbers = (
            *(self._model, self._object, self._passthrough, self._customer, self._app, self._retries, self._latency),
            *(self._kind, self._error, self._input, self._output, self._cached),
        )
        columns = (
            *(space_form(self._start[part]), self._id[part].tolist(), parents),
            *(column[part].tolist() for column in numbers),
            np.round(tokens * price[self._model[part]] / 1e6, 10).tolist(),
        )
        return (row(Draw(*values)) for values in zip(*columns, strict=True))
