"""The page of an export's DAG: in words what is exported, when, where to and how; references stay as written."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from bifrost_export.airflow.markdown import code, codes, plain, sentence
from bifrost_export.config.models.kinds import source_model
from bifrost_export.config.references.resolver import DOCUMENT
from bifrost_export.config.source import CONNECTION_ID, VARIABLE
from bifrost_export.config.transformations import told
from bifrost_export.fields.field_walk import fields_of, model_below
from bifrost_export.filters.rules import asked
from bifrost_export.pipeline.encoding import encoding_of
from bifrost_export.registry import DESTINATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic import BaseModel

    from bifrost_export.config.models.export import Data, Export
    from bifrost_export.filters.config import DateRange
    from bifrost_export.problem import Problem

_CREDENTIALS = "credentials"


_CONNECTION = "conn_id"


_USER_IN_URL = re.compile(r"://[^/@\s]*@")


def destination_in_words(frozen: Mapping[str, Any]) -> str:
    """Where an export writes.

    Args:
        frozen: As `freeze` gives it.
    """
    destination = frozen["export"]["destination"]
    return _in_words(destination, DESTINATIONS.load(destination["type"]).Config)


def source_in_words(frozen: Mapping[str, Any]) -> str:
    """Where an export reads.

    Args:
        frozen: As `freeze` gives it.
    """
    source = frozen["export"].get("source") or frozen.get("source")
    if not source:
        places = f"the variable {plain(VARIABLE)} or the Airflow connection {plain(CONNECTION_ID)}"
        return f"The log store that {places} names."
    return _in_words(source, source_model(source["type"]))


def _in_words(place: Mapping[str, Any], model: type[BaseModel]) -> str:
    config = place["config"]
    keys = ", ".join(f"{plain(key)} {plain(_shown(value))}" for key, value in _open(config, model))
    return " ".join(filter(None, [f"{plain(place['type'])}{keys and f', {keys}'}.", _signing_in(config, model)]))


def _open(config: Mapping[str, Any], model: type[BaseModel] | None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The keys that are no credentials, with their values."""
    fields = fields_of(model) if model is not None else {}
    for key, value in config.items():
        place, below = fields.get(key, (None, ()))
        if value in (None, "", {}) or key == _CONNECTION or _is_secret(key, value, model):
            continue
        if isinstance(value, dict):
            yield from _open(value, model_below(below, value), prefix if key == _CREDENTIALS else f"{prefix}{key} ")
        elif place is not None or model is None:
            yield f"{prefix}{key}", value


def _is_secret(key: str, value: Any, model: type[BaseModel] | None) -> bool:
    place, _ = fields_of(model).get(key, (None, ())) if model is not None else (None, ())
    return (place is not None and place.secret) or (isinstance(value, dict) and set(value) == {DOCUMENT})


def _shown(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return _USER_IN_URL.sub("://***@", text)


def _signing_in(config: Mapping[str, Any], model: type[BaseModel]) -> str | None:
    if config.get(_CONNECTION) is not None:
        return f"Signs in with the Airflow connection {plain(str(config[_CONNECTION]))}."
    if _CONNECTION not in fields_of(model):
        return None
    inner = config.get(_CREDENTIALS)
    given = isinstance(inner, dict) or any(_is_secret(key, value, model) for key, value in config.items())
    return f"Signs in with the {'document' if given else 'machine'}'s own credentials."


_HASH: Final = 12
"""Hex digits of the configuration's hash: enough to tell one from another."""


def page(export: Export, frozen: Mapping[str, Any], config_hash: str, warnings: Iterable[Problem] = ()) -> str:
    """The page, as Markdown.

    It holds the configuration's hash, by which Airflow notices that something else than the graph has changed.

    Args:
        export: The export.
        frozen: As `freeze` gives it, without literal secrets.
        config_hash: Of the export's configuration.
        warnings: What works and should be looked at.
    """
    data = export.data
    facts = {
        "What": f"{codes(data.include)}: requests that have ended, in windows that leave no gap.",
        "When": when(export),
        "Which rows": sentence("; ".join(rules(export)) or "all rows of the window") + ".",
        "Transformations": "; ".join(transformations(export)) or "None.",
        "Where to": destination_in_words(frozen),
        "Format": _format(export),
        "Rejected rows": f"More than {data.max_rejected} of a window's rows that can't be read fail the run.",
        "Read from": source_in_words(frozen),
        "Configuration": f"{plain(frozen['pointer'])} of {_document(frozen)}, hash {config_hash[:_HASH]}.",
    }
    lines = [f"# {plain(export.name)}", "", *([export.description, ""] if export.description else [])]
    lines += [f"- **{name}**: {text}" for name, text in facts.items()]
    warned = [str(problem) for problem in warnings]
    if warned:
        lines += ["", "## Warnings", "", *(f"- {plain(text)}" for text in warned)]
    lines += ["", "**Trigger** exports any other window, and **Backfill** past ones of the schedule."]
    lines += ["A window that is published already stays as it is when nothing has changed."]
    return "\n".join(lines) + "\n"


def broken_page(name: str, problems: Iterable[str]) -> str:
    """The page of an export that can't run, as Markdown."""
    lines = [f"# {plain(name)}: the configuration is wrong", "", "Nothing runs until this is mended:", ""]
    return "\n".join([*lines, *(f"- {plain(problem)}" for problem in problems)]) + "\n"


def when(export: Export) -> str:
    """When the export runs, in words."""
    schedule = export.schedule
    calendar = "" if schedule.timezone == "UTC" else ", on the local calendar"
    told = [
        f"{sentence(plain(schedule.describe()))}{calendar}.",
        f"A run starts {schedule.settle} after its window's end, when rows that are written late have arrived.",
    ]
    if schedule.start_date is not None:
        first = "The first window is the one at" if schedule.catchup else "No scheduled window starts before"
        told.append(f"{first} {code(schedule.start_date)}.")
    if schedule.missed_windows == "skip" and not schedule.catchup:
        told.append("After an outage or a pause the windows before the latest are skipped.")
    else:
        told.append("After an outage or a pause every window that was missed is run.")
    return " ".join(told)


def rules(export: Export) -> Iterator[str]:
    """The filters of the export, in words."""
    filters = export.data.filters
    if filters.date_range is not None:
        yield f"rows of {_date_range(filters.date_range)}"
    for rule, wanted in asked(filters):
        yield rule.in_words(wanted, _value)


def transformations(export: Export) -> Iterator[str]:
    """The transformations of the export, in words, each with the datasets that it runs on."""
    for step, datasets in told(export.data):
        on = codes(datasets) or "no dataset, since none has the columns any more"
        yield f"{step.number}. {code(step.type)} on {on}: {code(step.transform.describe())}"


def _format(export: Export) -> str:
    encoding = encoding_of(export)
    told = f"{plain(encoding.name)} with {plain(encoding.compression)} compression"
    rows = _parts(export.data)
    if not encoding.is_own:
        return f"{told}, {rows}."
    asked = "" if export.data.format == encoding.name else f" in place of {plain(str(export.data.format))}"
    return f"Rows of tables. They are loaded by files in the warehouse's own bulk format{asked}: {told}, {rows}."


def _date_range(wanted: str | DateRange) -> str:
    if isinstance(wanted, str):
        return f"{code(wanted)}, counted back from the window's end"
    return f"{code(wanted.start)} to {code(wanted.end)}"


def _parts(data: Data) -> str:
    rows = f"up to {data.max_rows_per_file:,} rows a file"
    return rows if data.max_file_size is None else f"{rows}, or about {data.max_file_size} before compression"


def _document(frozen: Mapping[str, Any]) -> str:
    return plain(PurePath(frozen["document"]).name)


def _value(wanted: Any) -> str:
    if not isinstance(wanted, tuple):
        return f"{wanted:,}"
    return ", ".join(code(value) if isinstance(value, str) else str(value) for value in wanted)
