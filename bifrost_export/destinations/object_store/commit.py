"""The commit of an object-store export, step by step (protocol, section 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bifrost_export.destinations import continuity
from bifrost_export.destinations.object_store.keys import Keys
from bifrost_export.destinations.object_store.manifest import Manifest
from bifrost_export.destinations.object_store.manifest_reader import Current, beyond, read_manifest
from bifrost_export.destinations.object_store.ownership import Ownership
from bifrost_export.destinations.object_store.port import (
    MOST,
    ObjectStore,
    PutOptions,
    VersionChangedError,
    sha256_at,
)
from bifrost_export.destinations.object_store.read_back import read_back
from bifrost_export.destinations.object_store.sameness import is_same, parts_of
from bifrost_export.destinations.overlap import formers, guard, overlapping
from bifrost_export.destinations.port import Draft, Outcome
from bifrost_export.errors import (
    DestinationError,
    DestinationUnavailableError,
    ForeignManifestError,
    LostCommitError,
    OtherLogStoreError,
    OverlapError,
    ShrunkWindowError,
    WindowError,
)

if TYPE_CHECKING:
    from bifrost_export.window import Window

JSON = PutOptions("application/json")


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

    def __post_init__(self) -> None:
        """Know what is ours."""
        self.owned = Ownership(self.store, self.keys, self.address, self.warnings)

    def run(self) -> Outcome:
        """Take the steps.

        Raises:
            DestinationError: What landed is not what was loaded.
            OverlapError: Another window that overlaps has been published.
            LostCommitError: Another run has published this window since `plan`.
            OtherLogStoreError: The published window came from another log store.
            ShrunkWindowError: The published window counted more log rows.
            DestinationUnavailableError: Whether the manifest was put isn't known; try again.
            ForeignManifestError: What stands under the manifest's name is something else.
        """
        with self.store.locked(self.keys.lock):
            current = self._read()
            if current and current.manifest.token == self.keys.target.token:
                return self._finish(current, self._leftovers(current.manifest))
            if current and self._is_unchanged(current):
                return self._leave(current)
            if (current.version if current else None) != self.draft.seen:
                raise self._lost(current)  # the put would be refused; whoever won may have swept the parts already
            read_back(self.store, self.draft.landed, self.address, reread=self.reread)  # step 3
            leftovers = self._leftovers(current.manifest if current else None)
            covered = guard(
                self.store,
                self.keys,
                replace_overlapping=self.draft.replace_overlapping,
                tell=self.owned.warn,
            )
            self._check_source(current, covered)
            return self._finish(self._put(current, covered), leftovers)

    def _read(self) -> Current | None:
        """The manifest in place; where something else has its name, this run's parts go."""
        try:
            return read_manifest(self.store, self.keys.manifest)
        except ForeignManifestError:
            self._delete_landed(())
            raise

    def _delete_landed(self, kept: Iterable[str]) -> None:
        """Delete what this run has loaded, but for what a manifest in place names."""
        kept = set(kept)
        mine = (part.key for part in self.draft.landed if part.key not in kept)
        self.owned.delete(key for key in mine if self.owned.is_ours(key))

    # Step 2: the same is published already.
    def _is_unchanged(self, current: Current) -> bool:
        manifest = current.manifest
        mine = self._manifest(None, [])
        if manifest.withdrawn or not is_same(manifest, mine):
            return False
        if not continuity.is_same_log_store(manifest.source, self.draft.body["source"]):
            return False
        if overlapping(self.store, self.keys, self.owned.warn):
            return False
        return all(
            (stored := self.store.head(part.key)) is not None
            and stored.bytes == part.bytes
            and (not self.reread or sha256_at(self.store, part.key) == part.sha256)
            for part in parts_of(manifest)
        )

    def _leave(self, current: Current) -> Outcome:
        self._delete_landed(current.manifest.keys())
        leftovers = self._leftovers(current.manifest)
        if leftovers:
            # Whoever wrote them may still be on its way to its commit: a new version makes it lose.
            confirmed = current.manifest.model_copy(update={"confirmed_by": self.keys.target.token})
            try:
                self.store.put_if(self.keys.manifest, confirmed.to_bytes(), current.version, JSON)
            except VersionChangedError:
                raise self._lost(self._read()) from None
        self._sweep(current, leftovers)
        return self._outcome(current.manifest, unchanged=True)

    # Step 4: what other runs of this window left behind.
    def _leftovers(self, manifest: Manifest | None) -> list[str]:
        named = {*manifest.keys(), *manifest.replaces} if manifest else set()
        mine = {part.key for part in self.draft.landed}
        return [
            key
            for stem, pattern in self.keys.stems(self.keys.target.every_dataset)
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
            self._delete_landed(named)
            raise

    # Step 6: the commit point.
    def _put(self, current: Current | None, covered: list[Current]) -> Current:
        manifest = self._manifest(current, covered)
        data = self._bytes(manifest)
        try:
            version = self.store.put_if(self.keys.manifest, data, self.draft.seen, JSON)
        except VersionChangedError:
            now = self._read()
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
        for each in [*([current] if current else []), *covered]:
            replaces += self.owned.published_by(each.manifest, each.key)
            replaces += [key for key in self.owned.replaced_by(each.manifest, each.key) if self.store.head(key)]
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

    def _bytes(self, manifest: Manifest) -> bytes:
        """The manifest as it is put: one that would be read again and believed.

        Raises:
            WindowError: No run may publish such a window.
            DestinationError: It would be too large to be read.
        """
        reason = beyond(self.keys.target.window, manifest.export_timestamp)
        if reason is not None:
            self._delete_landed(())
            raise WindowError(f"{self.keys.target.export!r} can't be published: {reason}", hint="Export it later.")
        data = manifest.to_bytes()
        if len(data) > MOST:
            data = manifest.model_copy(update={"former": None}).to_bytes()
        if len(data) > MOST:
            self._delete_landed(())
            raise DestinationError(
                f"the manifest of the window {self.keys.target.window} would have {len(data):,} bytes, and at most"
                f" {MOST:,} are read",
                hint="Raise data.max_rows_per_file, so that there are fewer parts, then clear from plan.",
            )
        return data

    def _lost(self, winner: Current | None) -> LostCommitError:
        self._delete_landed(winner.manifest.keys() if winner else ())
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
            for window, other in overlapping(self.store, self.keys, self.owned.warn)
            if other.key not in current.manifest.replaces
        ]
        if late:
            self._step_back(current, late[0][0], replaced=self.keys.manifest in late[0][1].manifest.replaces)
        self._sweep(current, leftovers)
        return self._outcome(current.manifest, unchanged=False)

    def _sweep(self, current: Current, leftovers: list[str]) -> None:
        self.owned.delete([*self._replaced(current), *leftovers])
        for stem, pattern in self.keys.stems(self.keys.target.every_dataset):
            for key, upload in list(self.store.list_uploads(stem)):
                if pattern.match(key):
                    self.owned.abort(key, upload)

    def _replaced(self, current: Current) -> list[str]:
        """What a manifest in place replaces and that is ours, but for what it publishes itself."""
        named = set(current.manifest.keys())
        return [key for key in self.owned.replaced_by(current.manifest, current.key) if key not in named]

    def _step_back(self, current: Current, window: Window, *, replaced: bool) -> None:
        former = current.manifest.former
        if former and former.get("withdrawn"):
            former = None
        back = (
            Manifest.model_validate(former, strict=False)
            if former
            else current.manifest.model_copy(update={"withdrawn": True})
        )
        whole = former is None or all(
            self.store.head(part.key) for part in parts_of(back) if self.owned.is_ours(part.key)
        )
        stays = replaced or not whole
        if not stays:
            try:
                self.store.put_if(self.keys.manifest, back.to_bytes(), current.version, JSON)
            except VersionChangedError:
                raise self._lost(self._read()) from None
            kept = set(back.keys()) if former else set()
            mine = self.owned.published_by(current.manifest, current.key)
            self.owned.delete(key for key in mine if key not in kept)
        raise OverlapError(
            f"the window {window} of {self.keys.target.export!r} was published while this run published the"
            f" overlapping window {self.keys.target.window};"
            f" this run {'changed nothing more' if stays else 'stepped back'}",
            hint="Look which of the two you want; replace_overlapping replaces windows that the new one covers.",
        )

    def _outcome(self, manifest: Manifest, *, unchanged: bool) -> Outcome:
        return Outcome(
            manifest=self.address(self.keys.manifest),
            revision=manifest.revision,
            unchanged=unchanged,
            body=manifest.model_dump(by_alias=True, exclude={"former"}),
            warnings=self.warnings,
        )
