"""The plan: what the first task of a run fixes for the whole run, as the other tasks get it by XCom."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

import orjson

from bifrost_export.config.models.export import Export
from bifrost_export.destinations.continuity import Consent
from bifrost_export.errors import PlanMismatchError
from bifrost_export.logstore.columns import LogColumnType
from bifrost_export.window import Window, rfc3339

VERSION = 2


@dataclass(frozen=True)
class Slice:
    """A piece of the window that one instance of `extract` reads.

    Args:
        start: First instant inside, RFC 3339 in UTC.
        end: First instant after it.
        kind: `rows` to export, or `count` where `date_range` takes nothing: those rows are only counted.
    """

    start: str
    end: str
    kind: Literal["rows", "count"] = "rows"

    @classmethod
    def of(cls, window: Window, kind: Literal["rows", "count"]) -> Slice:
        """The slice that is an interval."""
        return cls(rfc3339(window.start), rfc3339(window.end), kind)

    @property
    def window(self) -> Window:
        """The slice as an interval."""
        return Window.parse(self.start, self.end)


@dataclass(frozen=True)
class Plan:
    """One run, frozen. It holds references, never a secret's value.

    Args:
        token: 8 hex digits, drawn anew each time `plan` runs.
        window: The window that the run exports.
        frozen: The export as `config.freezing.freeze` gives it.
        config_hash: Of the export's configuration.
        slices: How the log rows are read.
        steps: By dataset the steps that make its rows, in order; every staged file says which of them made it.
        seen: Version of the window's manifest when the run was planned, or None.
        export_timestamp: When the run was planned, RFC 3339 in UTC.
        export_version: The package that planned it.
        run_id: Airflow's run id, or the CLI's.
        staging: `{"url", "conn_id", "keep_days", "shared", "host"}`, the URL resolved.
        log_store: What the log store says of itself.
        unplaced: Rows of the log store whose time can't be read at all.
        replace_overlapping: Replace windows that this one covers.
        dry_run: Stop after `reconcile`, and write nothing outside staging.
        allow_shrink: Publish fewer log rows than are published.
        replace_source: Publish from another log store than before.
        extra_types: Type of each extra field that only the log store knows.
        version: Of this shape.
    """

    token: str
    window: Window
    frozen: dict[str, Any]
    config_hash: str
    slices: tuple[Slice, ...]
    steps: dict[str, tuple[str, ...]]
    seen: str | None
    export_timestamp: str
    export_version: str
    run_id: str
    staging: dict[str, Any]
    log_store: dict[str, Any]
    unplaced: int = 0
    replace_overlapping: bool = False
    dry_run: bool = False
    allow_shrink: bool = False
    replace_source: bool = False
    extra_types: dict[str, LogColumnType] = field(default_factory=dict)
    version: int = field(default=VERSION)

    @cached_property
    def export(self) -> Export:
        """The export, references unresolved."""
        export = Export.model_validate(self.frozen["export"], strict=False)
        if not self.extra_types:
            return export
        return export.model_copy(update={"data": export.data.with_types(self.extra_types)})

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the plan, which every staged file names."""
        return hashlib.sha256(orjson.dumps(self.to_json(), option=orjson.OPT_SORT_KEYS)).hexdigest()

    @property
    def consent(self) -> Consent:
        """What the operator has accepted for the run."""
        return Consent(self.allow_shrink, self.replace_source, self.frozen.get("log_retention_days"))

    @property
    def datasets(self) -> tuple[str, ...]:
        """The datasets that the run exports."""
        return self.export.data.include

    @property
    def builtins(self) -> dict[str, str]:
        """The values of the built-in references."""
        return {
            "EXPORT_TIMESTAMP": self.export_timestamp,
            "EXPORT_VERSION": self.export_version,
            "EXPORT_NAME": self.export.name,
            "WINDOW_START": rfc3339(self.window.start),
            "WINDOW_END": rfc3339(self.window.end),
            "RUN_ID": self.run_id,
        }

    def items(self) -> list[dict[str, Any]]:
        """What `extract` is mapped over: one item a slice."""
        return [
            {"token": self.token, "slice": number, "label": _label(each)} for number, each in enumerate(self.slices)
        ]

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON."""
        document = asdict(self)
        document["window"] = self.window.to_json()
        document["slices"] = [asdict(each) for each in self.slices]
        document["steps"] = {dataset: list(steps) for dataset, steps in self.steps.items()}
        return document

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Plan:
        """Read what `to_json` wrote.

        Raises:
            PlanMismatchError: Another version of the package wrote it.
        """
        version = document.get("version") if isinstance(document, dict) else None
        if version != VERSION:
            raise PlanMismatchError(
                f"the plan of this run is of version {version}, and this package reads version {VERSION}",
                hint="Clear from plan: the package was changed in the middle of the run.",
            )
        return cls(
            **{
                **document,
                "window": Window.from_json(document["window"]),
                "slices": tuple(Slice(**each) for each in document["slices"]),
                "steps": {dataset: tuple(steps) for dataset, steps in document["steps"].items()},
            }
        )


def _label(each: Slice) -> str:
    start, end = (text.removesuffix("Z").replace("T", " ") for text in (each.start, each.end))
    end = end[11:] if end[:10] == start[:10] else end
    return f"{start} to {end}" + (" (counted only)" if each.kind == "count" else "")


def take(
    plan: Plan, items: Iterable[dict[str, Any] | None], key: str, count: int, by: str | None = None
) -> list[dict[str, Any]]:
    """The planned items in order; those of other tokens are left aside (XComs of removed instances stay).

    Args:
        plan: The run's plan.
        items: What the earlier task's instances gave.
        key: The key of an item with its number.
        count: How many were planned.
        by: The earlier task, when each item is the result of one of its instances.

    Raises:
        PlanMismatchError: One of this plan's items is missing, comes twice, or was never planned.
    """
    given = [item for item in items if isinstance(item, dict) and item.get("token") == plan.token]
    mine = {item.get(key): item for item in given}
    if len(given) != count or set(mine) != set(range(count)):
        missing = sorted(set(range(count)) - set(mine))
        if by is not None and missing and len(given) == len(mine):
            raise PlanMismatchError(
                f"{len(missing)} of {count} instances of the task {by!r} have left no result of this run's plan: they"
                f" have not run yet, or were marked as success by hand; numbers: {missing[:10]}",
                hint=f"Clear these instances of {by!r} with all tasks after them.",
            )
        raise PlanMismatchError(
            f"planned {count} of {key}, and got {len(given)} of this plan's token {plan.token}"
            + (f"; missing: {missing[:10]}" if missing else ""),
            hint="Clear from plan.",
        )
    return [mine[number] for number in range(count)]


def check_token(plan: Plan, item: dict[str, Any], done: Sequence[str]) -> None:
    """Refuse an item of another plan, or one that lacks or adds a step.

    Raises:
        PlanMismatchError: It is one.
    """
    if item.get("token") != plan.token:
        raise PlanMismatchError(
            f"this task was given an item of token {item.get('token')!r}, and the plan's is {plan.token!r}",
            hint="Clear from plan.",
        )
    if list(item.get("done", [])) != list(done):
        raise PlanMismatchError(
            f"the item has been through {item.get('done', [])} instead of {list(done)}", hint="Clear from plan."
        )
