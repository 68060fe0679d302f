"""The README's data dictionary, made from the datasets' schemas: `python -m docs.data_dictionary` writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from bifrost_export import datasets
from bifrost_export.datasets import Column

README = Path(__file__).parents[1] / "README.md"
_PLACE = re.compile(r"(<!-- data dictionary -->\n).*?(<!-- /data dictionary -->)", re.DOTALL)
_PARQUET = {
    "timestamp": "INT64, TIMESTAMP(MICROS, UTC)",
    "string": "UTF8",
    "int32": "INT32",
    "int64": "INT64",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "date": "INT32, DATE",
}


def rendered(readme: str) -> str:
    """The README with the dictionary in its place."""
    return _PLACE.sub(lambda found: f"{found[1]}{section()}{found[2]}", readme)


def section() -> str:
    """A table for each dataset: its columns in order, their types and what they say."""
    return "\n".join(line for name in datasets.names() for line in _table(name)) + "\n"


def _table(name: str) -> Iterator[str]:
    dataset = datasets.named(name)
    yield f"**`{name}`**, schema version {dataset.version}:"
    yield ""
    yield "| column | Parquet | what it says |"
    yield "| --- | --- | --- |"
    for column in dataset.columns:
        yield _row(column, column.description)
    for column in dataset.contents:
        yield _row(column, f"Only with `data.include_content`. {column.description}")
    yield ""


def _row(column: Column, description: str) -> str:
    need = "required" if column.required else "optional"
    return f"| `{column.name}` | {need} {_PARQUET[column.type]} | {description.replace('|', chr(92) + '|')} |"


def main() -> None:
    """Write the dictionary into the README."""
    README.write_text(rendered(README.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
