"""Every link leads somewhere, in the built pages and on GitHub; so does every reference of the code to a section."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.docs.pages import DOCS, README, ROOT, anchors_of, headings_of, links_of, name_of, pages, text_of

_SECTION = re.compile(r"\b(contract|protocol)(?:\.md)?`?,? sections? ((?:[0-9]+)(?:(?:,| and) [0-9]+)*)")
_OUTSIDE = ("https://", "http://", "mailto:")


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_link_of_a_page_leads_to_a_file_and_an_anchor(page: Path) -> None:
    """Relative to the page, as GitHub and mkdocs resolve it."""
    for link in links_of(name_of(page)):
        if link.startswith(_OUTSIDE):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), f"{link} is missing"
        if anchor:
            assert anchor in anchors_of(name_of(target)), f"{link} has no such heading"


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=name_of)
def test_links_of_the_documentation_stay_inside_it(page: Path) -> None:
    """A built page has no neighbor outside of docs/."""
    for link in links_of(name_of(page)):
        if not link.startswith(_OUTSIDE) and link.partition("#")[0]:
            assert (page.parent / link.partition("#")[0]).resolve().is_relative_to(DOCS)


def test_every_page_is_in_the_navigation_once() -> None:
    """In no other order than mkdocs.yml gives."""
    # The loader of mkdocs knows tags of its own; this file has none.
    found = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]
    named: list[str] = []

    def walk(entry: object) -> None:
        if isinstance(entry, str):
            named.append(entry)
        for each in entry.values() if isinstance(entry, dict) else entry if isinstance(entry, list) else ():
            walk(each)

    walk(found)
    assert sorted(named) == sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))


def test_every_picture_has_words_for_those_who_do_not_see_it() -> None:
    """An empty text in brackets would hide it from a screen reader."""
    for page in pages():
        assert "![](" not in text_of(name_of(page))


def test_the_readme_is_short() -> None:
    """Everything else is a page of the documentation."""
    assert len(README.read_text("utf-8").splitlines()) <= 150


def test_every_section_that_the_code_names_exists() -> None:
    """`contract, section 4` is a heading of docs/contract.md."""
    found = [
        (path, document, number)
        for folder in ("bifrost_export", "tests", "bench", "tools", "examples", "demo")
        for path in (ROOT / folder).rglob("*.py")
        for document, numbers in _SECTION.findall(path.read_text("utf-8"))
        for number in re.findall("[0-9]+", numbers)
    ]
    assert len(found) >= 30
    for path, document, number in found:
        headings = headings_of(f"docs/{document}.md")
        assert any(each.startswith(f"{number}. ") for each in headings), f"{path} names {document}, section {number}"


@pytest.mark.parametrize(("document", "count"), [("contract", 10), ("protocol", 5)])
def test_sections_are_numbered_without_a_gap(document: str, count: int) -> None:
    """The code refers to them by number."""
    numbers = re.findall(r"^## ([0-9]+)\. ", text_of(f"docs/{document}.md"), re.MULTILINE)
    assert numbers == [str(each) for each in range(1, count + 1)]
