"""Sizes as documents write them."""

from __future__ import annotations

import pytest

from bifrost_export.errors import ConfigError
from bifrost_export.fields.units import parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [("1KB", 1000), ("1KiB", 1024), ("256MB", 256_000_000), ("1GiB", 2**30), ("3TB", 3 * 10**12), ("2TiB", 2**41)],
)
def test_a_size_is_a_number_with_a_unit(text: str, size: int) -> None:
    """Units with an i count by 1024, the others by 1000."""
    assert parse_size(text, "max_file_size") == size


@pytest.mark.parametrize("text", ["", "0KB", "01KB", "1", "1B", "1kb", "1 KB", "1.5GB", "-1MB", "1MB\n", "\u0661MB"])
def test_anything_else_is_refused_with_what_is_allowed(text: str) -> None:
    """Also what others would read in one way or another."""
    with pytest.raises(ConfigError, match="max_file_size is") as raised:
        parse_size(text, "max_file_size")
    assert "256MB" in (raised.value.allowed or "")
