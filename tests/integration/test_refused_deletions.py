"""A store that keeps what a run wants to delete: retention, or no right to."""

from __future__ import annotations

import json

import pytest

from bifrost_export.destinations.local.store import LocalStore
from bifrost_export.destinations.object_store.port import DeletionRefusedError
from tests.integration.commands import Desk


def test_a_deletion_that_is_refused_is_told_once_and_tried_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key stays under `replaces`, also behind a run that changes nothing."""
    window = ("--export", "nightly", "--window-start", "2026-03-01", "--window-end", "2026-03-02")
    former = desk.run("2026-03-01", "2026-03-02")["datasets"]["request_logs"]["parts"][0]["key"]
    desk.data = {"max_rows_per_file": 400}

    delete = LocalStore.delete

    def refuse(store: LocalStore, key: str) -> None:
        if key == former:
            raise DeletionRefusedError("retention")
        delete(store, key)

    for _ in range(2):
        with monkeypatch.context() as patch:
            patch.setattr(LocalStore, "delete", refuse)
            code, out, err = desk.shown("run", *window)
        assert code == 0
        told = "".join((out + err).split())
        assert (told.count(former), told.count("couldnotbedeleted")) == (1, 1)
        manifest = json.loads(next(desk.out.rglob("_manifests/*/*.json")).read_text())
        assert (former in manifest["replaces"], manifest["confirmed_by"]) == (True, None)

    assert desk.run("2026-03-01", "2026-03-02")["unchanged"]
    assert not (desk.out / former).exists()
