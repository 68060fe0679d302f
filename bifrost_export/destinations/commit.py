"""The commit of an object-store export, step by step (protocol, section 4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bifrost_export.destinations import continuity
from bifrost_export.destinations.keys import Keys, without_token
from bifrost_export.destinations.manifest import Manifest, Part
from bifrost_export.destinations.overlap import Current, formers, guard, overlapping, read_manifest
from bifrost_export.destinations.port import Draft, Outcome
from bifrost_export.destinations.store import (
    DeletionRefusedError,
    ObjectStore,
    PutOptions,
    VersionChangedError,
    sha256_at,
)
from bifrost_export.errors import (
    DestinationError,
    DestinationUnavailableError,
    LostCommitError,
    OtherLogStoreError,
    OverlapError,
    ShrunkWindowError,
)

if TYPE_CHECKING:
    from bifrost_export.destinations.port import Landed
    from bifrost_export.window import Window

JSON = PutOptions("application/json")
DATASETS = ("request_logs", "response_logs", "error_logs", "metrics", "traces")


@dataclass
class Commit:
    """One attempt to publish one run.

    Args:
        store: The object store.
        keys: The names of the run.
        draft: What the run wants to publish.
        address: Turns a key into what people write.
        reread: Re-read every part and compare its sha256 (`verify: full`).
    """

    store: ObjectStore
    keys: Keys
    draft: Draft
    address: Callable[[str], str]
    reread: bool = False
    warnings: list[str] = field(default_factory=list)

    def run(self) -> Outcome:
        """Take the steps.

        Raises:
            DestinationError: What landed is not what was loaded.
            OverlapError: Another window that overlaps has been published.
            LostCommitError: Another run has published this window since `plan`.
            OtherLogStoreError: The published window came from another log store.
            ShrunkWindowError: The published window counted more log rows.
            DestinationUnavailableError: Whether the manifest was put isn't known; try again.
        """
        with self.store.locked(self.keys.lock):
            current = read_manifest(self.store, self.keys.manifest)
            if current and current.manifest.token == self.keys.target.token:
                return self._finish(current, self._leftovers(current.manifest))
            if current and self._is_unchanged(current):
                return self._leave(current)
            if (current.version if current else None) != self.draft.seen:
                raise self._lost(current)  # the put would be refused; whoever won may have swept the parts already
            self._read_back(self.draft.landed)
            leftovers = self._leftovers(current.manifest if current else None)
            covered = guard(self.store, self.keys, replace_overlapping=self.draft.replace_overlapping)
            self._check_source(current, covered)
            return self._finish(self._put(current, covered), leftovers)

    # Step 2: the same is published already.
    def _is_unchanged(self, current: Current) -> bool:
        manifest = current.manifest
        if manifest.withdrawn or _essence(manifest) != _essence(self._manifest(None, [])):
            return False
        if not continuity.is_same_log_store(manifest.source, self.draft.body["source"]):
            return False
        if overlapping(self.store, self.keys):
            return False
        return all(
            (stored := self.store.head(part.key)) is not None and stored.bytes == part.bytes
            for part in _parts(manifest)
        )

    def _leave(self, current: Current) -> Outcome:
        named = set(current.manifest.keys())
        self._delete([part.key for part in self.draft.landed if part.key not in named])
        leftovers = self._leftovers(current.manifest)
        if leftovers:
            # Whoever wrote them may still be on its way to its commit: a new version makes it lose.
            confirmed = current.manifest.model_copy(update={"confirmed_by": self.keys.target.token})
            try:
                self.store.put_if(self.keys.manifest, confirmed.to_bytes(), current.version, JSON)
            except VersionChangedError:
                raise self._lost(read_manifest(self.store, self.keys.manifest)) from None
        self._sweep(current.manifest, leftovers)
        return self._outcome(current.manifest, unchanged=True)

    # Step 3: what landed is what was loaded.
    def _read_back(self, landed: tuple[Landed, ...]) -> None:
        for part in landed:
            stored = self.store.head(part.key)
            if stored is None:
                raise self._differs(part, "it is not there")
            if stored.bytes != part.bytes:
                raise self._differs(part, f"it has {stored.bytes:,} bytes instead of {part.bytes:,}")
            if part.checksum and stored.checksum and stored.checksum != part.checksum:
                raise self._differs(part, f"its checksum is {stored.checksum} instead of {part.checksum}")
            if self.reread and sha256_at(self.store, part.key) != part.sha256:
                raise self._differs(part, "its bytes have another SHA-256")

    def _differs(self, part: Landed, how: str) -> DestinationError:
        return DestinationError(
            f"{self.address(part.key)} is not what was loaded: {how}; nothing was published",
            hint="Clear from plan; if it happens again, look for who else writes to this prefix.",
        )

    @property
    def _datasets(self) -> tuple[str, ...]:
        return (*DATASETS, *self.keys.target.datasets)

    # Step 4: what other runs of this window left behind.
    def _leftovers(self, manifest: Manifest | None) -> list[str]:
        named = set(manifest.keys()) if manifest else set()
        mine = {part.key for part in self.draft.landed}
        return [
            key
            for stem, pattern in self.keys.stems(self._datasets)
            for key in self.store.list(stem)
            if pattern.match(key) and key not in named and key not in mine
        ]

    # Before step 6: the published rows are not replaced by fewer, nor by those of another log store.
    def _check_source(self, current: Current | None, covered: list[Current]) -> None:
        target, source = self.keys.target, continuity.source_of(self.draft.body)
        try:
            continuity.check(target.window, target.export, formers([current, *covered]), source, self.draft.consent)
        except (OtherLogStoreError, ShrunkWindowError):
            # Only a new plan can accept it, and it draws a new token: these parts are never published.
            named = set().union(*(each.manifest.keys() for each in (current, *covered) if each))
            self._delete([part.key for part in self.draft.landed if part.key not in named])
            raise

    # Step 6: the commit point.
    def _put(self, current: Current | None, covered: list[Current]) -> Current:
        manifest = self._manifest(current, covered)
        try:
            version = self.store.put_if(self.keys.manifest, manifest.to_bytes(), self.draft.seen, JSON)
        except VersionChangedError:
            now = read_manifest(self.store, self.keys.manifest)
            if now and now.manifest.token == self.keys.target.token:
                return now
            if (now.version if now else None) == self.draft.seen:
                raise DestinationUnavailableError(
                    f"the store gave no answer to the put of {self.address(self.keys.manifest)}, and nothing changed",
                    hint="The task tries again.",
                ) from None
            raise self._lost(now) from None
        return Current(self.keys.manifest, manifest, version)

    def _manifest(self, current: Current | None, covered: list[Current]) -> Manifest:
        former = current.manifest if current else None
        replaces: list[str] = []
        for each in [*([former] if former else []), *(one.manifest for one in covered)]:
            replaces += [*each.keys(), *(key for key in each.replaces if self.store.head(key))]
        replaces += [one.key for one in covered]
        return Manifest.model_validate(
            {
                **self.draft.body,
                "revision": former.revision + 1 if former else 1,
                "token": self.keys.target.token,
                "replaces": sorted(set(replaces)),
                "former": former.model_dump(by_alias=True, exclude={"former"}) if former else None,
            },
            strict=False,
        )

    def _lost(self, winner: Current | None) -> LostCommitError:
        kept = set(winner.manifest.keys()) if winner else set()
        self._delete([part.key for part in self.draft.landed if part.key not in kept])
        who = (
            f"run {winner.manifest.run_id!r} (token {winner.manifest.confirmed_by or winner.manifest.token},"
            f" revision {winner.manifest.revision}) has published it"
            if winner
            else "the manifest that plan saw is gone"
        )
        return LostCommitError(
            f"window {self.keys.target.window} of {self.keys.target.export!r} changed since this run's plan: {who}",
            hint="Clear from plan to read the window anew.",
        )

    # Steps 7 and 8: overlaps that appeared meanwhile, then what is replaced goes.
    def _finish(self, current: Current, leftovers: list[str]) -> Outcome:
        late = [
            (window, other)
            for window, other in overlapping(self.store, self.keys)
            if other.key not in current.manifest.replaces
        ]
        if late:
            self._step_back(current, late[0][0], replaced=self.keys.manifest in late[0][1].manifest.replaces)
        self._sweep(current.manifest, leftovers)
        return self._outcome(current.manifest, unchanged=False)

    def _sweep(self, manifest: Manifest, leftovers: list[str]) -> None:
        self._delete([*manifest.replaces, *leftovers])
        for stem, pattern in self.keys.stems(self._datasets):
            for key, upload in list(self.store.list_uploads(stem)):
                if pattern.match(key):
                    self.store.abort(key, upload)

    def _step_back(self, current: Current, window: Window, *, replaced: bool) -> None:
        former = current.manifest.former
        if former and former.get("withdrawn"):
            former = None
        back = (
            Manifest.model_validate(former, strict=False)
            if former
            else current.manifest.model_copy(update={"withdrawn": True})
        )
        whole = former is None or all(self.store.head(part.key) for part in _parts(back))
        stays = replaced or not whole
        if not stays:
            try:
                self.store.put_if(self.keys.manifest, back.to_bytes(), current.version, JSON)
            except VersionChangedError:
                raise self._lost(read_manifest(self.store, self.keys.manifest)) from None
            kept = set(back.keys()) if former else set()
            self._delete(sorted(set(current.manifest.keys()) - kept))
        raise OverlapError(
            f"the window {window} of {self.keys.target.export!r} was published while this run published the"
            f" overlapping window {self.keys.target.window};"
            f" this run {'changed nothing more' if stays else 'stepped back'}",
            hint="Look which of the two you want; replace_overlapping replaces windows that the new one covers.",
        )

    def _delete(self, keys: list[str]) -> None:
        for key in keys:
            try:
                self.store.delete(key)
            except DeletionRefusedError as error:
                self.warnings.append(f"{self.address(key)} could not be deleted ({error}); the next run tries again")

    def _outcome(self, manifest: Manifest, *, unchanged: bool) -> Outcome:
        return Outcome(
            manifest=self.address(self.keys.manifest),
            revision=manifest.revision,
            unchanged=unchanged,
            body=manifest.model_dump(by_alias=True, exclude={"former"}),
            warnings=self.warnings,
        )


def _parts(manifest: Manifest) -> list[Part]:
    parts = [part for entry in manifest.datasets.values() for part in entry.parts]
    return [*parts, manifest.rejected] if manifest.rejected else parts


def _essence(manifest: Manifest) -> dict[str, object]:
    """What two runs must agree on to be the same: datasets, schemas, counts, and each file but for its token."""
    datasets = {
        name: {
            **entry.model_dump(exclude={"parts", "sums"}),
            "parts": [(without_token(part.key), part.rows, part.sha256) for part in entry.parts],
        }
        for name, entry in manifest.datasets.items()
    }
    rejected = manifest.rejected
    return {
        "datasets": datasets,
        "mcp": manifest.mcp,
        "csv_safe": manifest.csv_safe,
        "rejected": (without_token(rejected.key), rejected.rows, rejected.sha256) if rejected else None,
    }
