"""A destination that is a warehouse: stages files under the run's token, and commits by one transaction.

The steps of the commit are in `commit.py`; a warehouse brings the few things of `engine.py`.
"""

from __future__ import annotations

import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, cast

from bifrost_export.destinations.object_store.port import sha256_of
from bifrost_export.destinations.overlap import refuse_overlap
from bifrost_export.destinations.port import FileFormat, Landed, Outcome, Published, State
from bifrost_export.destinations.temporary_files import temporary_folder
from bifrost_export.destinations.warehouse import rejected_rows
from bifrost_export.destinations.warehouse.audit import Audit
from bifrost_export.destinations.warehouse.checks import Probing
from bifrost_export.destinations.warehouse.commit import Commit, describe
from bifrost_export.destinations.warehouse.names import StagedNames
from bifrost_export.destinations.warehouse.neighbours import neighbours
from bifrost_export.destinations.warehouse.table_evolution import gaps_of
from bifrost_export.destinations.warehouse.tables import LOADS, Tables
from bifrost_export.destinations.warehouse.verification import compare
from bifrost_export.errors import ConfigError
from bifrost_export.window import Window

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Container, Iterator

    from pydantic import BaseModel

    from bifrost_export.destinations.checks import Probe
    from bifrost_export.destinations.continuity import Former
    from bifrost_export.destinations.neighbours import Neighbour
    from bifrost_export.destinations.port import Draft, Piece, Target
    from bifrost_export.destinations.warehouse.dialect import Dialect
    from bifrost_export.destinations.warehouse.engine import Engine
    from bifrost_export.destinations.warehouse.tables import Table


class WarehouseDestination:
    """What every warehouse does the same way.

    Args:
        config: The destination's config, references resolved.
        target: The run that it is opened for.
    """

    kind: ClassVar[str]
    Config: ClassVar[type[BaseModel]]
    is_table: ClassVar[bool] = True
    is_local: ClassVar[bool] = False
    file_format: ClassVar[FileFormat | None] = FileFormat("parquet", "snappy")

    def __init__(self, config: Any, target: Target) -> None:
        self.config = config
        self.target = target
        self.names = StagedNames(target)
        self.tables = Tables(config.table, target)
        self.warnings: list[str] = []

    @property
    def dialect(self) -> Dialect:
        """The warehouse's SQL."""
        raise TypeError(f"{type(self).__name__} brings no SQL")

    def open_engine(self) -> Engine:
        """The warehouse, signed in when first asked."""
        raise TypeError(f"{type(self).__name__} brings no engine")

    def rights(self) -> dict[str, Any]:
        """The least that the export needs, as the statements by which an administrator grants it; nothing is opened."""
        raise TypeError(f"{type(self).__name__} names no rights")

    @property
    def place(self) -> str:
        """Database and schema, for addresses."""
        return "/".join(self.dialect.fold(each) for each in self.dialect.schema)

    def address_of(self, window: Window) -> str:
        """What tells of a published window: `<kind>://<database>/<schema>/bifrost_export_loads/<export>/<window>`."""
        return f"{self.kind}://{self.place}/{self.dialect.fold(LOADS.name)}/{self.target.export}/{window.name}"

    def targets(self) -> list[str]:
        """Each dataset's table, and where the audit rows of the window are told."""
        tables = [self.dialect.address(self.tables.of(dataset).name) for dataset in self.target.datasets]
        return [*tables, self.address_of(self.target.window)]

    def check(self) -> Iterator[Probe]:
        """Reach, sign in, find the schema, make a table, write, read, delete, and stage a file."""
        with closing(self.open_engine()) as engine:
            yield from Probing(engine, self.target, self.tables).run()

    def published(self) -> list[Published]:
        """Every published window of the export, by its audit rows."""
        with closing(self.open_engine()) as engine:
            found = list(Audit(engine, self.target).published())
        return [
            Published(each.window, each.revision, self.address_of(each.window), each.at, each.rows, each.bytes)
            for each in found
        ]

    def look(self) -> State:
        """What is published for the window now."""
        with closing(self.open_engine()) as engine:
            revision = Audit(engine, self.target).find().revision
        return State(str(revision), revision) if revision else State()

    def guard(self, *, replace_overlapping: bool) -> list[Former]:
        """Refuse a window that overlaps a published one, and a table that the rows don't fit into."""
        with closing(self.open_engine()) as engine:
            engine.find()
            found = Audit(engine, self.target).find()
            for window in found.overlapping:
                refuse_overlap(self.target.window, window, self.target.export, replace_overlapping=replace_overlapping)
            for table in self.tables:
                gaps_of(engine, table)
            self.warnings = engine.warnings(self.tables)
        return found.formers

    def neighbours(self, window: Window, known: Container[str]) -> list[Neighbour]:
        """Other exports that have loaded time of a window into the same tables, which this export has not."""
        tables = {self.tables.of(dataset).name for dataset in self.target.datasets}
        with closing(self.open_engine()) as engine:
            return neighbours(Audit(engine, replace(self.target, window=window)), tables, known)

    def load(self, piece: Piece) -> Landed:
        """Stage one file under the run's token; the same file again takes the place of the first."""
        name = self.names.file(piece)
        with temporary_folder() as folder:
            file = folder / name
            rows = self._write(piece, file)
            long_texts = self.prepare(file, self.tables.of(piece.dataset))
            with file.open("rb") as stream:
                digest = sha256_of(stream)
            with closing(self.open_engine()) as engine:
                key = engine.stage(name, file, self.tables.of(piece.dataset), rows)
            return Landed(key, rows, file.stat().st_size, digest, long_texts=long_texts)

    def _write(self, piece: Piece, file: Path) -> int:
        if piece.dataset is not None:
            with file.open("wb") as sink:
                return piece.write(sink)
        with tempfile.SpooledTemporaryFile(max_size=1 << 20) as packed:
            piece.write(cast("BinaryIO", packed))
            packed.seek(0)
            return rejected_rows.rewrite(cast("BinaryIO", packed), file)

    def prepare(self, file: Path, table: Table) -> dict[str, int]:
        """Change a Parquet file in what the warehouse would not take, before it is staged.

        Returns:
            How many texts were shortened or made null, by column.
        """
        return {}

    def publish(self, draft: Draft) -> Outcome:
        """Commit the run by the steps of the protocol's section 5."""
        with closing(self.open_engine()) as engine:
            commit = Commit(engine, self.target, self.tables, draft)
            loads = commit.run()
        return Outcome(
            manifest=self.address_of(self.target.window),
            revision=loads[0].revision,
            unchanged=False,
            body=describe(loads, draft.body, self.dialect.address),
            warnings=[*self.remarks(), *_of_long_texts(draft), *sorted(commit.warnings)],
        )

    def remarks(self) -> list[str]:
        """What a person should know of the way in which rows are loaded."""
        return []

    def clean_up(self, keep: dt.timedelta) -> None:
        """Take away what the run has staged, and what dead runs have staged longer ago than `keep`."""
        with closing(self.open_engine()) as engine:
            engine.clean_up(keep)

    def compare(self, address: str) -> tuple[list[str], int]:
        """Compare the rows of a published window with its audit rows.

        Args:
            address: As `run` tells it, or the window's name `<start>_<end>`.

        Returns:
            Every difference in a sentence, and the rows that are there.

        Raises:
            ConfigError: It is no address of a window of this export.
        """
        window = self._window_of(address)
        with closing(self.open_engine()) as engine:
            return compare(engine, self.target, window)

    def _window_of(self, address: str) -> Window:
        root, _, name = address.rpartition("/")
        if root and f"{root}/{name}" != self.address_of(self.target.window).rpartition("/")[0] + f"/{name}":
            raise ConfigError(
                f"{address} is no address of {self.target.export!r} in this warehouse",
                allowed=f"{self.address_of(self.target.window).rpartition('/')[0]}/<start>_<end>",
            )
        return Window.from_name(name)


def _of_long_texts(draft: Draft) -> list[str]:
    """Warnings about texts that were cut or made null."""
    return [
        f"{dataset}: {count:,} texts of the column {column} were longer than the warehouse holds, and were shortened"
        " (destination.config.on_long_text)"
        for dataset, entry in draft.body["datasets"].items()
        for column, count in entry.get("long_texts", {}).items()
    ]
