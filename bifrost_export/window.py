"""Windows and instants: the only date arithmetic in the package.

Every instant is an aware `datetime` in UTC, cut to microseconds. Every interval is half-open: `[start, end)`.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from bifrost_export.errors import WindowError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from zoneinfo import ZoneInfo

UTC = dt.timezone.utc
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = dt.timedelta(microseconds=1)

_COMPACT = re.compile(r"^(\d{8}T\d{6})(?:\.(\d{1,6}))?Z$")


def micros(instant: dt.datetime) -> int:
    """Microseconds since 1970-01-01T00:00:00Z, exactly."""
    return (instant - EPOCH) // MICROSECOND


def from_micros(value: int) -> dt.datetime:
    """The instant `value` microseconds after 1970-01-01T00:00:00Z."""
    return EPOCH + value * MICROSECOND


def _fraction(instant: dt.datetime) -> str:
    return f".{instant.microsecond:06d}".rstrip("0").rstrip(".")


def rfc3339(instant: dt.datetime) -> str:
    """`2024-01-15T10:30:00Z`, with a fraction only where there is one, without trailing zeros."""
    whole = instant.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    return f"{whole.isoformat()}{_fraction(instant)}Z"


def compact(instant: dt.datetime) -> str:
    """`20240115T103000Z`, as it stands in the names of files and folders."""
    return rfc3339(instant).replace("-", "").replace(":", "")


def parse_compact(text: str) -> dt.datetime:
    """Read what `compact` wrote.

    Raises:
        WindowError: The text is not of that shape.
    """
    match = _COMPACT.match(text)
    if match is None:
        raise WindowError(f"{text!r} is no time of the form 20240115T103000Z")
    try:
        instant = dt.datetime.strptime(match[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise WindowError(f"{text!r} is no time of the form 20240115T103000Z") from None
    return instant.replace(microsecond=int((match[2] or "0").ljust(6, "0")))


def parse_instant(text: str, zone: dt.tzinfo = UTC) -> dt.datetime:
    """Read an ISO 8601 time; one without a zone is taken in `zone`.

    Raises:
        WindowError: The text is no time.
    """
    try:
        instant = dt.datetime.fromisoformat(text.strip())
    except (ValueError, AttributeError):
        raise WindowError(
            f"{text!r} is no time",
            allowed="an ISO 8601 time such as 2026-03-01T00:00:00Z or 2026-03-01T00:00:00+01:00",
        ) from None
    if instant.tzinfo is None:
        return to_utc(instant, zone)
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise WindowError(f"{text!r} lies outside the years 1 to 9999") from None


def to_utc(local: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """A wall-clock time of `zone` as an instant.

    A time that a clock change skips is the first moment after the gap; of one that occurs twice, the first.

    Raises:
        WindowError: The instant lies outside the years 1 to 9999.
    """
    try:
        instant = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None) == local:
            return instant
        # The clock jumped over `local`; the jump is the transition between the two readings of the offset.
        low, high = local.replace(tzinfo=zone, fold=1).astimezone(UTC), instant
        low, high = min(low, high), max(low, high)
        while high - low > MICROSECOND:
            middle = low + (high - low) / 2
            if middle.astimezone(zone).replace(tzinfo=None) < local:
                low = middle
            else:
                high = middle
        return high
    except OverflowError:
        raise WindowError(f"{local} lies outside the years 1 to 9999") from None


@dataclass(frozen=True, order=True)
class Window:
    """A half-open interval `[start, end)` of UTC time.

    Args:
        start: First instant inside, aware.
        end: First instant after it, aware, later than `start`.

    Raises:
        WindowError: The window is empty or turned round.
    """

    start: dt.datetime
    end: dt.datetime

    def __post_init__(self) -> None:
        """Hold both ends in UTC and refuse what is no interval."""
        object.__setattr__(self, "start", self.start.astimezone(UTC))
        object.__setattr__(self, "end", self.end.astimezone(UTC))
        if self.start >= self.end:
            raise WindowError(
                f"the window's start {rfc3339(self.start)} is not before its end {rfc3339(self.end)}",
                hint="Give the earlier time as the start.",
            )

    @classmethod
    def parse(cls, start: str, end: str, zone: dt.tzinfo = UTC) -> Window:
        """A window from two ISO 8601 times; those without a zone are taken in `zone`."""
        return cls(parse_instant(start, zone), parse_instant(end, zone))

    @classmethod
    def from_name(cls, name: str) -> Window:
        """Read what `name` gives."""
        start, separator, end = name.partition("_")
        if not separator:
            raise WindowError(f"{name!r} names no window")
        return cls(parse_compact(start), parse_compact(end))

    @classmethod
    def from_json(cls, value: dict[str, str]) -> Window:
        """Read what `to_json` wrote."""
        return cls.parse(value["start"], value["end"])

    def to_json(self) -> dict[str, str]:
        """`{"start", "end"}` as RFC 3339 times in UTC."""
        return {"start": rfc3339(self.start), "end": rfc3339(self.end)}

    @property
    def name(self) -> str:
        """`<start>_<end>` as it stands in keys and folders."""
        return f"{compact(self.start)}_{compact(self.end)}"

    def __str__(self) -> str:
        """`[start, end)` for people."""
        return f"[{rfc3339(self.start)}, {rfc3339(self.end)})"

    def contains(self, instant: dt.datetime) -> bool:
        """Whether the instant lies inside."""
        return self.start <= instant < self.end

    def covers(self, other: Window) -> bool:
        """Whether every instant of `other` lies inside."""
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: Window) -> bool:
        """Whether any instant lies in both."""
        return self.start < other.end and other.start < self.end

    def intersection(self, other: Window) -> Window | None:
        """What lies in both, or None."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Window(start, end) if start < end else None

    def cut(self, at: Iterable[dt.datetime]) -> Iterator[Window]:
        """The pieces between those of the instants that lie inside, in order."""
        edges = sorted({self.start, self.end, *(t for t in at if self.start < t < self.end)})
        for start, end in pairwise(edges):
            yield Window(start, end)


def merge(windows: Iterable[Window]) -> list[Window]:
    """The union of the windows as disjoint windows in order."""
    merged: list[Window] = []
    for window in sorted(windows):
        if merged and window.start <= merged[-1].end:
            merged[-1] = Window(merged[-1].start, max(merged[-1].end, window.end))
        else:
            merged.append(window)
    return merged


def local_midnight(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """The first moment of a local day."""
    return to_utc(dt.datetime.combine(day, dt.time()), zone)
