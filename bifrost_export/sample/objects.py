"""Payloads that Bifrost has moved out of its rows: the objects as it writes them, and the rows as it leaves them."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from bifrost_export.sample.arrays import flags, sparse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bifrost_export.sample.curves import Array

PREFIX = "bifrost"
"""Bifrost's own default for `logs_store.object_storage.prefix`."""

PAYLOAD = (
    *("input_history", "responses_input_history", "output_message", "responses_output", "embedding_output"),
    *("rerank_output", "ocr_output", "params", "tools", "tool_calls", "speech_input", "transcription_input"),
    *("ocr_input", "image_generation_input", "image_edit_input", "image_variation_input", "video_generation_input"),
    *("video_edit_input", "speech_output", "transcription_output", "image_generation_output", "list_models_output"),
    *("video_generation_output", "video_retrieve_output", "video_download_output", "video_list_output"),
    *("video_delete_output", "cache_debug", "guardrail_debug", "routing_metadata", "token_usage", "error_details"),
    *("raw_request", "raw_response", "passthrough_request_body", "passthrough_response_body", "routing_engine_logs"),
)
"""Columns of `logs` that leave the row."""

_TOLD = (
    *("provider", "model", "status", "selected_key_id", "selected_key_name", "virtual_key_id", "virtual_key_name"),
    *("user_id", "user_name", "team_id", "team_name", "customer_id", "customer_name", "business_unit_id"),
    *("business_unit_name", "project_id", "project_name", "metadata"),
)


def offload(columns: dict[str, pa.Array], where: Array, folder: Path, prefix: str = PREFIX) -> None:
    """Move payloads into objects.

    Args:
        columns: Those of `logs`, changed in place: `has_object` becomes true, payloads become empty.
        where: Which rows.
        folder: Stands for the bucket: `<prefix>/logs/<YYYY>/<MM>/<DD>/<HH>/<id>.json.gz` is made in it.
        prefix: `logs_store.object_storage.prefix`.
    """
    rows = where.nonzero()[0]
    for key, body in _objects({name: column.take(rows) for name, column in columns.items()}, prefix):
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(json.dumps(body, ensure_ascii=False).encode(), 1, mtime=0))
    columns["has_object"] = pc.or_(columns["has_object"], flags(where))
    for name in PAYLOAD:
        if name in columns:
            columns[name] = _emptied(columns, name, where)


def _emptied(columns: dict[str, pa.Array], name: str, where: Array) -> pa.Array:
    empty = pc.if_else(flags(where), pa.scalar("", pa.string()), columns[name])
    if name != "input_history":
        return empty
    # Bifrost keeps the last message of a user, for its list of requests.
    rows = [row for row in where.nonzero()[0].tolist() if columns[name][row].as_py()]
    last = (json.loads(columns[name][row].as_py())[-1:] for row in rows)
    return sparse(
        len(where), rows, (json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in last), empty
    )


def _objects(columns: dict[str, pa.Array], prefix: str) -> Iterator[tuple[str, dict[str, str]]]:
    hours = pc.strftime(columns["timestamp"].cast(pa.timestamp("s", "UTC"), safe=False), "%Y/%m/%d/%H").to_pylist()
    names = [name for name in PAYLOAD if name in columns]
    times = pc.utf8_rtrim(columns["timestamp"].cast(pa.timestamp("ns")).cast(pa.string()), "0").to_pylist()
    told = {name: columns[name].to_pylist() for name in ("id", *_TOLD, *names)}
    reals = {name: columns[name].to_pylist() for name in ("cost", "latency")}
    for row, hour in enumerate(hours):
        body = {name: told[name][row] for name in names if told[name][row]}
        body |= {name: told[name][row] for name in _TOLD if told[name][row]}
        body["timestamp"] = times[row].rstrip(".").replace(" ", "T") + "Z"
        body |= {name: repr(float(values[row])) for name, values in reals.items() if values[row] is not None}
        yield f"{prefix}/logs/{hour}/{told['id'][row]}.json.gz", body
