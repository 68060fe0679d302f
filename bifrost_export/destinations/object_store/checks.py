"""Probe an object store without an export: reach, sign in, write, conditional write, read, list, delete.

The probes are objects beside the export's manifests, under names that no reader takes for a manifest; they are
always taken away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from bifrost_export.destinations.checks import Probe, Steps
from bifrost_export.destinations.object_store.manifest_reader import HINT
from bifrost_export.destinations.object_store.ownership import TOLD
from bifrost_export.destinations.object_store.port import (
    DeletionRefusedError,
    KeyTakenError,
    PutOptions,
    VersionChangedError,
)
from bifrost_export.destinations.overlap import live
from bifrost_export.errors import (
    BifrostExportError,
    CredentialsRefusedError,
    DestinationError,
    DestinationUnavailableError,
)

if TYPE_CHECKING:
    from bifrost_export.destinations.object_store.keys import Keys
    from bifrost_export.destinations.object_store.port import ObjectStore

OPTIONS = PutOptions("text/plain", (("purpose", "check"),))
BODY = b"bifrost-export check: this object may be deleted\n"
WITHOUT_CONDITIONS = "Runs of the same window at the same time can overwrite each other here: let only one run at once."


class Probing:
    """The probes of one store.

    Args:
        store: The object store.
        keys: The names of a run; its token makes the probes' names unique.
        address: Turns a key into what people write.
    """

    def __init__(self, store: ObjectStore, keys: Keys, address: Callable[[str], str]) -> None:
        self.store = store
        self.keys = keys
        self.key = f"{keys.manifests}.check-{keys.target.token}"
        self.manifest = f"{self.key}-manifest"
        self.lock = f"{self.key}-lock"
        self.address = address

    def run(self) -> Iterator[Probe]:
        """Take the steps, one after the other; what they wrote is taken away, come what may."""
        steps = Steps()
        for probe in self._introduce():
            yield steps.note(probe)
        place = self.store.place
        yield steps.take(place, self.store.find, ["sign in"])
        try:
            yield steps.take("write", self._write, [place])
            yield steps.take("conditional write", self._write_on_condition, ["write"])
            yield steps.take("read", self._read, ["write"])
            yield steps.take("list", lambda: self._list("write" in steps.passed), [place])
            yield steps.take("delete", self._delete, ["write"])
        finally:
            if "delete" not in steps.passed and place in steps.passed:
                self._sweep()

    def _introduce(self) -> Iterator[Probe]:
        """Reach and sign in: one request tells of both."""
        try:
            said = self.store.sign_in()
        except DestinationUnavailableError as error:
            yield Probe.failed("reach", error)
            yield Probe.skipped("sign in", "reach")
        except CredentialsRefusedError as error:
            yield Probe("reach", True, "the store answers")
            yield Probe.failed("sign in", error)
        except BifrostExportError as error:  # without credentials nobody is asked
            yield Probe.skipped("reach", "credentials to sign in with")
            yield Probe.failed("sign in", error)
        else:
            yield Probe("reach", True, "the store answers")
            yield Probe("sign in", True, said)

    def _write(self) -> str:
        try:
            self.store.put(self.key, BODY, OPTIONS)
        except KeyTakenError:
            raise DestinationError(
                f"{self.address(self.key)} was just put for the first time, and the store says that it is there",
                hint="Look what stands between here and the store, and repeats requests.",
            ) from None
        return f"{self.address(self.key)} was put"

    def _write_on_condition(self) -> str | Probe:
        with self.store.locked(self.lock):
            # Other bytes each time: a store may make the version of the bytes.
            first = self._must_pass(b"1", None)
            ignored = [] if self._is_refused(b"2", None) else ["If-None-Match"]
            now = self.store.get(self.manifest)
            self._must_pass(b"3", now[1] if now else first)
            ignored += [] if self._is_refused(b"4", first) else ["If-Match"]
        ignored += [] if ignored or self._is_taken() else ["If-None-Match"]
        if not ignored:
            return "a put on condition of a version is refused when the version is another"
        message = f"the store has no conditional puts (it ignores {' and '.join(ignored)}):"
        message += " it is promised no protection against two runs at once"
        return Probe("conditional write", True, message, WITHOUT_CONDITIONS)

    def _must_pass(self, data: bytes, seen: str | None) -> str:
        """Put on a condition that is met."""
        try:
            return self.store.put_if(self.manifest, BODY + data, seen, OPTIONS)
        except VersionChangedError:
            raise DestinationError(
                f"the store refused to put {self.address(self.manifest)} on a condition that is met",
                hint="Every commit needs it: use a store that knows If-Match and If-None-Match.",
            ) from None

    def _is_refused(self, data: bytes, seen: str | None) -> bool:
        """Put on a condition that is not met."""
        try:
            self.store.put_if(self.manifest, BODY + data, seen, OPTIONS)
        except VersionChangedError:
            return True
        return False

    def _is_taken(self) -> bool:
        try:
            self.store.put(self.key, BODY, OPTIONS)
        except KeyTakenError:
            return True
        return False

    def _read(self) -> str:
        described, found = self.store.head(self.key), self.store.get(self.key)
        if found is None or described is None or (found[0], described.bytes) != (BODY, len(BODY)):
            raise DestinationError(
                f"{self.address(self.key)} does not read as it was written",
                hint="Look what stands between here and the store, and changes contents.",
            )
        return f"{self.address(self.key)} reads as it was written"

    def _list(self, is_written: bool) -> str | Probe:
        if self.key not in list(self.store.list(self.key)) and is_written:
            raise DestinationError(
                f"the list of {self.address(self.key)}* does not show what was written",
                hint="Every commit needs a list that is up to date: use a store whose lists are.",
            )
        message = f"the keys below {self.address(self.key.rpartition('/')[0])}/ can be listed"
        foreign = list(self._foreign())
        return Probe("list", True, "; ".join((message, *foreign)), HINT) if foreign else message

    def _foreign(self) -> Iterator[str]:
        """What stands under the names of this export's manifests, and is none."""
        passed_over: list[str] = []
        with suppress(DestinationError):  # without the right to read, the step of that name has told it
            live(self.store, self.keys, lambda _: True, passed_over.append)
        yield from passed_over[:TOLD]
        if len(passed_over) > TOLD:
            yield f"{len(passed_over) - TOLD:,} more are passed over"

    def _delete(self) -> str:
        try:
            for key in (self.lock, self.manifest, self.key):
                self.store.delete(key)
        except DeletionRefusedError as error:
            raise DestinationError(f"{error}; the probe stays there", hint=error.hint) from None
        if self.store.get(self.key) is not None:
            raise DestinationError(
                f"{self.address(self.key)} is still there after it was deleted", hint="Delete it by hand."
            )
        return f"{self.address(self.key)} was deleted"

    def _sweep(self) -> None:
        for key in (self.lock, self.manifest, self.key):
            with suppress(DeletionRefusedError, BifrostExportError):
                self.store.delete(key)
