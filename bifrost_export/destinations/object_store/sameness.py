"""When two manifests say the same: what makes a run "unchanged" (protocol, section 4, step 2)."""

from __future__ import annotations

from bifrost_export.destinations.object_store.keys import without_token
from bifrost_export.destinations.object_store.manifest import Manifest, Part


def is_same(former: Manifest, mine: Manifest) -> bool:
    """Whether two manifests publish the same rows under the same names, but for their tokens."""
    digests = _have_digests(former) and _have_digests(mine)
    return _essence(former, digests) == _essence(mine, digests)


def parts_of(manifest: Manifest) -> list[Part]:
    """Every file that a manifest publishes."""
    parts = [part for entry in manifest.datasets.values() for part in entry.parts]
    return [*parts, manifest.rejected] if manifest.rejected else parts


def _have_digests(manifest: Manifest) -> bool:
    return all(part.content_digest is not None for part in parts_of(manifest))


def _essence(manifest: Manifest, digests: bool) -> dict[str, object]:
    """What two runs must agree on to be the same: datasets, schemas, counts, and each file but for its token.

    Args:
        manifest: Of one of them.
        digests: Compare what the files' rows are; else, where a former manifest tells it of none, their bytes.
    """

    def file(part: Part) -> tuple[str, int, str | None]:
        return without_token(part.key), part.rows, part.content_digest if digests else part.sha256

    datasets = {
        name: {**entry.model_dump(exclude={"parts", "sums"}), "parts": [file(part) for part in entry.parts]}
        for name, entry in manifest.datasets.items()
    }
    return {
        "format": manifest.format,
        "compression": manifest.compression,
        "csv_safe": manifest.csv_safe,
        "datasets": datasets,
        "mcp": manifest.mcp,
        "rejected": file(manifest.rejected) if manifest.rejected else None,
    }
