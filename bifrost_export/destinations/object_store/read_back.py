"""What landed is what was loaded: the commit's third step (protocol, section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_export.destinations.object_store.port import ObjectStore, sha256_at
from bifrost_export.errors import DestinationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bifrost_export.destinations.port import Landed


def read_back(
    store: ObjectStore, landed: tuple[Landed, ...], address: Callable[[str], str], *, reread: bool = False
) -> None:
    """Compare what the store has with what `load` reported.

    Args:
        store: The object store.
        landed: What `load` reported.
        address: Turns a key into what people write.
        reread: Read every part again and compare its sha256; parts without a checksum of the store's are read anyway.

    Raises:
        DestinationError: A part is missing or differs.
    """
    for part in landed:
        how = _difference(store, part, reread=reread)
        if how is not None:
            raise DestinationError(
                f"{address(part.key)} is not what was loaded: {how}; nothing was published",
                hint="Clear from plan; if it happens again, look for who else writes to this prefix.",
            )


def _difference(store: ObjectStore, part: Landed, *, reread: bool) -> str | None:
    stored = store.head(part.key)
    if stored is None:
        return "it is not there"
    if stored.bytes != part.bytes:
        return f"it has {stored.bytes:,} bytes instead of {part.bytes:,}"
    knows = part.checksum is not None and stored.checksum is not None
    if knows and stored.checksum != part.checksum:
        return f"its checksum is {stored.checksum} instead of {part.checksum}"
    # A store that keeps no checksum, such as a folder, tells nothing of the bytes.
    if (reread or not knows) and sha256_at(store, part.key) != part.sha256:
        return "its bytes have another SHA-256"
    return None
