"""The page of an export's DAG: in words what is exported, when, where to and how; references stay as written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bifrost_export.config.references import DOCUMENT, is_literal
from bifrost_export.config.source import PLACES
from bifrost_export.config.texts import Place, map_texts
from bifrost_export.config.transformations import told
from bifrost_export.formats.choosing import encoding_of
from bifrost_export.registry import DESTINATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bifrost_export.config.models import Data, DateRange, Export
    from bifrost_export.config.problems import Problem

_MASK = "***"
_USER_IN_URL = re.compile(r"://[^/@\s]*@")

_RULES = {
    "providers": "the provider is one of {}",
    "models": "the model is one of {}",
    "customers": "the customer is one of {}",
    "min_latency_ms": "the latency is at least {} ms",
    "max_latency_ms": "the latency is at most {} ms",
    "status_codes": "the status code is one of {}",
}


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
        "What": f"The log rows of {_list(data.include)} that have ended, in windows that leave no gap.",
        "When": when(export),
        "Which rows": "; ".join(rules(export)) or "All rows of the window.",
        "Transformations": "; ".join(transformations(export)) or "None.",
        "Where to": _where(frozen),
        "Format": _format(export),
        "Rejected rows": f"More than {_code(data.max_rejected)} of a window's rows that can't be read fail the run.",
        "Read from": _source(frozen),
        "Configuration": f"{_code(frozen['pointer'])} of {_code(frozen['document'])}, hash {_code(config_hash)}.",
    }
    lines = [f"# {export.name}", "", *([export.description, ""] if export.description else [])]
    lines += [f"- **{name}**: {text}" for name, text in facts.items()]
    warned = [str(problem) for problem in warnings]
    if warned:
        lines += ["", "## Warnings", "", *(f"- {_flat(text)}" for text in warned)]
    lines += ["", "A manual run may set a window of its own in the trigger form; the run that has published a window"]
    lines += ["already leaves it as it is when nothing has changed."]
    return "\n".join(lines) + "\n"


def broken_page(name: str, problems: Iterable[str]) -> str:
    """The page of an export that can't run, as Markdown."""
    lines = [f"# {_flat(name)}: the configuration is wrong", "", "Nothing runs until this is mended:", ""]
    return "\n".join([*lines, *(f"- {_flat(problem)}" for problem in problems)]) + "\n"


def when(export: Export) -> str:
    """When the export runs, in words."""
    schedule = export.schedule
    described = schedule.describe()
    told = [
        f"{described[0].upper()}{described[1:]}, on the local calendar of {_code(schedule.timezone)}.",
        f"A run starts {_code(schedule.settle)} after its window's end, when rows that are written late have arrived.",
    ]
    if schedule.start_date is not None:
        first = "The first window is the one at" if schedule.catchup else "No scheduled window starts before"
        told.append(f"{first} {_code(schedule.start_date)}.")
    if schedule.missed_windows == "skip" and not schedule.catchup:
        told.append("After an outage or a pause the windows before the latest are skipped.")
    else:
        told.append("After an outage or a pause every window that was missed is run.")
    return " ".join(told)


def rules(export: Export) -> Iterator[str]:
    """The filters of the export, in words."""
    filters = export.data.filters
    if filters.date_range is not None:
        yield f"of {_date_range(filters.date_range)}"
    for name, sentence in _RULES.items():
        if (wanted := getattr(filters, name)) is not None:
            yield sentence.format(_list(wanted) if isinstance(wanted, tuple) else f"{wanted:,}")
    if filters.has_errors is not None:
        yield f"the status code is {'400 or above' if filters.has_errors else 'below 400'}"


def transformations(export: Export) -> Iterator[str]:
    """The transformations of the export, in words, each with the datasets that it runs on."""
    for step, datasets in told(export.data):
        on = _list(datasets) or "no dataset, since none has the columns any more"
        yield f"{step.number}. {_code(step.type)} on {on}: {_code(step.transform.describe())}"


def _format(export: Export) -> str:
    encoding = encoding_of(export)
    told = f"{_code(encoding.name)} with {_code(encoding.compression)} compression"
    rows = _parts(export.data)
    if not encoding.is_own:
        return f"{told}, {rows}."
    asked = "" if export.data.format == encoding.name else f" in place of {_code(export.data.format)}"
    return f"Rows of tables. They are loaded by files in the warehouse's own bulk format{asked}: {told}, {rows}."


def _date_range(wanted: str | DateRange) -> str:
    if isinstance(wanted, str):
        return f"{_code(wanted)}, counted back from the window's end"
    return f"{_code(wanted.start)} to {_code(wanted.end)}"


def _parts(data: Data) -> str:
    rows = f"up to {data.max_rows_per_file:,} rows a file"
    return rows if data.max_file_size is None else f"{rows}, or about {data.max_file_size} before compression"


def _where(frozen: Mapping[str, Any]) -> str:
    destination = frozen["export"]["destination"]
    model = DESTINATIONS.load(destination["type"]).Config
    shown = map_texts(destination["config"], model, "", _shown)
    return f"{_code(destination['type'])}: {_keys(shown)}."


def _source(frozen: Mapping[str, Any]) -> str:
    source = frozen["export"].get("source") or frozen.get("source")
    if not source:
        return f"the log store that {PLACES[-2]} or {PLACES[-1]} names."
    return f"{_code(source['type'])}: {_keys(map_texts(source['config'], None, '', _shown))}."


def _shown(text: str, place: Place, pointer: str) -> str:
    if place.secret and is_literal(text):
        return _MASK
    return _USER_IN_URL.sub(f"://{_MASK}@", text)


def _keys(config: Mapping[str, Any], prefix: str = "") -> str:
    parts = []
    for key, value in config.items():
        if isinstance(value, dict) and set(value) != {DOCUMENT}:
            parts.append(_keys(value, f"{prefix}{key}."))
        elif value is not None:
            parts.append(f"{prefix}{key} {_code(_MASK if isinstance(value, dict) else value)}")
    return ", ".join(each for each in parts if each)


def _list(values: Iterable[Any]) -> str:
    return ", ".join(_code(value) for value in values)


def _code(value: Any) -> str:
    """A value as Markdown that it can't break out of."""
    return f"`{_flat(str(value)).replace('`', chr(39))}`"


def _flat(text: str) -> str:
    return " ".join(text.split())
