"""Write the generated pages of the documentation: `python -m tools.reference`, or `make reference`."""

from __future__ import annotations

from pathlib import Path

from tools import command_line_page, config_page, data_dictionary, manifest_page
from tools.markdown import replaced

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
EXTENDING = DOCS / "extending.md"
PAGES = {
    "configuration.md": config_page.page,
    "command_line.md": command_line_page.page,
    "data_dictionary.md": data_dictionary.page,
    "manifest.md": manifest_page.page,
}
"""File in `docs/reference` -> what writes it."""


def generated() -> dict[Path, str]:
    """Return what every generated page should contain, by its path."""
    pages = {DOCS / "reference" / name: write() for name, write in PAGES.items()}
    return {**pages, EXTENDING: with_examples(EXTENDING.read_text("utf-8"))}


def with_examples(page: str) -> str:
    """Return the page on extending with the code of each example in its region.

    Args:
        page: The page.
    """
    for example in sorted((ROOT / "examples").glob("custom_*")):
        [code] = example.glob("*/__init__.py")
        name = example.relative_to(ROOT).as_posix()
        page = replaced(page, name, f"```python\n{code.read_text('utf-8')}```\n")
    return page


def main() -> None:
    """Write every generated page whose text differs."""
    for path, text in generated().items():
        path.parent.mkdir(exist_ok=True)
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
