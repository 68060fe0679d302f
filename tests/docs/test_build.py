"""The built documentation: `make docs` fails on a broken link, and its pages load nothing from another host."""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

from tests.docs.pages import ROOT

_NOT_LOADED = ("canonical", "next", "prev")
_LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}


class Page(HTMLParser):
    """What a page links to, what it loads, and which anchors it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the attributes that lead elsewhere."""
        given = {name: value for name, value in attrs if value is not None}
        if "id" in given:
            self.ids.add(given["id"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in _LOADED and _LOADED[tag] in given and given.get("rel") not in _NOT_LOADED:
            self.loads.append(given[_LOADED[tag]])


def built_in(folder: Path, **changes: Any) -> Path:
    """Build the documentation into a folder, as `make docs` does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        # mkdocs sets levels and adds handlers, which must not outlive the test.
        build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True, **changes))
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The built pages."""
    logger = logging.getLogger("mkdocs")
    before = logger.level
    yield built_in(tmp_path_factory.mktemp("site"))
    logger.setLevel(before)


def pages(site: Path) -> dict[str, Page]:
    """Return every page by its address below the root."""
    return {
        f"/{path.relative_to(site).as_posix().removesuffix('index.html')}": Page(path.read_text("utf-8"))
        for path in sorted(site.rglob("*.html"))
        if path.name != "404.html"
    }


def test_every_link_of_the_built_pages_leads_to_a_page_and_an_anchor(site: Path) -> None:
    """Those that the theme makes too."""
    found = pages(site)
    assert len(found) > 30
    for address, page in found.items():
        for link in page.links:
            target = urlsplit(urljoin(f"http://site{address}", link))
            if target.hostname != "site":
                continue
            path = unquote(target.path)
            assert path in found or (site / path.lstrip("/")).is_file(), (address, link)
            if target.fragment and path in found and not target.fragment.startswith("__"):
                assert unquote(target.fragment) in found[path].ids, (address, link)


def test_the_built_pages_load_nothing_from_another_host(site: Path) -> None:
    """Neither fonts nor scripts: they can be read without a network."""
    for address, page in pages(site).items():
        for loaded in page.loads:
            assert not urlsplit(loaded).netloc, (address, loaded)
            assert (site / urlsplit(urljoin(address, loaded)).path.lstrip("/")).is_file(), (address, loaded)
    styles = "".join(path.read_text("utf-8") for path in site.rglob("*.css"))
    assert not re.search(r"""(?:url\(|@import)\s*["']?https?:""", styles)


def test_included_files_are_in_the_pages(site: Path) -> None:
    """The changelog and the security policy have no second copy."""
    assert "Report a vulnerability" in (site / "security" / "index.html").read_text("utf-8")
    assert "Unreleased" in (site / "changelog" / "index.html").read_text("utf-8")


def test_a_broken_link_fails_the_build(tmp_path: Path) -> None:
    """Strict means that a warning is an error."""
    docs = shutil.copytree(ROOT / "docs", tmp_path / "docs")
    page = docs / "quickstart.md"
    page.write_text(page.read_text("utf-8") + "\n[gone](formats.md#no-such-heading)\n", "utf-8")
    with pytest.raises(Abort, match="1 warnings"):
        built_in(tmp_path / "site", docs_dir=str(docs))
