"""Names of timezones, as a document may write them."""

from __future__ import annotations

import re
from difflib import get_close_matches
from zoneinfo import ZoneInfo, available_timezones

from bifrost_export.errors import ConfigError

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
