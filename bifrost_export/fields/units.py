"""Lengths of time as a document writes them: `30m`, `2h`, `1d`."""

from __future__ import annotations

import datetime as dt
import re
from difflib import get_close_matches
from zoneinfo import ZoneInfo, available_timezones

from bifrost_export.errors import ConfigError

DURATION_PATTERN = "[0-9]{1,9}[smhd]"
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration_of(text: str) -> dt.timedelta | None:
    """The length of time that a text says, or None when it says none."""
    return dt.timedelta(**{_UNITS[text[-1]]: int(text[:-1])}) if re.fullmatch(DURATION_PATTERN, text) else None


def parse_duration(text: str, name: str, least: dt.timedelta, most: dt.timedelta) -> dt.timedelta:
    """Read a length of time.

    Args:
        text: A whole number with a unit.
        name: The key that holds it.
        least: The shortest that is allowed.
        most: The longest that is allowed.

    Raises:
        ConfigError: It is none, or is too short or too long.
    """
    duration = duration_of(text)
    if duration is None or not least <= duration <= most:
        ends = f"from {_in_words(least)} to {_in_words(most)}"
        raise ConfigError(f"{name} is {text!r}", allowed=f"a whole number with s, m, h or d, {ends}, such as 30m or 2h")
    return duration


def _in_words(duration: dt.timedelta) -> str:
    return f"{duration.days}d" if duration.days else f"{duration.seconds}s"


SIZE_PATTERN = "[1-9][0-9]{0,8}(KB|MB|GB|TB|KiB|MiB|GiB|TiB)"
"""Of a size: KB, MB, GB and TB are powers of 1000, KiB, MiB, GiB and TiB of 1024."""


_SIZE = re.compile("([0-9]+)(.)(i?)B")


def parse_size(text: str, name: str) -> int:
    """Read a size.

    Args:
        text: A whole number with a unit.
        name: The key that holds it.

    Returns:
        Bytes.

    Raises:
        ConfigError: It is none.
    """
    match = _SIZE.fullmatch(text) if re.fullmatch(SIZE_PATTERN, text) else None
    if match is None:
        raise ConfigError(
            f"{name} is {text!r}",
            allowed="a whole number from 1 on with KB, MB, GB, TB, KiB, MiB, GiB or TiB, such as 256MB or 1GiB",
            hint="KB, MB, GB and TB count by 1000; KiB, MiB, GiB and TiB by 1024.",
        )
    power = " KMGT".index(match[2])
    return int(match[1]) * int((1024 if match[3] else 1000) ** power)


# They mean another zone on another machine, or count leap seconds.
_UNFIT = re.compile(r"localtime|posixrules|Factory|posix/.*|right/.*")


_LONGEST = 100
"""Characters of a name that are compared with others."""


def checked_zone(name: str) -> str:
    """The name itself.

    Raises:
        ConfigError: The IANA time zone database has no zone of that name.
    """
    if not _UNFIT.fullmatch(name) and _is_zone(name):
        return name
    known = {zone.lower(): zone for zone in sorted(available_timezones()) if not _UNFIT.fullmatch(zone)}
    meant = name[:_LONGEST].lower().replace(" ", "_")
    near = [known[each] for each in get_close_matches(meant, known, n=1)]
    raise ConfigError(
        f"there is no timezone {name!r}",
        allowed="a name of the IANA time zone database such as UTC, Europe/Berlin or America/New_York",
        hint=f"Did you mean {near[0]!r}?" if near else None,
    )


def _is_zone(name: str) -> bool:
    try:
        return bool(ZoneInfo(name).key)
    except (KeyError, ValueError, OSError):  # no such zone, no name of one, a folder's name
        return False
