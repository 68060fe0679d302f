"""Check `data.transformations`: each by itself, then how they go together and with the datasets."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from bifrost_export.config.checks.checker import Checker
from bifrost_export.config.transformations import (
    Step,
    base_columns,
    columns_after,
    names_inside,
    names_of,
    steps_of,
    transform_config,
    transform_kind,
)
from bifrost_export.errors import ConfigError
from bifrost_export.fields.pointer import pointer_of
from bifrost_export.fields.suggestions import brief, nearest
from bifrost_export.registry import TRANSFORMS

if TYPE_CHECKING:
    from bifrost_export.config.models.export import Export


_TWINS = (
    ("customer_id", "customer_ids", "customer_name", "customer_names"),
    ("user_id", "user_name", "user_email"),
    ("team_id", "team_ids", "team_name", "team_names"),
    ("business_unit_id", "business_unit_ids", "business_unit_name", "business_unit_names"),
    ("virtual_key_id", "virtual_key_name"),
    ("selected_key_id", "selected_key_name"),
    ("project_id", "project_name"),
)


def open_twins(masked: Collection[str], names: Collection[str]) -> list[tuple[str, str]]:
    """Columns that stand in the open beside a masked one: (the masked one, its twin)."""
    found = []
    for group in _TWINS:
        hidden = next((name for name in group if name in masked), None)
        if hidden is not None:
            found += [(hidden, name) for name in group if name in names and name not in masked]
    return found


def entries(value: dict[str, Any]) -> list[Any]:
    """The transformations of an export in long form; none where they are no list."""
    data = value.get("data")
    found = data.get("transformations") if isinstance(data, dict) else None
    return found if isinstance(found, list) else []


def check_entries(checker: Checker, value: dict[str, Any], pointer: str, *, partial: bool = False) -> None:
    """Note what is wrong with each transformation by itself.

    Args:
        checker: Notes it.
        value: The export in long form.
        pointer: Where it stands.
        partial: As for `Checker.model`.
    """
    for index, entry in enumerate(entries(value)):
        at = f"{pointer}/data/transformations/{index}"
        if not isinstance(entry, dict):
            continue  # the model of the export tells it
        if "type" not in entry:
            known = ", ".join(TRANSFORMS.names())
            checker.add(at, "the key 'type' is missing", allowed=known, hint="Say which kind of transformation it is.")
            continue
        try:
            transform_kind(entry["type"])
        except ConfigError as error:
            if isinstance(entry["type"], str):
                checker.add_error(f"{at}/type", error)
            else:
                told = brief(entry["type"] if isinstance(entry["type"], int | float) else None, entry["type"])
                checker.add(f"{at}/type", f"type is {told}", allowed=error.allowed)
            continue
        model = transform_config(entry["type"])
        if model is not None:
            checker.texts(model, entry, at)
            checker.model(model, entry, at, partial=partial)


def check_together(checker: Checker, export: Export, pointer: str) -> None:
    """Note what is wrong between transformations, and between them and the datasets.

    Args:
        checker: Has noted what is wrong with each by itself.
        export: The export.
        pointer: Where it stands.
    """
    if export.data.transformations:
        _Together(checker, export, f"{pointer}/data/transformations").check()


class _Together:
    """Walks through the transformations with the columns of each dataset."""

    def __init__(self, checker: Checker, export: Export, pointer: str) -> None:
        self.checker = checker
        self.data = export.data
        self.pointer = pointer
        self.columns = {dataset: base_columns(export.data, dataset) for dataset in export.data.include}
        self.masked: dict[str, dict[str, Step]] = {dataset: {} for dataset in self.columns}
        self.removed: dict[str, Step | None] = {}
        """Every name that a dataset has had -> what has removed it."""

    def check(self) -> None:
        """Note all that is wrong."""
        self._know()
        for step in steps_of(self.data):
            at = self._at(step)
            for message, hint in step.transform.remarks():
                self.checker.add(at, message, severity="warning", hint=hint)
            datasets = list(self._datasets(step))
            self._check_fields(step, datasets)
            if not all(self._apply(step, dataset) for dataset in datasets):
                return
        self._check_twins()

    def _at(self, step: Step) -> str:
        return f"{self.pointer}/{step.number - 1}"

    def _know(self) -> None:
        for columns in self.columns.values():
            for name in names_of(columns):
                self.removed.setdefault(name, None)

    def _datasets(self, step: Step) -> Iterator[str]:
        wanted = step.transform.config.datasets
        for index, dataset in enumerate(wanted or ()):
            if dataset not in self.columns:
                known = list(self.columns)
                self.checker.add(
                    f"{self._at(step)}/datasets/{index}",
                    f"the export does not include the dataset {dataset!r}",
                    allowed=", ".join(known),
                    hint=nearest(dataset, known),
                )
        yield from (dataset for dataset in self.columns if wanted is None or dataset in wanted)

    def _check_fields(self, step: Step, datasets: list[str]) -> None:
        """Tell fields that no dataset has: never, or not any more."""
        lacking = [set(step.transform.missing(self._names(dataset, step))) for dataset in datasets]
        nowhere = set.intersection(*lacking) if lacking else set()
        for name in sorted(nowhere, key=[*step.transform.fields(), *sorted(nowhere)].index):
            at, remover = self._place(step, name), self.removed.get(name)
            if remover is not None:
                self.checker.add(
                    at,
                    f"the column {name!r} is not there any more: transformation {remover.number} ({remover.type}) has"
                    " removed it",
                    severity="warning",
                    hint=f"Put this {step.type} before it, or leave the column out.",
                )
            else:
                had = sorted(self.removed)
                self.checker.add(
                    at, f"no dataset has a column {name!r}", allowed=", ".join(had), hint=nearest(name, had)
                )
        runs = any(step.runs_on(dataset, names_of(self.columns[dataset])) for dataset in datasets)
        if datasets and not runs and not nowhere:
            self.checker.add(
                self._at(step),
                f"no dataset has all the columns that this {step.type} needs: {', '.join(step.transform.fields())}",
                severity="warning",
                hint="It changes nothing: leave some of them out, or write one transformation for each dataset.",
            )

    def _names(self, dataset: str, step: Step) -> list[str]:
        """The columns of a dataset, with what a transformation finds inside of one."""
        columns = self.columns[dataset]
        inside = names_inside(self.data, columns) if getattr(step.transform, "looks_inside", False) else []
        return [*names_of(columns), *inside]

    def _place(self, step: Step, name: str) -> str:
        """Where a column is named in a transformation, else the transformation."""
        entry = self.data.transformations[step.number - 1]
        for key, value in entry.items():
            if isinstance(value, list | tuple) and name in value and key != "datasets":
                return f"{self._at(step)}{pointer_of(key, list(value).index(name))}"
        return self._at(step)

    def _apply(self, step: Step, dataset: str) -> bool:
        columns = self.columns[dataset]
        if not step.runs_on(dataset, names_of(columns)):
            return True
        try:
            after = columns_after(step, columns)
        except ConfigError as error:
            self.checker.add(self._at(step), f"{error.message} ({dataset})", allowed=error.allowed, hint=error.hint)
            return False
        masked = step.transform.masked(columns)
        if "attributes" in masked:
            masked |= set(step.transform.fields())
        self.masked[dataset] |= dict.fromkeys(sorted(masked), step)
        self.columns[dataset] = after
        for name in set(names_of(columns)) - set(names_of(after)):
            if not any(name in names_of(each) for each in self.columns.values()):
                self.removed[name] = step
        for name in names_of(after):
            self.removed[name] = None
        return True

    def _check_twins(self) -> None:
        told = set()
        for dataset, masked in self.masked.items():
            columns = self.columns[dataset]
            for hidden, twin in open_twins(masked, [*names_of(columns), *names_inside(self.data, columns)]):
                if (hidden, twin) not in told:
                    told.add((hidden, twin))
                    self.checker.add(
                        self._at(masked[hidden]),
                        f"{twin!r} stands in the open beside {hidden!r}, which is masked",
                        severity="warning",
                        hint="Mask it, too, or leave it out.",
                    )
