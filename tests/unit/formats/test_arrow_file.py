"""Arrow files: read without a copy of the schema anywhere else, batches of a fixed number of rows."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.ipc as ipc
import pytest

from bifrost_export.formats import groups
from bifrost_export.formats.arrow_file import ArrowFormat
from tests.unit.formats.rows import RECORD, WIDE, cut, odd_table, plausible, written


@pytest.mark.parametrize("compression", ArrowFormat.compressions)
def test_types_flags_and_rows_come_back(compression: str) -> None:
    """The schema stands in the file."""
    table = odd_table()

    found = ipc.open_file(pa.BufferReader(written(table.to_batches(), WIDE, "arrow", compression))).read_all()

    found.validate(full=True)
    assert found.schema.equals(WIDE, check_metadata=True)
    assert found.equals(table)


def test_batches_have_a_fixed_number_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever they were given as."""
    monkeypatch.setattr(groups, "GROUP_ROWS", 5)

    reader = ipc.open_file(pa.BufferReader(written(cut(plausible(12), [3, 4, 11]), RECORD, "arrow")))

    assert [reader.get_batch(number).num_rows for number in range(reader.num_record_batches)] == [5, 5, 2]


def test_compression_is_inside() -> None:
    """The named codec makes the file smaller, and readers need not be told."""
    bodies = {each: written(plausible(5_000).to_batches(), RECORD, "arrow", each) for each in ("none", "lz4", "zstd")}

    assert len(bodies["zstd"]) < len(bodies["lz4"]) < len(bodies["none"])
    assert {feather.read_table(pa.BufferReader(body)).num_rows for body in bodies.values()} == {5_000}
