"""What of Redshift's SQL PostgreSQL does not know: layouts and SUPER are left out, COPY is read word by word."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_LAYOUT = re.compile(r"\s+(?:DISTSTYLE\s+\w+|DISTKEY\s*\([^)]*\)|SORTKEY\s*\([^)]*\)|ENCODE\s+\w+)", re.IGNORECASE)
_SUPER = re.compile(r'(?<!")\bSUPER\b(?!")', re.IGNORECASE)
_DEFINES = re.compile(r"\s*(?:CREATE|ALTER)\s", re.IGNORECASE)
_COPY = re.compile(r"""\s*COPY\s+("[^"]+"(?:\."[^"]+")?)\s*\(([^)]*)\)\s*FROM\s+'(s3://[^']+)'\s*(.*)""", re.I | re.S)
_OPTION = re.compile(
    r"""\s*(?:IAM_ROLE\s+(?:'(?P<role>[^']+)'|(?P<default>default))|CREDENTIALS\s+'(?P<keys>[^']+)'"""
    r"""|(?P<format>FORMAT\s+(?:AS\s+)?PARQUET)|(?P<manifest>MANIFEST))""",
    re.IGNORECASE,
)

BOOTSTRAP = """
CREATE FUNCTION json_parse(text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS 'SELECT $1::jsonb';
CREATE VIEW svv_columns AS SELECT table_catalog::text, table_schema::text, table_name::text, column_name::text,
  ordinal_position::int, column_default::text, is_nullable::text,
  CASE WHEN data_type = 'jsonb' THEN 'super' ELSE data_type::text END AS data_type
  FROM information_schema.columns;
GRANT SELECT ON svv_columns TO PUBLIC;
"""
"""What every database gets before anyone uses it."""


class SqlError(Exception):
    """What Redshift would refuse.

    Args:
        code: SQLSTATE.
        text: What it says.
        context: What its detail has as `context`.
    """

    def __init__(self, code: str, text: str, context: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.context = context

    @property
    def detail(self) -> str:
        """The detail, as the service writes it: a table of fields."""
        line = "-" * 47
        fields = {"error": self.text, "code": "15001", "context": self.context, "query": "1234"}
        fields |= {"location": "dory_util.cpp:1509", "process": "worker_thread [pid=12345]"}
        told = "".join(f"  {name + ':':<10} {value}\n" for name, value in fields.items())
        return f"\n  {line}\n{told}  {line}\n" if self.context else ""


@dataclass(frozen=True)
class Copy:
    """A COPY from S3.

    Args:
        table: The table, quoted.
        columns: Its columns, in the order of the file's.
        address: `s3://bucket/key`.
        role: The role that reads, if one is named.
        keys: The keys that read, by name, if some are named.
        is_manifest: The address is of a manifest.
    """

    table: str
    columns: tuple[str, ...]
    address: str
    role: str | None = None
    keys: dict[str, str] = field(default_factory=dict)
    is_manifest: bool = False

    @property
    def as_postgres(self) -> str:
        """The same from what the client sends."""
        listed = ", ".join(f'"{name}"' for name in self.columns)
        return f"COPY {self.table} ({listed}) FROM STDIN WITH (FORMAT csv, NULL '')"


def read_copy(sql: str) -> Copy | None:
    """A COPY from S3, or None for another statement.

    Raises:
        SqlError: It says something that Redshift does not know, or names no one who may read.
    """
    match = _COPY.fullmatch(sql.rstrip().rstrip(";"))
    if match is None:
        return None
    table, listed, address, rest = match.groups()
    options: dict[str, str] = {}
    while rest.strip():
        option = _OPTION.match(rest)
        if option is None:
            raise SqlError("42601", f'syntax error at or near "{rest.split()[0]}"')
        options |= {name: value for name, value in option.groupdict().items() if value}
        rest = rest[option.end() :]
    if "format" not in options:
        raise SqlError("0A000", "the stand-in reads Parquet alone")
    if not options.keys() & {"role", "default", "keys"}:
        raise SqlError("42601", "CREDENTIALS argument is required but was not supplied")
    keys = dict(pair.split("=", 1) for pair in options.get("keys", "").split(";") if pair)
    names = tuple(name.strip().strip('"') for name in listed.split(","))
    role = options.get("role") or ("default" if "default" in options else None)
    return Copy(table, names, address, role, keys, "manifest" in options)


def as_postgres(sql: str) -> str:
    """A statement without what only Redshift knows."""
    if not _DEFINES.match(sql):
        return sql
    return _SUPER.sub("jsonb", _LAYOUT.sub("", sql))
