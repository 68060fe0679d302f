"""Loading documents: every problem at once, and no broken export hides a good one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.config.loader import load, load_export, named_document
from bifrost_export.errors import DocumentError, UnknownExportError
from bifrost_export.registry import DESTINATIONS
from tests.unit.config.documents import POINTER, document, export, loaded, problem_at, to_s3, write
from tests.unit.config.test_positions import VALUES, walk


def test_all_problems_of_a_document_are_told_at_once(tmp_path: Path) -> None:
    """In the order of their lines, with the document's name."""
    broken = document(
        export(name="a b", schedule={"frequency": "daily", "time": "9"}, data={"max_rows_per_file": 0}),
        export(destination={"type": "s3", "config": {"bukket": "x"}}),
    )
    broken["log_exports"]["enabeld"] = True
    found = loaded(tmp_path, broken)
    assert [each.pointer for each in found.problems] == [
        "/log_exports/exports/0/name",
        "/log_exports/exports/0/schedule/time",
        "/log_exports/exports/0/data/max_rows_per_file",
        "/log_exports/exports/1/destination/config",
        "/log_exports/exports/1/destination/config/bukket",
        "/log_exports/enabeld",
    ]
    lines = [each.line or 0 for each in found.problems]
    assert lines == sorted(lines)
    assert {each.file for each in found.problems} == {"log_exports.json"}


def test_a_broken_export_leaves_the_others_good(tmp_path: Path) -> None:
    """Each keeps its place and its DAG id."""
    found = loaded(tmp_path, document(export(name="one"), export(name="t w o"), "three", export(name="four", data=1)))
    assert [each.export is not None for each in found.exports] == [True, False, False, False]
    assert [each.dag_id for each in found.exports] == [
        "bifrost_export__one",
        "bifrost_export__log_exports__1",
        "bifrost_export__log_exports__2",
        "bifrost_export__four",
    ]
    assert all(each.errors for each in found.exports[1:])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", '{"log_exports": ', "is no JSON: Expecting value"),
        ("a.yaml", "log_exports: [", "is no YAML"),
        ("a.json", "[]", "the document is an empty list, and no object"),
        ("a.json", "{}", "has no list log_exports.exports"),
        ("a.json", '{"log_exports": {"exports": {}}}', "exports is an empty object, and no list"),
        ("a.yml", "", "the document is empty"),
    ],
)
def test_a_document_that_says_nothing_gives_one_broken_entry(
    name: str, content: str, message: str, tmp_path: Path
) -> None:
    """It has the DAG id of its file, and its one problem has a line where there is any."""
    found = loaded(tmp_path, content, name)
    (entry,) = found.exports
    assert (entry.export, entry.name, entry.index, entry.dag_id) == (None, None, None, "bifrost_export__a")
    assert [message in each.message for each in entry.problems] == [True]
    assert found.problems == entry.problems
    assert entry.problems[0].line == 1 or not content


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    """So is a folder without documents, and a file that is no text."""
    assert "there is no document" in load(tmp_path / "none.json").problems[0].message
    assert "holds no document" in load(tmp_path).problems[0].message
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    assert "is UTF-16, not UTF-8" in load(tmp_path / "bytes.json").problems[0].message
    assert "can't be read" in load("nul\0byte").problems[0].message


def test_a_folder_is_all_its_documents(tmp_path: Path) -> None:
    """JSON and YAML alike, but neither hidden files nor the schema that editors use."""
    write(tmp_path / "b.json", document(export(name="from_json")))
    write(tmp_path / "a.yml", "log_exports: {exports: [{name: from_yaml, schedule: {frequency: daily},\n"
          "  destination: {type: local, config: {path: out}}}]}")  # fmt: skip
    for name in (".hidden.json", "log_exports.schema.json", "notes.txt"):
        write(tmp_path / name, "{")
    found = load(tmp_path)
    assert found.problems == []
    assert [each.name for each in found.exports] == ["from_yaml", "from_json"]


def test_a_name_is_taken_once_over_all_documents(tmp_path: Path) -> None:
    """The first keeps it, and the second is told at its place where the first is."""
    write(tmp_path / "a.json", document(export(name="same")))
    write(tmp_path / "b.json", document(export(name="same")))
    found = load(tmp_path)
    assert [each.dag_id for each in found.exports] == ["bifrost_export__same", "bifrost_export__b__0"]
    (problem,) = found.problems
    assert (problem.file, problem.pointer, problem.line) == ("b.json", f"{POINTER}/name", 5)
    assert "a.json has it at /log_exports/exports/0" in str(problem.hint)
    assert load_export(tmp_path, "same").document.path.name == "a.json"


def test_a_broken_document_never_takes_the_dag_id_of_a_good_export(tmp_path: Path) -> None:
    """Nor do two broken ones share one: Airflow would drop a file whose DAGs do."""
    write(tmp_path / "daily.json", "{")
    write(tmp_path / "daily.yaml", "[")
    write(tmp_path / "z.json", document(export(name="daily")))
    assert [each.dag_id for each in load(tmp_path).exports] == [
        "bifrost_export__daily__2",
        "bifrost_export__daily__3",
        "bifrost_export__daily",
    ]


def test_keys_of_bifrosts_own_config_are_left_alone(tmp_path: Path) -> None:
    """Whatever they hold, and also twice."""
    text = json.dumps({"providers": {"openai": {"keys": ["canary"]}}, **document()})
    found = loaded(tmp_path, text[:-1] + ', "providers": 1, "client": {"log_retention_days": 30}}')
    assert found.problems == []
    assert found.documents[0].log_retention_days == 30


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ('{"log_exports": {"exports": []}, "log_exports": {"exports": []}}', "/log_exports"),
        ('{"log_exports": {"exports": [], "exports": []}}', "/log_exports/exports"),
        ('{"log_exports": {"exports": [{"name": "a", "name": "b"}]}}', f"{POINTER}/name"),
    ],
)
def test_a_key_that_stands_twice_is_an_error(text: str, pointer: str, tmp_path: Path) -> None:
    """JSON would let the last one win in silence."""
    problem = problem_at(loaded(tmp_path, text), pointer)
    assert problem.message == f"the key {pointer.rpartition('/')[2]!r} stands twice in one object"


def test_problems_of_the_document_break_its_exports_and_are_told_once(tmp_path: Path) -> None:
    """Nothing runs by half of what was meant."""
    broken = document(export(name="a"), export(name="b"))
    broken["log_exports"]["staging"] = {"keep_days": 0}
    found = loaded(tmp_path, broken)
    assert [each.pointer for each in found.problems] == ["/log_exports/staging/keep_days"]
    assert [each.export for each in found.exports] == [None, None]
    with pytest.raises(DocumentError, match="keep_days is 0"):
        load_export(tmp_path / "log_exports.json", "a")


@pytest.mark.parametrize("enabled", ["yes", 1, None])
def test_enabled_is_a_truth_value(enabled: Any, tmp_path: Path) -> None:
    """Of the document too."""
    broken = document()
    broken["log_exports"]["enabled"] = enabled
    assert problem_at(loaded(tmp_path, broken), "/log_exports/enabled").allowed == "true or false"


def test_what_is_switched_off_is_known_as_off(tmp_path: Path) -> None:
    """An export by itself, or all by their document."""
    found = loaded(tmp_path, document(export(enabled=False), export(name="b")))
    assert [each.enabled for each in found.exports] == [False, True]
    off = document()
    off["log_exports"]["enabled"] = False
    assert [each.enabled for each in loaded(tmp_path, off).exports] == [False]


def test_the_log_store_of_bifrosts_own_config_is_a_source(tmp_path: Path) -> None:
    """With Bifrost's default path when it names none."""
    (found,) = loaded(
        tmp_path, document(logs_store={"enabled": True, "type": "sqlite", "config": {"path": "a.db", "x": 1}})
    ).documents
    assert found.source is not None
    assert (found.source.config, found.source_pointer) == ({"path": "a.db"}, "/logs_store")
    (found,) = loaded(tmp_path, document(logs_store={"type": "sqlite"})).documents
    assert found.source is not None
    assert found.source.config == {"path": "./logs.db"}
    (found,) = loaded(tmp_path, document(logs_store={"enabled": False, "type": "sqlite"})).documents
    assert found.source is None


@pytest.mark.parametrize("kind", ["clickhouse", "mysql", None, {}])
def test_a_log_store_that_cant_be_read_matters_to_those_who_use_it(kind: Any, tmp_path: Path) -> None:
    """An export with a source of its own runs."""
    own = export(name="own", source={"type": "sqlite", "config": {"path": "x"}})
    found = loaded(tmp_path, document(export(), own, logs_store={"type": kind}))
    assert [each.export is not None for each in found.exports] == [False, True]
    assert [each.pointer for each in found.problems] == ["/logs_store/type"]
    assert loaded(tmp_path, document(own, logs_store={"type": kind})).problems == []


def test_an_export_is_found_by_its_name(tmp_path: Path) -> None:
    """A wrong name is answered with the nearest, and all that there are."""
    path = write(tmp_path / "a.json", document(export(name="daily"), export(name="weekly", data=1)))
    assert load_export(path, "daily").pointer == POINTER
    with pytest.raises(UnknownExportError, match=r"no export 'dayly'. Allowed: daily, weekly. Did you mean 'daily'\?"):
        load_export(path, "dayly")
    with pytest.raises(DocumentError, match="data is 1"):
        load_export(path, "weekly")
    with pytest.raises(DocumentError, match="no JSON"):
        load_export(write(tmp_path / "b.json", "{"), "daily")


def test_a_variable_names_the_document() -> None:
    """Without it the DAG files and `verify` look where Airflow's configuration says."""
    assert named_document({"BIFROST_EXPORT_CONFIG": "/etc/x.json"}) == Path("/etc/x.json")
    assert named_document({"BIFROST_EXPORT_CONFIG": "~/x.json"}) == Path("~/x.json").expanduser()
    assert named_document({"BIFROST_EXPORT_CONFIG": ""}) is None
    assert named_document({"AIRFLOW_HOME": "/air"}) is None


def test_an_extension_that_cant_be_imported_breaks_its_exports_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others stand, and the fault is told at the type."""
    monkeypatch.setitem(DESTINATIONS.built_in, "odd", "no_such_module:Destination")
    found = loaded(tmp_path, document(export(), export(name="b", destination={"type": "odd", "config": {}})))
    assert [each.export is not None for each in found.exports] == [True, False]
    (problem,) = found.problems
    assert "can't be loaded: ModuleNotFoundError" in problem.message


def test_a_document_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    """As some editors write it."""
    (tmp_path / "a.json").write_text(json.dumps(document()), "utf-8-sig")
    assert load(tmp_path / "a.json").problems == []


FULL = document(
    {
        **to_s3(credentials={"access_key_id": "${A}", "secret_access_key": "${B}"}, tags={"a": "b"}, verify="full"),
        "data": {"filters": {"date_range": {"start": "2026-03-01", "end": "2026-03-02"}, "status_codes": [200]}},
        "source": {"type": "sqlite", "config": {"path": "a.db"}},
    },
    logs_store={"type": "sqlite", "config": {"path": "b.db"}},
    client={"log_retention_days": 3},
)
PLACES = [pointer for pointer, _ in walk(FULL) if pointer]


@given(st.sampled_from(PLACES), VALUES)
def test_bad_content_never_raises(tmp_path_factory: pytest.TempPathFactory, pointer: str, value: Any) -> None:
    """Any JSON in any place is taken, or told with a place and a value that are JSON too."""
    changed = json.loads(json.dumps(FULL))
    *steps, last = (int(step) if step.isdecimal() else step for step in pointer.split("/")[1:])
    holder = changed
    for step in steps:
        holder = holder[step]
    holder[last] = value
    found = loaded(tmp_path_factory.getbasetemp(), changed, "fuzzed.json")
    assert len({each.dag_id for each in found.exports}) == len(found.exports)
    for problem in found.problems:
        assert problem.line is not None
        json.dumps(problem.to_json())
        str(problem).encode()
