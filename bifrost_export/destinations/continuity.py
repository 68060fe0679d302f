"""Whether a run may replace what is published: never with fewer log rows, nor with those of another log store.

Bifrost deletes old rows, and log stores are restored, emptied and swapped. A rerun must not shrink an archive in
silence (contract, section 3). `plan` and both commits ask here.
"""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bifrost_export.destinations.lost_contents import Payloads, loss, payloads_of
from bifrost_export.errors import OtherLogStoreError, ShrunkWindowError

if TYPE_CHECKING:
    from bifrost_export.window import Window

IDENTITY = ("type", "path", "host", "port", "database", "schema")
"""The facts that identify a log store. One that is missing on one side is not compared: an older version did not
record it."""

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_TABLES = {"logs": "log rows", "mcp_tool_logs": "tool calls"}
DEFAULT_RETENTION = 365
"""Days after which Bifrost deletes log rows when `client.log_retention_days` is not set."""


@dataclass(frozen=True)
class Consent:
    """What the operator has accepted for a run.

    Args:
        allow_shrink: Publish a window that holds fewer log rows, or fewer contents, than it did.
        replace_source: Publish a window from another log store than before.
        retention_days: `client.log_retention_days` of the document, for messages; None when it is not set.
    """

    allow_shrink: bool = False
    replace_source: bool = False
    retention_days: int | None = None


@dataclass(frozen=True)
class Source:
    """What a window was made of.

    Args:
        log_store: The log store, as it describes itself.
        window: Final rows inside the window by table. A table that was not read is absent; empty when an older version
            published the window.
        read: The same for all the time that was read, which a wide `date_range` extends beyond the window.
        payloads: Rows that needed their offloaded payload, by table; empty before they have been read.
    """

    log_store: Mapping[str, Any]
    window: Mapping[str, int] = field(default_factory=dict)
    read: Mapping[str, int] = field(default_factory=dict)
    payloads: Mapping[str, Payloads] = field(default_factory=dict)


@dataclass(frozen=True)
class Former:
    """A published window that a run would replace.

    Args:
        window: The window.
        source: What it was made of.
    """

    window: Window
    source: Source


def source_of(body: Mapping[str, Any]) -> Source:
    """Return the source that a manifest's fields record.

    Args:
        body: The fields as JSON, of a manifest or of a draft.
    """
    read = {"logs": max((entry["source"] for entry in body["datasets"].values()), default=None)}
    calls = body.get("mcp")
    read["mcp_tool_logs"] = calls["source"] if calls else None
    return Source(body.get("source") or {}, _known(body.get("window_rows") or {}), _known(read), payloads_of(body))


def _known(rows: Mapping[str, int | None]) -> dict[str, int]:
    return {table: count for table, count in rows.items() if count is not None}


def check(window: Window, export: str, formers: Sequence[Former], source: Source, consent: Consent) -> None:
    """Refuse a run that would replace published windows with less, or with the rows of another log store.

    Args:
        window: The window of the run.
        export: The export's name.
        formers: The published windows that the run replaces: the window itself, and windows that it covers.
        source: What the run reads, or has read.
        consent: What the operator has accepted for the run.

    Raises:
        OtherLogStoreError: A published window came from another log store.
        ShrunkWindowError: The window holds fewer log rows than the published windows counted, or payloads that were
            published can't be read any more.
    """
    if not consent.replace_source:
        for former in formers:
            _check_log_store(window, export, former, source)
    if not consent.allow_shrink:
        for table, noun in _TABLES.items():
            then, now = _counts(table, formers, source)
            if then is not None and now is not None and now < then:
                raise _shrunk(window, export, formers, f"{now:,} {noun}", f"{then:,}", consent)
            _check_payloads(window, export, formers, source, table)


def is_same_log_store(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two descriptions name one log store, by the facts that both of them have."""
    both = [key for key in IDENTITY if one.get(key) is not None and other.get(key) is not None]
    return all(_is_same(key, str(one[key]), str(other[key])) for key in both)


def _is_same(key: str, one: str, other: str) -> bool:
    if key == "host":
        return _host(one) == _host(other)
    return one == other or (key == "path" and _is_same_file(one, other))


def _host(name: str) -> str:
    name = name if name.startswith("/") else name.lower().rstrip(".").strip("[]")
    return "localhost" if name in _THIS_MACHINE else name


def _is_same_file(one: str, other: str) -> bool:
    """A link, or another way to write a path, leads to the same file."""
    if os.path.normpath(one) == os.path.normpath(other):
        return True
    try:
        return Path(one).samefile(other)
    except (OSError, ValueError):
        return False


def _check_log_store(window: Window, export: str, former: Former, source: Source) -> None:
    if is_same_log_store(former.source.log_store, source.log_store):
        return
    replaced = "" if former.window == window else f" {former.window}, which this run replaces,"
    raise OtherLogStoreError(
        f"the published window{replaced or f' {window}'} of {export!r} came from another log store:"
        f" {in_words(former.source.log_store)}, not {in_words(source.log_store)}; the published data is unchanged",
        allowed="the log store that the window was published from, or replace_source",
        hint="Check the source that the document names, and that no other export of the same name writes here. If the"
        " log store has moved, set replace_source (--replace-source on the command line).",
    )


def in_words(log_store: Mapping[str, Any]) -> str:
    """Return a log store's identity for messages, such as `sqlite, path /data/logs.db`."""
    facts = [f"{key} {log_store[key]}" for key in IDENTITY[1:] if log_store.get(key) is not None]
    return ", ".join([str(log_store.get("type", "unknown")), *facts])


def _counts(table: str, formers: Iterable[Former], source: Source) -> tuple[int | None, int | None]:
    """The rows that were published, and those that there are now, counted in the same way."""
    counted = [former.source for former in formers if table in former.source.read or table in former.source.window]
    if not counted:
        return None, None
    if table in source.window and all(table in each.window for each in counted):
        return sum(each.window[table] for each in counted), source.window[table]
    if all(table in each.read for each in counted):
        return sum(each.read[table] for each in counted), source.read.get(table)
    return None, None


def _shrunk(
    window: Window, export: str, formers: Sequence[Former], now: str, then: str, consent: Consent
) -> ShrunkWindowError:
    published = _published(window, formers)
    days = consent.retention_days
    retention = (
        f"is not set in this document (Bifrost's default is {DEFAULT_RETENTION} days)" if days is None else f"= {days}"
    )
    return ShrunkWindowError(
        f"the window {window} of {export!r} now holds {now}, and there were {then} {published}; the published data is"
        f" unchanged. Bifrost deletes log rows by age: client.log_retention_days {retention}",
        allowed=f"at least {then}, or allow_shrink",
        hint="Check whether log rows were deleted, or the log store was emptied or restored from an older backup. To"
        " publish fewer rows all the same, set allow_shrink (--allow-shrink on the command line).",
    )


def _published(window: Window, formers: Sequence[Former]) -> str:
    own = all(former.window == window for former in formers)
    return "when it was published" if own else "in the published windows that this run replaces"


def _check_payloads(window: Window, export: str, formers: Sequence[Former], source: Source, table: str) -> None:
    published = [former.source.payloads[table] for former in formers if table in former.source.payloads]
    lost = loss(published, source.payloads[table]) if published and table in source.payloads else None
    if lost is None:
        return
    noun = _TABLES[table]
    raise ShrunkWindowError(
        f"the window {window} of {export!r} would lose contents: the payloads of {lost.now:,} {noun} can be read, and"
        f" there were {lost.then:,} {_published(window, formers)} ({lost}); the published data is unchanged",
        allowed=f"payloads of at least {lost.then:,} {noun}, or allow_shrink",
        hint="Check whether a lifecycle rule or a retention deletes payloads from the log store's object_storage, and"
        " whether its credentials can still read them. To publish the window without these contents all the same, set"
        " allow_shrink (--allow-shrink on the command line).",
    )
