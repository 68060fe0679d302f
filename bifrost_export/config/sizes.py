"""Sizes of files as a document writes them: `256MB`, `1GiB`."""

from __future__ import annotations

import re

from bifrost_export.errors import ConfigError

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
