"""A second reading of what requests asked and were answered, by the columns of the row or of its offloaded payload."""

from __future__ import annotations

import gzip
import json
from typing import Any

from tests.independent import as_bytes, repaired

REQUEST = (
    *("input_history", "responses_input_history", "params", "tools", "speech_input", "transcription_input"),
    *("ocr_input", "image_generation_input", "image_edit_input", "image_variation_input", "video_generation_input"),
    *("video_edit_input", "raw_request", "passthrough_request_body"),
)
RESPONSE = (
    *("output_message", "responses_output", "tool_calls", "embedding_output", "rerank_output", "ocr_output"),
    *("speech_output", "transcription_output", "image_generation_output", "list_models_output"),
    *("video_generation_output", "video_retrieve_output", "video_download_output", "video_list_output"),
    *("video_delete_output", "raw_response", "passthrough_response_body"),
)
"""Columns that hold contents, in the order in which an export writes them."""


def content(row: dict[str, Any], columns: tuple[str, ...]) -> str | None:
    """The contents of a row as one JSON object: JSON as it stands, any other text in quotes; None without any."""
    if row["content_hidden"]:
        return None
    found = {name: repaired(as_bytes(row.get(name))) for name in columns}
    members = [f'"{name}":{value if _is_json(value) else _quoted(value)}' for name, value in found.items() if value]
    return f"{{{','.join(members)}}}" if members else None


def payload(stored: bytes) -> dict[str, bytes]:
    """The columns of an offloaded payload, texts as bytes: what is no UTF-8 in it stays as it is."""
    text = gzip.decompress(stored) if stored.startswith(b"\x1f\x8b") else stored
    parsed = json.loads(text.decode(errors="surrogateescape"))
    return {name: value.encode(errors="surrogateescape") for name, value in parsed.items() if isinstance(value, str)}


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_refused)
    except ValueError:
        return False
    return True


def _refused(name: str) -> None:
    raise ValueError(name)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
