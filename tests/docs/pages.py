"""Read the pages of the documentation: their headings, links, tables and blocks of code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from markdown.extensions.toc import slugify

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.md"

_FENCE = re.compile(
    r"^(?:<!-- (?P<mark>[^>]*) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_LINK = re.compile(r"(!?)\[(?:[^\[\]]|\[[^\]]*\])*\]\((?P<target>[^()\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (?P<text>.+)$", re.MULTILINE)
_OF_AN_EXPORT = {"name", "source", "schedule", "destination", "data", "airflow"}


@dataclass(frozen=True)
class Block:
    """A fenced block of code.

    Args:
        page: Its page, relative to the repository.
        number: Its number among the blocks of the page, from 1.
        language: The word behind the fence.
        mark: The HTML comment above it, or an empty text: how a test treats it.
        text: Its lines.
    """

    page: str
    number: int
    language: str
    mark: str
    text: str

    def __str__(self) -> str:
        """Name the block in the id of a test."""
        return f"{self.page.removesuffix('.md')}-{self.number}"


def pages() -> list[Path]:
    """Return the README and every page of the documentation."""
    return [README, *sorted(DOCS.rglob("*.md"))]


def name_of(page: Path) -> str:
    """Return the path of a page, relative to the repository."""
    return page.relative_to(ROOT).as_posix()


@cache
def text_of(name: str) -> str:
    """Return the text of a page, with the files that it includes.

    Args:
        name: Path of the page, relative to the repository.
    """
    text = (ROOT / name).read_text("utf-8")
    return re.sub(r'^--8<-- "([^"]+)"$', lambda found: text_of(found[1]), text, flags=re.MULTILINE)


def prose_of(name: str) -> str:
    """Return the text of a page without its blocks of code."""
    return _FENCE.sub("", text_of(name))


def blocks(*languages: str) -> list[Block]:
    """Return the blocks of all pages in these languages."""
    return [each for page in pages() for each in blocks_of(name_of(page)) if each.language in languages]


def blocks_of(name: str) -> list[Block]:
    """Return the blocks of a page, in order."""
    found = _FENCE.finditer(text_of(name))
    return [
        Block(name, number, each["language"], each["mark"] or "", each["text"]) for number, each in enumerate(found, 1)
    ]


def links_of(name: str) -> list[str]:
    """Return the targets of the links and images of a page."""
    return [found["target"] for found in _LINK.finditer(prose_of(name))]


def headings_of(name: str) -> list[str]:
    """Return the headings of a page, as they are written."""
    return [found["text"] for found in _HEADING.finditer(prose_of(name))]


def anchors_of(name: str) -> set[str]:
    """Return the anchors of the headings of a page, which the built pages and GitHub share."""
    return {slugify(heading.replace("`", ""), "-") for heading in headings_of(name)}


def table_rows(name: str, first_cell: str) -> Iterator[list[str]]:
    """Yield the rows, cell by cell, of the first table of a page whose header begins with this cell."""
    _, _, rest = text_of(name).partition(f"| {first_cell} |")
    for line in rest.splitlines()[2:]:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def code_in(text: str) -> list[str]:
    """Return the spans of code in a text."""
    return re.findall(r"`([^`]+)`", text)


def as_document(value: Any) -> dict[str, Any] | None:
    """Return the document that a block shows, in whole or in part; None for a block that shows something else.

    Args:
        value: The block's JSON or YAML.
    """
    keys = set(value) if isinstance(value, dict) else set()
    if keys & {"export", "filters", "transformations", "logs_store"}:
        return dict(value)
    if "log_exports" in keys:
        return dict(value)
    if not keys or not keys <= _OF_AN_EXPORT:
        return None
    export = {
        "name": "shown",
        "schedule": {"frequency": "daily"},
        "destination": {"type": "local", "config": {"path": "/srv/exports"}},
        **json.loads(json.dumps(value)),
    }
    return {"log_exports": {"exports": [export]}}
