"""Files and code that a document or its folder leads to: what is read, what is shown, and what is imported."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from bifrost_export.airflow.broken_export import TAG
from bifrost_export.airflow.dag_factory import build_dags, config_errors
from bifrost_export.cli.group import execute
from bifrost_export.config.loader import load
from tests.unit.config.documents import document, export

CANARY = "canary7f3a91"
GOOD = document(export(name="good"))
NO_DOCUMENTS = {
    "text.yaml": CANARY,
    "key.json": f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n",
    "open.yaml": f'{CANARY}_KEY: "{CANARY}\n x',
    "other.json": json.dumps({CANARY: CANARY}),
    "almost.json": json.dumps({"log_export": {CANARY: CANARY}}),
    "list.json": json.dumps([CANARY]),
    "string.json": json.dumps(CANARY),
    "number.yaml": "42424242",
    "environ.json": f"A={CANARY}\0B={CANARY}",
    "binary.json": f"\xff\xfe{CANARY}",
    "comment.json": f"# {CANARY}",
    "alias.yaml": f"password: *{CANARY}",
    "tag.yaml": f"!{CANARY} x",
    "twice.yaml": f"{CANARY}: 1\n{CANARY}: 2",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of documents, in which one is good."""
    made = tmp_path / "documents"
    made.mkdir()
    (made / "good.json").write_text(json.dumps(GOOD))
    return made


def told_of(path: Path, capfd: pytest.CaptureFixture[str]) -> str:
    """All that is shown of a document or folder, by the command line and in Airflow."""
    execute(["validate", str(path)])
    execute(["validate", str(path), "--format", "json"])
    shown = capfd.readouterr()
    dags = build_dags(path).values()
    tasks = [str(task.problems) for dag in dags for task in dag.tasks if hasattr(task, "problems")]
    return "\n".join([shown.out, shown.err, *config_errors(path), *(str(dag.doc_md) for dag in dags), *tasks])


@pytest.mark.parametrize("name", NO_DOCUMENTS)
def test_nothing_is_shown_of_a_file_that_is_not_a_document(
    name: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither a value nor a key, and the good document beside it stands."""
    (folder / name).write_text(NO_DOCUMENTS[name], "latin-1")
    told = told_of(folder, capfd)
    assert name in told
    assert CANARY not in told
    assert "42424242" not in told
    assert [each.name for each in load(folder).exports if each.export is not None] == ["good"]


def test_a_document_that_can_not_be_read_is_shown_at_its_place(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """With its secrets masked."""
    (folder / "bad.json").write_text(
        f'{{"log_exports": {{"exports": [{{"name": "x", "secret": "{CANARY}" "a": 1}}]}}}}'
    )
    execute(["validate", str(folder)])
    shown = capfd.readouterr().out
    assert '1 | {"log_exports"' in shown
    assert CANARY not in shown


@pytest.mark.parametrize("way", ["file", "relative", "chain", "through a folder"])
def test_a_link_that_leaves_the_folder_is_refused(way: str, folder: Path, tmp_path: Path) -> None:
    """Whatever it leads to, also where that is a document."""
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "other.json").write_text(json.dumps(document(export(name=CANARY))))
    link = folder / "link.json"
    if way == "file":
        link.symlink_to(outside / "other.json")
    elif way == "relative":
        link.symlink_to("../elsewhere/other.json")
    elif way == "chain":
        (folder / ".first").symlink_to(outside / "other.json")
        link.symlink_to(".first")
    else:
        (folder / "sub").symlink_to(outside)
        link.symlink_to("sub/../elsewhere/other.json")
    found = load(folder)
    [problem] = found.errors
    assert problem.file == "link.json"
    assert "link that leaves the folder" in problem.message
    assert [each.name for each in found.exports if each.export is not None] == ["good"]


def test_links_inside_the_folder_are_followed_and_so_is_the_folder_itself(folder: Path, tmp_path: Path) -> None:
    """As Kubernetes mounts a ConfigMap."""
    (folder / "..2026").mkdir()
    (folder / "..2026" / "mounted.json").write_text(json.dumps(document(export(name="mounted"))))
    (folder / "..data").symlink_to("..2026")
    (folder / "mounted.json").symlink_to("..data/mounted.json")
    (tmp_path / "configured").symlink_to(folder)
    for path in (folder, tmp_path / "configured"):
        found = load(path)
        assert found.errors == []
        assert sorted(str(each.name) for each in found.exports) == ["good", "mounted"]


@pytest.mark.parametrize(
    "data",
    [
        {"format": {"type": "unittest.__main__:x"}},
        {"format": "unittest.__main__:x"},
        {"transformations": [{"type": "unittest.__main__:x"}]},
        {"transformations": [{"type": "python", "callable": "unittest.__main__:main"}]},
    ],
    ids=str,
)
def test_code_that_nobody_allows_is_not_imported(
    data: dict[str, object], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its export is broken, and the others stand."""
    monkeypatch.delenv("BIFROST_EXPORT_CODE")
    monkeypatch.delitem(sys.modules, "unittest.__main__", raising=False)
    (folder / "code.json").write_text(json.dumps(document(export(name="code", data=data))))
    dags = build_dags(folder)
    assert "unittest.__main__" not in sys.modules
    assert sorted(dags) == ["bifrost_export__code", "bifrost_export__good"]
    assert TAG in dags["bifrost_export__code"].tags
    assert "BIFROST_EXPORT_CODE" in " ".join(config_errors(folder))


@pytest.mark.parametrize("how", ["raise SystemExit", "raise GeneratorExit", "raise ValueError", "import no_such_one"])
def test_an_allowed_module_that_fails_breaks_its_export_alone(
    how: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it ends."""
    (tmp_path / "bad_module_of_ours.py").write_text(how)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("BIFROST_EXPORT_CODE", "bad_module_of_ours")
    exports = [export(name=f"bad{number}", data=data) for number, data in enumerate(BAD)]
    (folder / "code.json").write_text(json.dumps(document(*exports, export(name="beside"))))
    dags = build_dags(folder)
    broken = {dag_id for dag_id, dag in dags.items() if TAG in dag.tags}
    assert broken == {"bifrost_export__bad0", "bifrost_export__bad1"}
    assert {"bifrost_export__good", "bifrost_export__beside"} <= set(dags)


BAD = ({"format": {"type": "bad_module_of_ours:X"}}, {"transformations": [{"type": "bad_module_of_ours:X"}]})
ODD = {
    "400 digits": "9" * 400,
    "5,000 digits": "9" * 5_000,
    "negative": "-" + "9" * 400,
    "65 bits": str(2**64),
    "an exponent": "1e999",
    "a fraction": "1." + "9" * 5_000,
    "half a pair": '"\\ud800"',
    "101 levels": "[" * 101 + "]" * 101,
    "100,000 levels": "[" * 100_000 + "]" * 100_000,
    "objects": '{"a":' * 200 + "1" + "}" * 200,
}
WHERE = (
    '"retries": %s',
    '"nothing": %s',
    '"retries": %s, "nothing": 1',
    '"pool": %s',
    '"tags": [%s]',
)


@pytest.mark.parametrize("inside", WHERE)
@pytest.mark.parametrize("odd", ODD)
def test_a_value_beyond_bounds_breaks_its_export_alone(odd: str, inside: str, folder: Path) -> None:
    """Wherever it stands, and whatever else is wrong there."""
    text = json.dumps(document(export(name="bad", airflow={"@": "@"}), export(name="beside")))
    (folder / "odd.json").write_text(text.replace('"@": "@"', inside.replace("%s", ODD[odd])))
    dags = build_dags(folder)
    assert set(dags) == {"bifrost_export__bad", "bifrost_export__beside", "bifrost_export__good"}
    assert [dag_id for dag_id, dag in dags.items() if TAG in dag.tags] == ["bifrost_export__bad"]


@pytest.mark.parametrize("value", ["9" * 400, "-" + "9" * 5_000, "1.0e+999", "[" * 101 + "]" * 101])
def test_a_value_of_yaml_beyond_bounds_breaks_its_export_alone(value: str, folder: Path) -> None:
    """As in JSON."""
    good = "schedule: daily, destination: {type: local, config: {path: out}}"
    bad = f"{{name: bad, {good}, airflow: {{retries: {value}, nothing: 1}}}}"
    (folder / "odd.yaml").write_text(f"log_exports: {{exports: [{bad}, {{name: beside, {good}}}]}}")
    dags = build_dags(folder)
    assert set(dags) == {"bifrost_export__bad", "bifrost_export__beside", "bifrost_export__good"}
    assert [dag_id for dag_id, dag in dags.items() if TAG in dag.tags] == ["bifrost_export__bad"]
