"""The pages that people write keep to the words of the glossary."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import DOCS, ROOT, name_of, pages, prose_of, table_rows

FORBIDDEN = (
    *("told", "tell", "tells", "mend", "mends", "whoever", "way out", "comes up", "is no matter", "also when"),
    *("stands in the", "stands for", "it knows us", "probe", "probes", "fault", "faults", "utils"),
)
"""Words that read as translated, or that another word of the glossary replaces."""

GLOSSARY = "docs/glossary.md"
_WRITTEN = [page for page in (*pages(), ROOT / "SECURITY.md") if page.parent != DOCS / "reference"]


@pytest.mark.parametrize("page", [each for each in map(name_of, _WRITTEN) if each != GLOSSARY])
def test_a_page_avoids_the_words_that_the_project_does_not_use(page: str) -> None:
    """Code in a page may have them: it names keys and messages."""
    prose = re.sub(r"`[^`]+`", "", prose_of(page))
    found = [word for word in FORBIDDEN if re.search(rf"\b{re.escape(word)}\b", prose, re.IGNORECASE)]
    assert found == []


def test_the_glossary_is_sorted_and_defines_each_word_once() -> None:
    """A reader looks words up."""
    words = [row[0] for row in table_rows(GLOSSARY, "word")]
    assert words == sorted(set(words), key=str.lower)
    assert len(words) > 25


def test_no_word_of_the_glossary_is_one_that_it_replaces() -> None:
    """Otherwise the page would forbid what it defines."""
    rows = list(table_rows(GLOSSARY, "word"))
    defined = {word.strip() for row in rows for word in row[0].split(",")}
    replaced = {word.strip() for row in rows for word in row[2].split(",") if word.strip()}
    assert defined & replaced == set()
