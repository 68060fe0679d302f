"""What was said in some of the sample's requests: messages, answers, parameters, about 4 KB each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrost_export.sample.arrays import sparse
from bifrost_export.sample.catalog import TOOLS

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.sample.curves import Array

_PLAIN = (
    "the a request answer model table column of to and in for with from by customer invoice report error value list "
    "please write summarise translate explain compare check code function class test query index batch window export "
    "stream cache key token 3.14 2026"
)
_WORDS = [
    *_PLAIN.split(),
    "naïve",
    "café",
    "東京",
    "größer",
    "→",
    "“quoted”",
    '"plain"',
    "back\\slash\ttab\nline",
    "50% €",
]
_POOL_WORDS = 40_000
CONTENT_SHARE = 0.01
_INPUT, _OUTPUT, _SUMMARY = 2_300, 1_100, 200
_TOOLS = json.dumps(
    [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for _, name, _, _ in TOOLS]
)

NAMES = (
    *("input_history", "output_message", "responses_input_history", "responses_output", "params", "tools"),
    *("tool_calls", "content_summary"),
)


class Contents:
    """Texts to say, the same ones for the same seed.

    Args:
        seed: What they are drawn from.
    """

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng([seed, 1])
        self._pool = " ".join(_WORDS[i] for i in random.integers(0, len(_WORDS), _POOL_WORDS))

    def _text(self, place: int, length: int) -> str:
        first = place % (len(self._pool) - length)
        return self._pool[first : first + length]

    def fill(self, columns: dict[str, pa.Array], rows: Array, places: Array, *, failed: Array) -> None:
        """Put contents into some rows of conversations.

        Args:
            columns: Those of `logs`, changed in place.
            rows: Numbers of the rows.
            places: A random number for each.
            failed: Whether each got no answer.
        """
        count = len(columns["id"])
        kinds = columns["object_type"].take(rows).to_pylist()
        stops = columns["tool_call_names"].take(rows).to_pylist()
        said = [
            self._conversation(kind, int(place), called, bool(without))
            for kind, place, called, without in zip(kinds, places, stops, failed, strict=True)
        ]
        for name in NAMES:
            values = [each.get(name, "") for each in said]
            columns[name] = sparse(count, rows.tolist(), values, columns.get(name))

    def _conversation(self, kind: str, place: int, called: str | None, failed: bool) -> dict[str, str]:
        question, answer = self._text(place, _INPUT), self._text(place // 7, _OUTPUT)
        params = {"temperature": place % 10 / 10, "max_tokens": 256 * (1 + place % 8)}
        said = {
            "params": _json(params),
            "content_summary": question[-_SUMMARY:] + ("" if failed else answer[:_SUMMARY]),
        }
        calls = [{"id": f"call_{place:x}", "type": "function", "function": {"name": called, "arguments": "{}"}}]
        if called:
            said["tools"] = _TOOLS
        if kind.startswith("responses"):
            said["responses_input_history"] = _json([{"type": "message", "role": "user", "content": question}])
            answers = [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": answer}]}]
            return said if failed else {**said, "responses_output": _json(answers)}
        history = [{"role": "system", "content": self._text(place // 3, 200)}, {"role": "user", "content": question}]
        said["input_history"] = _json(history)
        message: dict[str, Any] = {"role": "assistant", "content": answer}
        if called:
            message["tool_calls"] = calls
            said["tool_calls"] = _json(calls)
        return said if failed else {**said, "output_message": _json(message)}


def _json(value: Any) -> str:
    """JSON as Go writes it: no spaces, letters beyond ASCII as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
