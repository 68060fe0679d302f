"""Windows whose rows Bifrost's retention may have deleted are warned of."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from bifrost_export.cli.group import execute
from tests.integration.commands import Desk

DAY = ("--export", "nightly", "--window-start", "2026-03-01", "--window-end", "2026-03-02")
RETENTION = {"client": {"log_retention_days": 30}}


def test_a_window_beyond_the_retention_is_warned_of(desk: Desk) -> None:
    """`run` on standard error, `plan` and `validate` among what they print."""
    document = Path(desk.document)
    text = json.dumps({**json.loads(document.read_text()), **RETENTION})
    (desk.folder / "bifrost.json").write_text(text)

    def ask(command: str, *arguments: str) -> tuple[int, str, str]:
        code = execute([command, str(desk.folder / "bifrost.json"), *arguments])
        printed = desk.capsys.readouterr()
        return code, printed.out, printed.err

    told = "lies entirely beyond client.log_retention_days = 30"
    code, out, err = ask("run", *DAY, "--format", "json")
    assert (code, told in err) == (0, True)
    with closing(sqlite3.connect(desk.log_store)) as connection, connection:
        connection.execute("DELETE FROM logs")
    code, out, err = ask("run", *DAY, "--format", "json")
    assert (code, "client.log_retention_days = 30" in json.loads(out)["error"]["message"]) == (1, True)

    code, out, _ = ask("plan", "--from", "2026-03-01", "--count", "2", "--format", "json")
    assert (code, [told in each for each in json.loads(out)["exports"][0]["warnings"]]) == (0, [True, True])
    assert told in ask("plan", "--from", "2026-03-01", "--count", "1")[1]
    code, out, _ = ask("plan", "--from", "2026-03-01", "--count", "50", "--format", "json")
    assert "50 windows" in json.loads(out)["exports"][0]["warnings"][0]
    code, out, _ = ask("plan", "--format", "json")
    assert "warnings" not in json.loads(out)["exports"][0]
    assert json.loads(ask("validate", "--format", "json")[1])["problems"] == []


def test_validate_warns_of_a_schedule_that_outlives_the_retention(desk: Desk) -> None:
    """A monthly window has lost its first rows before it ends."""
    desk.schedule = {"frequency": "monthly", "day": 1}
    path = Path(desk.document)
    path.write_text(json.dumps({**json.loads(path.read_text()), "client": {"log_retention_days": 7}}))

    code = execute(["validate", str(path), "--format", "json"])

    (problem,) = json.loads(desk.capsys.readouterr().out)["problems"]
    assert (code, problem["severity"], problem["pointer"]) == (0, "warning", "/log_exports/exports/0/schedule")
    assert "partly beyond client.log_retention_days = 7" in problem["message"]
