"""`python`: the user's function gets rows, and what it gives back is held to the columns that are known."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from bifrost_export.errors import ConfigError, TransformError
from tests.unit.transforms.requests import RECORD, applied, row, transformation

HERE = __name__
ROWS = [row(request_id="a", input_tokens=None, cost_usd=None), row(request_id="b", latency_ms=5), row(request_id="c")]


def unchanged(rows: Any) -> Any:
    """As it is."""
    return rows


def slow_ones(frame: pd.DataFrame) -> pd.DataFrame:
    """Fewer rows, and a column more."""
    kept = frame[frame["latency_ms"] >= 100].copy()
    kept["seconds"] = kept["latency_ms"] / 1000
    return kept


def doubled(table: pa.Table) -> pa.Table:
    """Another type and twice the rows."""
    text = pc.cast(table.column("status_code"), pa.string())
    changed = table.set_column(table.column_names.index("status_code"), "status_code", text).drop(["method"])
    return pa.concat_tables([changed, changed])


def failing(frame: pd.DataFrame) -> pd.DataFrame:
    """It tells a value of a row."""
    raise ValueError(f"canary {frame['request_id'][0]}")


def nothing(frame: pd.DataFrame) -> None:
    """Forgets to return."""


def with_nulls(frame: pd.DataFrame) -> pd.DataFrame:
    """Leaves a required column empty."""
    return frame.assign(model=None)


def with_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Text where a number is wanted."""
    return frame.assign(latency_ms="canary")


def with_infinity(frame: pd.DataFrame) -> pd.DataFrame:
    """No number."""
    return frame.assign(cost_usd=float("inf"))


@pytest.mark.parametrize("engine", ["pandas", "arrow"])
def test_rows_come_through_unharmed(engine: str) -> None:
    """Nulls of whole numbers too, which pandas alone would turn into floats."""
    assert applied(ROWS, type="python", callable=f"{HERE}:unchanged", engine=engine) == ROWS


def test_a_function_may_leave_rows_out_and_add_a_column() -> None:
    """The new column is told in the document, so that it is known before any row is read."""
    config = {"type": "python", "callable": f"{HERE}:slow_ones", "columns": {"seconds": "double"}}
    found = applied(ROWS, **config)
    assert found == [each | {"seconds": 0.1} for each in ROWS if each["latency_ms"] >= 100]


def test_a_function_may_change_a_type_and_take_a_column_away() -> None:
    """A changed column is optional, and keeps its place."""
    columns = {"status_code": "string", "method": None}
    found = applied(ROWS[:1], type="python", callable=f"{HERE}:doubled", engine="arrow", columns=columns)
    assert (
        found == [{name: value for name, value in (ROWS[0] | {"status_code": "200"}).items() if name != "method"}] * 2
    )


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("failing", "failed with ValueError in .*test_python_function.py, line"),
        ("nothing", "gave NoneType"),
        ("slow_ones", "other columns than it should: besides seconds"),
        ("with_nulls", "gave nulls in the column 'model'"),
        ("with_text", "a column 'latency_ms' that is no int32"),
        ("with_infinity", "NaN or an infinity in the column 'cost_usd'"),
        ("no_such_function", "can't be imported: AttributeError"),
    ],
)
def test_what_a_function_does_wrong_is_told_without_a_value(function: str, message: str) -> None:
    """A permanent fault that says what and where."""
    rows = [row(request_id="canary")]
    with pytest.raises(TransformError, match=message) as caught:
        applied(rows, type="python", callable=f"{HERE}:{function}", engine="pandas")
    assert "canary" not in str(caught.value)


def test_a_module_that_is_not_there_is_told() -> None:
    """With what to do."""
    with pytest.raises(TransformError, match="can't be imported: ModuleNotFoundError"):
        applied(ROWS, type="python", callable="no_such_module_at_all:f")


def test_a_column_that_is_not_there_can_not_be_taken_away() -> None:
    """The document is checked against the columns."""
    with pytest.raises(ConfigError, match="no column 'modle' to take away"):
        transformation(type="python", callable="a:b", columns={"modle": None}).columns(RECORD)
