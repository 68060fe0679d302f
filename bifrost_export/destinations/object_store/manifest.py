"""The manifest of a published window: the commit point of an object-store export (contract, section 5)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from bifrost_export.fields.markers import Strict

VERSION = 1

Outcome = Literal["completed", "gone", "broken", "skipped"]
"""What became of an offloaded payload."""


class Part(Strict):
    """One published file of a dataset."""

    key: str = Field(description="The file's key, relative to the bucket, container or path.")
    rows: int = Field(description="Rows in the file.")
    bytes: int = Field(description="Size of the file.")
    sha256: str = Field(description="SHA-256 of the file's bytes, in hex.")
    content_digest: str | None = Field(
        default=None,
        description="Digest of the rows' values in their order, whatever encoded them; null in manifests of before it.",
    )
    min_timestamp: str | None = Field(
        default=None, description="Earliest `timestamp` in the file, RFC 3339 in UTC; null where no row has one."
    )
    max_timestamp: str | None = Field(
        default=None, description="Latest `timestamp` in the file, RFC 3339 in UTC; null where no row has one."
    )


class Column(Strict):
    """One column of a dataset."""

    name: str = Field(description="The column's name.")
    type: str = Field(description="Its Arrow type.")
    required: bool = Field(description="Whether every row has a value.")


class DatasetSchema(Strict):
    """The shape of a dataset's rows."""

    version: str = Field(description="Version of the dataset's schema.")
    columns: list[Column] = Field(description="Its columns, in order.")


class Sums(Strict):
    """Tokens and cost, added up."""

    input_tokens: int = Field(description="Sum of input_tokens.")
    output_tokens: int = Field(description="Sum of output_tokens.")
    cost_usd: float = Field(description="Sum of cost_usd over the priced rows.")


class Transformation(Strict):
    """What a transformation did to a dataset's rows."""

    step: str = Field(description="Its place in the document and its type: 2-anonymize.")
    rows_in: int = Field(description="Rows that it was given.")
    rows_out: int = Field(description="Rows that it gave.")


class DatasetEntry(Strict):
    """What was published of one dataset."""

    dataset_schema: DatasetSchema = Field(alias="schema", description="The shape of its rows.")
    source: int = Field(description="Log rows of the window: kept + filtered + rejected.")
    filtered: int = Field(description="Log rows that a filter removed.")
    filtered_by: dict[str, int] = Field(description="The same by the rule that removed them.")
    rejected: int = Field(description="Log rows that could not become a row of the dataset.")
    blanked: dict[str, int] = Field(
        default={},
        description="Log rows among those that passed with a field that could not be exported and is null (0 for"
        " `latency_ms`), by column.",
    )
    repaired: dict[str, int] = Field(
        default={}, description="Log rows among those that passed with bad bytes in a text, each U+FFFD now, by column."
    )
    offloaded: dict[Outcome, int] = Field(
        default={},
        description="Log rows that needed a payload that Bifrost has offloaded, by what became of it: read, gone, there"
        " but unreadable, or without access. All but the first are exported by what the row itself has.",
    )
    kept: int = Field(description="Log rows that passed.")
    exported: int = Field(description="Rows in the parts.")
    transformations: list[Transformation] = Field(default=[], description="What changed the rows, in order.")
    sums: dict[Literal["source", "filtered", "exported"], Sums] = Field(
        description="Tokens and cost of the rows that were not rejected, of those filtered, and of those exported."
        " Token counts beyond 32 bits count in the first two, and in the last where the rows are grouped."
    )
    parts: list[Part] = Field(description="The files, in row order.")


class ToolCalls(Strict):
    """The rows of `mcp_tool_logs` that the dataset `traces` was made of, beside those of `logs`."""

    source: int = Field(description="Rows of the window: kept + filtered + rejected.")
    kept: int = Field(description="Rows that became a span.")
    filtered: int = Field(description="Rows that went with the request that caused them, or that date_range left out.")
    filtered_by: dict[str, int] = Field(description="The same by the rule that removed them.")
    rejected: int = Field(description="Rows that could not become a span.")
    blanked: dict[str, int] = Field(default={}, description="Rows kept with a field that was blanked, by column.")
    repaired: dict[str, int] = Field(default={}, description="Rows kept with a text that was repaired, by column.")
    unsettled: int = Field(description="Rows that were still `processing`; they are not exported.")
    offloaded: dict[Outcome, int] = Field(description="Rows that needed an offloaded payload, by what became of it.")
    cost_usd: float = Field(description="Sum of the cost of the rows kept, over the priced ones.")


class WindowRows(Strict):
    """Final log rows inside the window, whatever `date_range` adds or leaves out: a rerun may not hold fewer."""

    logs: int = Field(description="Rows of `logs`.")
    mcp_tool_logs: int | None = Field(default=None, description="Rows of `mcp_tool_logs`; null where not read.")


class Package(Strict):
    """What wrote the files."""

    name: str = Field(description="The package.")
    version: str = Field(description="Its version.")


class WindowEntry(Strict):
    """The half-open interval [start, end)."""

    start: str = Field(description="First instant inside, RFC 3339 in UTC.")
    end: str = Field(description="First instant after it, RFC 3339 in UTC.")


class Manifest(Strict):
    """The manifest of one window of one export."""

    manifest_version: Literal[1] = Field(default=1, description="Version of this shape.")
    export: str = Field(description="The export's name.")
    window: WindowEntry = Field(description="The window that is published.")
    timezone: str = Field(description="The export's timezone.")
    revision: int = Field(description="1 for the first publication of the window, then one more each time.")
    token: str = Field(pattern="^[0-9a-f]{8}$", description="Token of the run that published this revision.")
    confirmed_by: str | None = Field(default=None, description="Token of a later run that found the same and said so.")
    withdrawn: bool = Field(default=False, description="True: this window counts as not published.")
    run_id: str = Field(description="Airflow's run id, or the CLI's.")
    export_timestamp: str = Field(description="When the run was planned, RFC 3339 in UTC.")
    package: Package = Field(description="What wrote it.")
    config_hash: str = Field(description="SHA-256 of the export's configuration, without secrets.")
    source: dict[str, Any] = Field(
        description="The log store that was read: type, path or host and port, database, schema. A rerun from another"
        " log store is refused."
    )
    format: str = Field(description="Format of the parts.")
    compression: str = Field(description="Compression of the parts.")
    csv_safe: bool = Field(
        default=False, description="True: in CSV, an apostrophe precedes texts that begin like a formula."
    )
    unsettled: int = Field(description="Rows of the window that were still `processing`; they are not exported.")
    unplaced: int = Field(description="Rows of the log store whose time can't be read at all.")
    blanked: dict[str, int] = Field(
        default={},
        description="Exported log rows with a field that could not be exported and is null (0 for `latency_ms`), by"
        " column. A row counts once a column, however many datasets have it.",
    )
    repaired: dict[str, int] = Field(
        default={}, description="Exported log rows with bad bytes in a text, each U+FFFD now, by column."
    )
    datasets: dict[str, DatasetEntry] = Field(description="What was published, by dataset.")
    mcp: ToolCalls | None = Field(default=None, description="The tool calls; null where no dataset needs them.")
    window_rows: WindowRows | None = Field(
        default=None, description="Log rows of the window; null in manifests of older versions."
    )
    payloads: dict[Literal["logs", "mcp_tool_logs"], dict[str, dict[Outcome, int]]] | None = Field(
        default=None,
        description="Rows that needed an offloaded payload, by table, by column of the payload, and by what became of"
        " it: a rerun may not lose them. Null in manifests of older versions.",
    )
    rejected: Part | None = Field(default=None, description="The file that reports rejected rows and blanked fields.")
    replaces: list[str] = Field(default=[], description="Keys that this revision takes away; they count as gone.")
    former: dict[str, Any] | None = Field(default=None, description="The manifest that this revision followed.")

    def keys(self) -> list[str]:
        """Every file that the manifest names as published."""
        named = [part.key for entry in self.datasets.values() for part in entry.parts]
        return [*named, self.rejected.key] if self.rejected else named

    def to_bytes(self) -> bytes:
        """The manifest as it is stored."""
        return self.model_dump_json(by_alias=True, indent=2).encode() + b"\n"


def json_schema() -> dict[str, Any]:
    """The published JSON Schema of the manifest."""
    schema = Manifest.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Bifrost Export manifest", **schema}
