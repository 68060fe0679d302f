"""Lengths of time as a document writes them: `30m`, `2h`, `1d`."""

from __future__ import annotations

import datetime as dt
import re

from bifrost_export.errors import ConfigError

_DURATION = re.compile(r"([0-9]{1,9})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration_of(text: str) -> dt.timedelta | None:
    """The length of time that a text says, or None when it says none."""
    match = _DURATION.fullmatch(text)
    return dt.timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None


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
