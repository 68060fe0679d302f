"""Build Markdown tables, and replace a marked region of a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def cell(text: str) -> str:
    """Return a text for one cell of a table: on one line, with its bars and braces escaped.

    Args:
        text: Plain text or Markdown.
    """
    return re.sub(r"\s+", " ", text).strip().replace("|", r"\|")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table, with an empty line after it.

    Args:
        header: Names of the columns.
        rows: The cells of each row, already escaped.
    """
    lines = [f"| {' | '.join(header)} |", f"|{' --- |' * len(header)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def replaced(text: str, name: str, content: str) -> str:
    """Return a page with the region between `<!-- name -->` and `<!-- /name -->` replaced.

    Args:
        text: The page.
        name: Name of the region.
        content: The lines between the markers, with a final newline.

    Raises:
        ValueError: The page has no such region.
    """
    pattern = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- /{re.escape(name)} -->)", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"the page has no region {name!r}")
    return pattern.sub(lambda found: found[1] + content + found[2], text)
