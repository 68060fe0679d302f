"""The script that takes the pictures of the documentation, without the Airflow and the browser; and the pictures."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.config.loader import load
from bifrost_export.errors import PermanentError
from demo.workspace import Workspace
from tools import airflow_pages, screenshots

ROOT = Path(__file__).parents[2]
IMAGE = re.compile(r"!\[[^\]]+\]\(([^)]+)\)")
IN_README = IMAGE.findall((ROOT / "README.md").read_text("utf-8"))
IN_DOCS = [found for path in (ROOT / "docs").glob("*.md") for found in IMAGE.findall(path.read_text("utf-8"))]
SHOWN = sorted({*IN_README, *(f"docs/{each}" for each in IN_DOCS)})


class Server:
    """What the document needs to know of an S3 server."""

    url = "http://127.0.0.1:9"


@pytest.mark.parametrize("path", SHOWN)
def test_a_picture_is_there_whole_and_small(path: str) -> None:
    """A PNG as large as the browser's window."""
    content = (ROOT / path).read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert content.endswith(b"IEND\xaeB`\x82")
    assert struct.unpack(">II", content[16:24]) == (airflow_pages.SIZE["width"], airflow_pages.SIZE["height"])
    assert len(content) <= screenshots.LARGEST


def test_the_documentation_shows_every_picture_that_the_script_takes() -> None:
    """And no other. The README shows two of them."""
    assert len(IN_README) == 2
    assert sorted(f"docs/images/{path.name}" for path in (ROOT / "docs" / "images").iterdir()) == SHOWN


def test_the_pictures_are_of_a_good_export_and_a_broken_one(tmp_path: Path) -> None:
    """Of which the page tells three mistakes."""
    workspace = Workspace(tmp_path / "ui")
    workspace.make()
    server: Any = Server()
    workspace.write_documents(server)
    assert load(workspace.document).errors == []

    screenshots.change_document(workspace)

    good, broken = load(workspace.document).exports
    assert good.export is not None
    assert good.export.data.max_rows_per_file == 5_000
    assert broken.name == screenshots.BROKEN
    wrong = sorted(problem.pointer.rsplit("/", 1)[-1] for problem in broken.errors)
    assert wrong == ["compresion", "config", "frequency"]


def test_it_says_what_to_install_where_there_is_no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is started."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(PermanentError, match="apt-get install chromium"), airflow_pages.browser():
        pass
