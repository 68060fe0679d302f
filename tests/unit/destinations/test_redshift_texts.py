"""Texts that Redshift's longest VARCHAR does not hold: cut, made null, or refused, by column."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.datasets.request_logs import RECORD as COLUMNS
from bifrost_export.destinations.redshift.shortening import MOST_BYTES, shorten
from bifrost_export.destinations.redshift.texts import RECORD, fit, methods_of
from bifrost_export.destinations.warehouse.tables import Column, Table
from bifrost_export.errors import DestinationError

TABLE = Table(
    "request_logs",
    (
        Column("request_id", "string", True, ""),
        Column("response_content", "string", False, ""),
        Column("note", "string", True, ""),
        Column("status_code", "int32", True, ""),
    ),
    4,
    "",
    "timestamp",
)


def written(folder: Path, **values: Any) -> Path:
    """A Parquet file of two rows, the second with these values."""
    first = {"request_id": "a", "response_content": None, "note": "n", "status_code": 200}
    schema = pa.schema(
        [
            pa.field(each.name, pa.int32() if each.type == "int32" else pa.string(), nullable=not each.required)
            for each in TABLE.columns
        ]
    )
    path = folder / "part.parquet"
    pq.write_table(pa.Table.from_pylist([first, {**first, **values}], schema=schema), path)
    return path


def read(path: Path) -> dict[str, Any]:
    """The second row."""
    return dict(pq.read_table(path).to_pylist()[1])


def test_the_record_is_what_the_dataset_says() -> None:
    """Its texts are known here by name, since destinations know no datasets."""
    assert {each.name for each in COLUMNS if each.type == "string"} == RECORD


@pytest.mark.parametrize("text", ["x" * 65_536, "ä" * 32_768, "€" * 21_846, "😀" * 16_384, "x" + "😀" * 16_384])
def test_contents_are_cut_between_two_characters_and_counted(tmp_path: Path, text: str) -> None:
    """As much as fits stays."""
    path = written(tmp_path, response_content=text)

    assert fit(path, TABLE, methods_of(TABLE, None)) == {"response_content": 1}

    kept = read(path)["response_content"]
    assert text.startswith(kept)
    assert MOST_BYTES - 3 <= len(kept.encode()) <= MOST_BYTES


@pytest.mark.parametrize("text", ["x" * 65_535, "😀" * 16_383 + "xyz"])
def test_what_fits_is_left_alone(tmp_path: Path, text: str) -> None:
    """To the byte."""
    path = written(tmp_path, response_content=text, note=text)
    before = path.read_bytes()
    assert fit(path, TABLE, methods_of(TABLE, None)) == {}
    assert path.read_bytes() == before


def test_a_nul_grows_by_its_replacement_before_lengths_are_compared(tmp_path: Path) -> None:
    """One byte becomes three."""
    path = written(tmp_path, response_content="\x00" * 30_000)
    assert fit(path, TABLE, methods_of(TABLE, None)) == {"response_content": 1}
    assert read(path)["response_content"] == "\ufffd" * 21_845


@pytest.mark.parametrize("method", [None, "fail"])
def test_a_text_of_the_record_fails_with_its_column(tmp_path: Path, method: str | None) -> None:
    """Never its value."""
    path = written(tmp_path, request_id="secret" * 12_000)
    with pytest.raises(DestinationError, match=r"column request_id has 72,000 bytes.*65,535 bytes") as raised:
        fit(path, TABLE, methods_of(TABLE, method))
    assert "secret" not in str(raised.value)


def test_null_empties_what_takes_null_and_refuses_what_does_not(tmp_path: Path) -> None:
    """Both are told by column."""
    path = written(tmp_path, response_content="x" * 70_000)
    assert fit(path, TABLE, methods_of(TABLE, "null")) == {"response_content": 1}
    assert read(path) == {"request_id": "a", "response_content": None, "note": "n", "status_code": 200}
    path = written(tmp_path, note="x" * 70_000)
    with pytest.raises(DestinationError, match="column note has 70,000 bytes and the column takes no null"):
        fit(path, TABLE, methods_of(TABLE, "null"))


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(max_size=4), each, max_size=4),
        max_leaves=12,
    ),
    most=st.integers(20, 200),
)
def test_json_keeps_its_shape_where_its_strings_are_what_is_long(value: Any, most: int) -> None:
    """It never has more bytes than it may, and an object of long texts stays an object."""
    text = json.dumps({"a": value}, ensure_ascii=False).encode("utf-8", "replace").decode()
    short = shorten(text, most)
    assert len(short.encode()) <= max(most, 0)
    emptied = len(shorten(json.dumps({"a": "x" * 400}), most).encode())
    assert emptied <= most


def test_a_span_with_a_long_prompt_stays_an_object_that_can_be_parsed() -> None:
    """Short attributes are whole, the long ones are cut alike."""
    span = {
        "gen_ai.request.model": "gpt-5",
        "gen_ai.input.messages": "ä" * 80_000,
        "gen_ai.output.messages": '"' * 90_000,
    }
    short = shorten(json.dumps(span, ensure_ascii=False))
    found = json.loads(short)
    assert MOST_BYTES - 8 <= len(short.encode()) <= MOST_BYTES
    assert found["gen_ai.request.model"] == "gpt-5"
    assert span["gen_ai.input.messages"].startswith(found["gen_ai.input.messages"])
    assert len(found["gen_ai.output.messages"]) > 10_000
