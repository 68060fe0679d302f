"""What of Snowflake's stages fakesnow lacks: quoted addresses, REMOVE, and COPY of named files and columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fakesnow.transforms import stage
from snowflake.connector.errors import ProgrammingError

_NAME = r'"[^"]+"|\w+'
_NAMES = rf"(?:{_NAME})(?:\.(?:{_NAME}))*"
_ADDRESS = re.compile(rf"'@(?P<quoted>{_NAMES})(?P<within>/[^']*)?'|@(?P<bare>{_NAMES})(?P<path>/[^\s()']*)?")
_READ_ITSELF = re.compile(r"\s*(?:PUT\s+'[^']*'|LIST)\s+@.*", re.IGNORECASE | re.DOTALL)
_REMOVE = re.compile(r"\s*REMOVE\s+@([\w.]+)/(\S*)\s*", re.IGNORECASE)
_COPY = re.compile(
    r"\s*COPY\s+INTO\s+(?P<table>\S+)\s*\((?P<columns>[^()]*)\)\s*FROM\s*\(\s*SELECT\s+(?P<read>.*?)\s+FROM\s+"
    r"@(?P<stage>[\w.]+)/(?P<folder>\S*?)\s*\)\s*FILES\s*=\s*\((?P<files>[^()]*)\)\s*(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_READ = re.compile(r'\$1:"(?P<name>[^"]+)"::(?P<type>[A-Za-z_]+(?:\([\d, ]+\))?)\s*(?:,\s*|$)')
_OPTIONS = re.compile(
    r"\s*FILE_FORMAT\s*=\s*\(\s*TYPE\s*=\s*PARQUET(?P<logical>\s+USE_LOGICAL_TYPE\s*=\s*TRUE)?\s*\)"
    r"\s*ON_ERROR\s*=\s*ABORT_STATEMENT\s*",
    re.IGNORECASE,
)
_MOST_FILES = 1000
_TYPES = {"TIMESTAMP_TZ": "TIMESTAMPTZ", "FLOAT": "DOUBLE", "NUMBER(38, 0)": "BIGINT"}


def refused(number: int, state: str, text: str) -> ProgrammingError:
    """What Snowflake says to a statement that it does not take."""
    return ProgrammingError(msg=text, errno=number, sqlstate=state)


def without_quotes(command: str) -> str:
    """A statement with the addresses of stages as fakesnow reads them; bare ones of PUT and LIST it reads itself."""
    if _READ_ITSELF.fullmatch(command):
        return command

    def plain(match: re.Match[str]) -> str:
        names = (match["quoted"] or match["bare"]).replace('"', "")
        return f"@{names}{match['within'] or match['path'] or '/'}"

    return _ADDRESS.sub(plain, command)


def folder_of(name: str, connection: Any) -> Path:
    """The folder in which a stage's files are kept."""
    parts = stage.parts_from_var(name, connection.database, connection.schema)
    return Path(stage.internal_dir(".".join(parts)))


def remove(command: str, connection: Any) -> bool:
    """Take files of a stage away; False for another statement."""
    match = _REMOVE.fullmatch(command)
    if match is None:
        return False
    root = folder_of(match[1], connection)
    for path in [path for path in root.rglob("*") if path.is_file()]:
        if path.relative_to(root).as_posix().startswith(match[2]):
            path.unlink()
    return True


@dataclass(frozen=True)
class Copy:
    """A COPY of named files into named columns.

    Args:
        table: The table, as it was written.
        columns: Its columns, quoted.
        read: For each of them the file's column and its type.
        paths: The files.
    """

    table: str
    columns: tuple[str, ...]
    read: tuple[tuple[str, str], ...]
    paths: tuple[Path, ...]

    @classmethod
    def of(cls, command: str, connection: Any) -> Copy | None:
        """Read a statement; None for another one.

        Raises:
            ProgrammingError: It says what Snowflake does not know, or names a file that is not there.
        """
        if not re.match(r"\s*COPY\s+INTO\s", command, re.IGNORECASE):
            return None
        match = _COPY.fullmatch(command.rstrip().rstrip(";"))
        options = _OPTIONS.fullmatch(match["rest"]) if match else None
        if match is None or options is None:
            raise refused(1003, "42000", f"SQL compilation error: syntax error (stand-in): {command[:200]}")
        if not options["logical"]:
            raise refused(100071, "22000", "Failed to cast variant value to TIMESTAMP_TZ: times are numbers without it")
        read = tuple((each["name"], each["type"]) for each in _READ.finditer(match["read"]))
        if _READ.sub("", match["read"]).strip():
            raise refused(1003, "42000", "SQL compilation error: syntax error in the list of columns (stand-in)")
        names = [name.strip().strip("'") for name in match["files"].split(",")]
        if len(names) > _MOST_FILES:
            raise refused(1795, "22000", "The maximum number of files is 1000")
        root = folder_of(match["stage"], connection) / match["folder"]
        paths = tuple(root / name for name in names)
        for path in paths:
            if not path.is_file():
                raise refused(91016, "22000", f"Remote file '{path.name}' was not found")
        return cls(match["table"], tuple(name.strip() for name in match["columns"].split(",")), read, paths)

    def as_duckdb(self, table: str, there: set[str]) -> str:
        """The same for DuckDB.

        Args:
            table: The table, as DuckDB knows it.
            there: The columns that the files have: others read as null.
        """
        listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in self.paths)
        read = ", ".join(
            f'CAST("{name}" AS {_TYPES.get(type_.upper(), type_)})' if name in there else "NULL"
            for name, type_ in self.read
        )
        source = f"read_parquet([{listed}], hive_partitioning = false)"
        return f"INSERT INTO {table} ({', '.join(self.columns)}) SELECT {read} FROM {source}"
