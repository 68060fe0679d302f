"""The destination port: what the pipeline asks of a destination, whatever it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Protocol

from bifrost_export.destinations.continuity import Consent

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Container, Iterator, Mapping

    from pydantic import BaseModel

    from bifrost_export.destinations.checks import Probe
    from bifrost_export.destinations.continuity import Former
    from bifrost_export.destinations.neighbours import Neighbour
    from bifrost_export.window import Window


class Column(Protocol):
    """**Protocol.** A column of a dataset's rows as they are loaded."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def type(self) -> str:
        """Its type: `timestamp` (microseconds, UTC), `string`, `int32`, `int64`, `double`, `bool`, `date`, `json`."""
        ...

    @property
    def required(self) -> bool:
        """Whether it never holds null."""
        ...

    @property
    def description(self) -> str:
        """What it says."""
        ...


@dataclass(frozen=True)
class FileFormat:
    """The format of the files that a destination loads, where that is its own choice.

    Args:
        name: As in `data.format`.
        compression: As in `data.compression`.
    """

    name: str
    compression: str


@dataclass(frozen=True)
class Target:
    """The run that a destination is opened for.

    Args:
        export: The export's name.
        window: The window that the run exports.
        token: The run's token, 8 hex digits.
        timezone: The export's timezone, by which a prefix is filled.
        datasets: The datasets that the run exports.
        extension: The files' extension, with its dot.
        content_type: The files' media type.
        columns: Of each dataset's rows, in order.
        known_datasets: Every dataset that an export can include: another configuration of this export may have left
            files of any.
    """

    export: str
    window: Window
    token: str
    timezone: str
    datasets: tuple[str, ...]
    extension: str
    content_type: str
    columns: Mapping[str, tuple[Column, ...]] = field(default_factory=dict)
    known_datasets: tuple[str, ...] = ()

    @property
    def every_dataset(self) -> tuple[str, ...]:
        """Those that are known, and those of the run."""
        return tuple(dict.fromkeys((*self.known_datasets, *self.datasets)))


@dataclass(frozen=True)
class State:
    """What the destination holds for the window before the run.

    Args:
        version: The version of the window's manifest (or audit rows), or None.
        revision: Its revision, 0 without one.
    """

    version: str | None = None
    revision: int = 0


@dataclass(frozen=True)
class Piece:
    """One file to load: a part of a dataset, or the file of rejected rows.

    Args:
        dataset: The dataset, or None for the rejected rows.
        number: The part's number, from 1.
        of: How many parts the dataset has.
        write: Writes the file to a stream and gives the rows written.
        rows: How many rows it is going to have, where that is known before.
    """

    dataset: str | None
    number: int
    of: int
    write: Callable[[BinaryIO], int]
    rows: int | None = None


@dataclass(frozen=True)
class Landed:
    """A file as it was put: what `load` reports and `publish` reads back.

    Args:
        key: Its name at the destination.
        rows: Its rows.
        bytes: Its size.
        sha256: Of its bytes, in hex.
        checksum: The store's own checksum, as `<algorithm>:<value>`, or None.
        content_digest: Of the rows' values in their order, whatever encoded them: `load` adds it.
        long_texts: How many texts were too long for the destination and were cut or made null, by column.
    """

    key: str
    rows: int
    bytes: int
    sha256: str
    checksum: str | None = None
    content_digest: str | None = None
    long_texts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Draft:
    """What a run wants to publish.

    Args:
        body: The manifest's fields that the pipeline knows (everything but revision and `replaces`).
        landed: What `load` reported, rejected rows' file included.
        seen: The version that `plan` saw.
        replace_overlapping: Replace windows that this one covers.
        consent: What the operator has accepted for the run.
    """

    body: dict[str, Any]
    landed: tuple[Landed, ...]
    seen: str | None
    replace_overlapping: bool = False
    consent: Consent = field(default_factory=Consent)


@dataclass(frozen=True)
class Outcome:
    """How `publish` ended.

    Args:
        manifest: Where the manifest is, for people and machines (`s3://bucket/key`, a path).
        revision: The revision in place.
        unchanged: The same was published already, and nothing was written.
        body: The manifest in place.
        warnings: What a person should know, such as keys that could not be deleted.
    """

    manifest: str
    revision: int
    unchanged: bool
    body: dict[str, Any]
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Published:
    """A window that is published and neither withdrawn nor replaced.

    Args:
        window: The window.
        revision: Its revision, from 1.
        manifest: Where its manifest is, or what tells of it in a warehouse.
        at: When the run that published it was planned, RFC 3339 in UTC.
        rows: Rows of all its datasets.
        bytes: Bytes of all its parts.
    """

    window: Window
    revision: int
    manifest: str
    at: str
    rows: int
    bytes: int


class Destination(Protocol):
    """**Protocol.** A destination, opened for one run.

    Class attributes say what differs between destinations, so that the pipeline names none of them: `is_table`
    whether rows go into tables in place of files, `is_local` whether it can be asked without a network, `file_format`
    what it loads whatever `data.format` says (None: what `data.format` says).
    """

    kind: ClassVar[str]
    Config: ClassVar[type[BaseModel]]
    is_table: ClassVar[bool]
    is_local: ClassVar[bool]
    file_format: ClassVar[FileFormat | None]

    @property
    def warnings(self) -> list[str]:
        """What a person should know of what `guard` and `published` have found; a destination may leave it out."""
        ...

    def targets(self) -> list[str]:
        """Where a run of the window writes, in words for people; nothing is opened."""
        ...

    def rights(self) -> dict[str, Any]:
        """The least that the export needs of its cloud, in the cloud's own words; nothing is opened."""
        ...

    def check(self) -> Iterator[Probe]:
        """Probe the destination without an export, step by step; what that writes is taken away."""
        ...

    def published(self) -> list[Published]:
        """Every window of the export that is published, whichever window the destination is opened for, in order."""
        ...

    def look(self) -> State:
        """What is published for the window now."""
        ...

    def guard(self, *, replace_overlapping: bool) -> list[Former]:
        """Refuse before any data moves what `publish` would refuse: a window that overlaps a published one, a table.

        Returns:
            The published windows that a run of this window replaces: its own, and those that it covers.

        Raises:
            OverlapError: The window overlaps one without being equal to it; the message names the published window.
            DestinationError: The rows don't fit into what is there, such as a column whose type changed.
        """
        ...

    def neighbours(self, window: Window, known: Container[str]) -> list[Neighbour]:
        """Other exports that have published time of a window in the same place, which this export has not.

        Args:
            window: The time to look at.
            known: Names of exports to skip.
        """
        ...

    def load(self, piece: Piece) -> Landed:
        """Write one file under the run's token."""
        ...

    def publish(self, draft: Draft) -> Outcome:
        """Commit the run, as `protocol.md` sections 4 and 5 say.

        Raises:
            LostCommitError: Another run has published the window since `plan`.
        """
        ...

    def clean_up(self, keep: dt.timedelta) -> None:
        """Take away what the run left beside what it published, and what dead runs left longer ago than `keep`."""
        ...


def warnings_of(destination: Destination) -> list[str]:
    """Return what a destination warns of; one that was written before it could declares none.

    Args:
        destination: The destination, of this package or of somebody else's.
    """
    return list(getattr(destination, "warnings", ()))
