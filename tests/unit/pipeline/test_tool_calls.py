"""The books of spans and tool calls, and what their requests take along."""

from __future__ import annotations

import pytest

from bifrost_export.errors import BooksError
from bifrost_export.pipeline.books import Books, Sums
from bifrost_export.pipeline.tool_calls import joined

REQUESTS = Books(source=Sums(7), kept=Sums(5), filtered=Sums(2), filtered_by={"providers": 2}, staged=Sums(5))
CALLS = Books(source=Sums(4), kept=Sums(3), filtered=Sums(1), filtered_by={"request": 1}, staged=Sums(3))


def test_spans_are_those_of_requests_and_of_calls() -> None:
    """Five and three; both books balance, and survive a slice that has neither."""
    books = joined(REQUESTS, CALLS, Sums(8))
    books.check("traces")
    (books + Books()).check("traces")
    CALLS.check("mcp")
    assert books.staged == Sums(8)


@pytest.mark.parametrize("staged", [7, 9])
def test_a_span_that_is_lost_or_doubled_is_refused(staged: int) -> None:
    """On the way of the two into one file."""
    with pytest.raises(BooksError, match="what mcp was given against what it gave"):
        joined(REQUESTS, CALLS, Sums(staged)).check("traces")
