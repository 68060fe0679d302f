"""The names of what a run stages: they bear the run's token, and tell the window that they are of."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bifrost_export.errors import WindowError
from bifrost_export.window import UTC, Window

if TYPE_CHECKING:
    from bifrost_export.destinations.port import Piece, Target

REJECTED = "rejected"
"""What stands for the dataset in the name of rejected rows."""
_FILE = r"(?:[a-z_]+__part-\d{5,}-of-\d{5,}\.parquet|[^\W\d][\w$ -]*\.manifest|check)"
"""The name of a file that a run puts into its folder."""
_PART_TABLE = re.compile(r"bifrost_part_([0-9a-f]{10})_([0-9a-f]{8})_(?:([0-9a-f]{8})_)?[a-z_]+_\d{5,}")


@dataclass(frozen=True)
class StagedNames:
    """The names of one run.

    Args:
        target: The run.
    """

    target: Target

    @property
    def folder(self) -> str:
        """The folder of the run's files, with a final `/`."""
        return f"{self.window_stem}{self.target.token}/"

    @property
    def window_stem(self) -> str:
        """What the folders of all runs of the window begin with."""
        return f"{self.target.export}/{self.target.window.name}__"

    def file(self, piece: Piece) -> str:
        """The name of a file in the run's folder."""
        return f"{piece.dataset or REJECTED}__part-{piece.number:05d}-of-{piece.of:05d}.parquet"

    def is_of_others(self, path: str) -> bool:
        """Whether a path is of this window, staged by a run of another token."""
        match = re.fullmatch(rf"{re.escape(self.window_stem)}([0-9a-f]{{8}})/{_FILE}", path)
        return match is not None and match[1] != self.target.token

    def is_mine(self, path: str) -> bool:
        """Whether a path is one that this run has staged."""
        return re.fullmatch(re.escape(self.folder) + _FILE, path) is not None

    def is_of_export(self, path: str) -> bool:
        """Whether a path is one that a run of this export has staged, for any window."""
        match = re.fullmatch(rf"{re.escape(self.target.export)}/([^/]+)__[0-9a-f]{{8}}/{_FILE}", path)
        if match is None:
            return False
        try:
            return Window.from_name(match[1]).name == match[1]
        except WindowError:
            return False

    def is_left(self, path: str, put: dt.datetime, since: dt.datetime) -> bool:
        """Whether a path is this run's, or was staged for this export before a moment: nothing else is deleted.

        Args:
            path: Below the folder of every export.
            put: When it was staged.
            since: The moment.
        """
        return self.is_mine(path) or (put < since and self.is_of_export(path))

    @property
    def window_hash(self) -> str:
        """Export and window, short enough for the name of a table."""
        return hashlib.sha256(f"{self.target.export}/{self.target.window.name}".encode()).hexdigest()[:10]

    @property
    def part_stem(self) -> str:
        """What the run's part tables begin with."""
        return f"{PART_TABLES}{self.window_hash}_{self.target.token}_"

    def part_table(self, file: str, now: dt.datetime | None = None) -> str:
        """The name of the table that holds a file's rows.

        Args:
            file: As `file` names it.
            now: When it is made, which its name tells to the hour, where a table does not expire by itself.
        """
        dataset, _, rest = file.partition("__part-")
        made = "" if now is None else f"{int(now.timestamp()) // 3600:08x}_"
        return f"{self.part_stem}{made}{dataset}_{rest.partition('-')[0]}"


PART_TABLES = "bifrost_part_"
"""What the names of all part tables begin with."""


@dataclass(frozen=True)
class PartTable:
    """What the name of a part table tells.

    Args:
        window_hash: Its export and window.
        token: The run's.
        made: When it was made, to the hour, UTC, where its name tells it.
    """

    window_hash: str
    token: str
    made: dt.datetime | None

    @classmethod
    def read(cls, name: str) -> PartTable | None:
        """Read a table's name; None for another table's."""
        match = _PART_TABLE.fullmatch(name.lower())
        if match is None:
            return None
        made = None if match[3] is None else dt.datetime.fromtimestamp(int(match[3], 16) * 3600, UTC)
        return cls(match[1], match[2], made)
