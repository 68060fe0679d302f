"""Tags of objects: what S3 and Azure both take."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

MOST = 10
"""Tags that one object may have."""


def _checked(tags: dict[str, str]) -> dict[str, str]:
    if len(tags) > MOST:
        raise ValueError(f"an object takes {MOST} tags at most, and these are {len(tags)}")
    for name, value in tags.items():
        if not 1 <= len(name) <= 128 or len(value) > 256:
            raise ValueError(f"the tag {name!r} is too long: its name may have 1 to 128 characters, its value 256")
    return tags


Tags = Annotated[dict[str, str], AfterValidator(_checked)]
"""Names and texts."""
