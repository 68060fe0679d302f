"""The names of what an export writes: parts, rejected rows, manifests (contract, section 5)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ValidationInfo

from bifrost_export.errors import PrefixError, WindowError
from bifrost_export.fields.markers import ConnectionText
from bifrost_export.fields.reference_text import is_broken, without_references
from bifrost_export.window import Window

if TYPE_CHECKING:
    from bifrost_export.destinations.port import Target

PLACEHOLDERS = ("year", "month", "day", "hour", "dataset", "export")

_FIELD = re.compile(r"\{([^{}]*)\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_WINDOW = r"[0-9TZ.]+_[0-9TZ.]+"
_NUMBERS = r"__part-[0-9]{5,}-of-[0-9]{5,}"


def prefix_problem(prefix: str) -> tuple[str, str] | None:
    """What is wrong with a prefix, as (message, what is allowed), or None."""
    for name in _FIELD.findall(prefix):
        if name not in PLACEHOLDERS:
            return f"the prefix {prefix!r} has the unknown placeholder {{{name}}}", ", ".join(
                f"{{{known}}}" for known in PLACEHOLDERS
            )
    if _FIELD.sub("", prefix).strip("{}") != _FIELD.sub("", prefix):
        return f"the prefix {prefix!r} has a brace without its partner", "placeholders such as {year}"
    if prefix.startswith("/") or ".." in prefix.split("/") or _CONTROL.search(prefix) or "\\" in prefix:
        return (
            f"the prefix {prefix!r} could leave its own folder",
            "folders below the bucket or path: no leading '/', no '..', no backslash, no control character",
        )
    if any(segment in ("", ".") for segment in prefix.removesuffix("/").split("/")) and prefix:
        return (
            f"the prefix {prefix!r} has an empty folder or '.' in it, which stores list under another name",
            "folders with one '/' between them: logs/requests/",
        )
    return None


def folded(prefix: str) -> str:
    """A prefix with one `/` in place of several: what a reference stands for may bring its own."""
    return re.sub("/{2,}", "/", prefix)


RESOLVED = {"references": "resolved"}
"""Context of the validation of a config whose references are resolved."""


def _checked_prefix(prefix: str, info: ValidationInfo) -> str:
    # What a reference stands for is looked at again when it is filled in.
    if info.context is RESOLVED:
        prefix = folded(prefix)
    filled = without_references(prefix)
    problem = None if is_broken(prefix) else prefix_problem(filled)
    if problem:
        raise PrefixError(problem[0].replace(repr(filled), repr(prefix), 1), allowed=problem[1])
    return prefix


Prefix = Annotated[ConnectionText, AfterValidator(_checked_prefix)]
"""The folders that a destination's keys begin with."""


@dataclass(frozen=True)
class Owned:
    """What a key of an export is.

    Args:
        kind: `part`, `rejected` or `manifest`.
        window: The window that its name tells.
        folder: The folders before its name, with a final `/`.
        dataset: A part's dataset.
    """

    kind: str
    window: Window
    folder: str
    dataset: str | None = None


@dataclass(frozen=True)
class Keys:
    """The names of one run.

    Args:
        prefix: The config's prefix, references resolved, placeholders not.
        target: The run that the names are for.

    Raises:
        PrefixError: The prefix has an unknown placeholder or could leave its folder.
    """

    prefix: str
    target: Target

    def __post_init__(self) -> None:
        """Check the prefix, now that its references are resolved."""
        object.__setattr__(self, "prefix", folded(self.prefix))
        problem = prefix_problem(self.prefix)
        if problem:
            raise PrefixError(problem[0], allowed=problem[1])
        if self.prefix and not self.prefix.endswith("/"):
            object.__setattr__(self, "prefix", self.prefix + "/")

    @property
    def root(self) -> str:
        """The fixed first folders of the prefix, with a final `/`, or ``''``."""
        return self.prefix.partition("{")[0].rpartition("/")[0] + "/" if "/" in self.prefix.partition("{")[0] else ""

    def folder(self, dataset: str) -> str:
        """The folder of a dataset's parts: placeholders filled from the window's start in the export's timezone."""
        local = self.target.window.start.astimezone(ZoneInfo(self.target.timezone))
        values = {
            "year": f"{local.year:04d}",
            "month": f"{local.month:02d}",
            "day": f"{local.day:02d}",
            "hour": f"{local.hour:02d}",
            "dataset": dataset,
            "export": self.target.export,
        }
        folder = _fill(self.prefix, values)
        return folder if "{dataset}" in self.prefix else f"{folder}{dataset}/"

    def _stem(self, dataset: str) -> str:
        return f"{self.folder(dataset)}{self.target.export}__{dataset}__{self.target.window.name}__"

    def part(self, dataset: str, number: int, of: int) -> str:
        """The key of part `number` (from 1) of `of`."""
        return f"{self._stem(dataset)}{self.target.token}__part-{number:05d}-of-{of:05d}{self.target.extension}"

    def part_pattern(self, dataset: str) -> str:
        """The key of any part, with words in place of its number and of how many there are."""
        return f"{self._stem(dataset)}{self.target.token}__part-<number>-of-<parts>{self.target.extension}"

    @property
    def rejected(self) -> str:
        """The key of the file that tells the rejected rows."""
        return f"{self._rejected_stem}{self.target.token}.jsonl.gz"

    @property
    def _rejected_stem(self) -> str:
        return f"{self.root}_rejected/{self.target.export}/{self.target.window.name}__"

    @property
    def manifests(self) -> str:
        """The folder of this export's manifests."""
        return f"{self.root}_manifests/{self.target.export}/"

    @property
    def manifest(self) -> str:
        """The key of this window's manifest."""
        return f"{self.manifests}{self.target.window.name}.json"

    @property
    def lock(self) -> str:
        """The key of the lock, for stores that need one."""
        return f"{self.manifests}.lock"

    def patterns(self, datasets: tuple[str, ...]) -> list[str]:
        """The keys of every run of the export, with `*` for what differs between runs."""
        values = dict.fromkeys(("year", "month", "day", "hour"), "*") | {"export": self.target.export}
        folders = [_fill(self.prefix, {**values, "dataset": dataset}) for dataset in datasets]
        added = "" if "{dataset}" in self.prefix else "{}/"
        parts = [
            f"{folder}{added.format(dataset)}{self.target.export}__{dataset}__*"
            for folder, dataset in zip(folders, datasets, strict=True)
        ]
        return [*parts, f"{self.root}_rejected/{self.target.export}/*", f"{self.manifests}*"]

    def window_of_manifest(self, key: str) -> Window | None:
        """The window that a manifest's key names, or None for another file."""
        name = key.removeprefix(self.manifests)
        if not name.endswith(".json") or "/" in name or not key.startswith(self.manifests):
            return None
        return _window_named(name.removesuffix(".json"))

    def stems(self, datasets: tuple[str, ...]) -> list[tuple[str, re.Pattern[str]]]:
        """What every run of this window names its files, as (prefix to list, pattern with the token as group 1)."""
        stems = [
            (stem, re.compile(rf"^{re.escape(stem)}([0-9a-f]{{8}}){_NUMBERS}{self._extensions}\Z"))
            for stem in sorted({self._stem(dataset) for dataset in datasets})
        ]
        rejected = self._rejected_stem
        return [*stems, (rejected, re.compile(rf"^{re.escape(rejected)}([0-9a-f]{{8}})\.jsonl\.gz\Z"))]

    @property
    def _extensions(self) -> str:
        """Those that a run's parts may have: the run's own, and any other format's."""
        return rf"(?:{re.escape(self.target.extension)}|\.[a-z0-9]{{1,16}}(?:\.(?:gz|zst))?)"

    def owner_of(self, key: str) -> Owned | None:
        """What a key is by its last folders and its name, wherever above them it lies; None for what is not ours.

        Args:
            key: A key below the root, without it.
        """
        export = re.escape(self.target.export)
        for kind, pattern in (
            ("part", rf"(.*/)?{export}__(?P<dataset>[a-z_]+)__({_WINDOW})__[0-9a-f]{{8}}{_NUMBERS}{self._extensions}"),
            ("rejected", rf"(_rejected/){export}/({_WINDOW})__[0-9a-f]{{8}}\.jsonl\.gz"),
            ("manifest", rf"(_manifests/){export}/({_WINDOW})\.json"),
        ):
            match = re.fullmatch(pattern, key)
            if match:
                window = _window_named(match[match.lastindex or 0])
                dataset = match.groupdict().get("dataset")
                return None if window is None else Owned(kind, window, match[1] or "", dataset)
        return None

    def of_window(self, window: Window) -> Keys:
        """The names of a run of another window."""
        return replace(self, target=replace(self.target, window=window))


def _window_named(name: str) -> Window | None:
    """The window of that very name."""
    try:
        window = Window.from_name(name)
    except WindowError:
        return None
    return window if window.name == name else None


def _fill(prefix: str, values: dict[str, str]) -> str:
    return _FIELD.sub(lambda match: values[match[1]], prefix)


def without_token(key: str) -> str:
    """A part's or rejected file's key with the token blanked, to compare two runs' names."""
    return re.sub(r"__[0-9a-f]{8}(?=__part-[0-9]+-of-[0-9]+\.|\.jsonl\.gz\Z)", "__", key)
