"""A format of one's own is checked before any row is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from bifrost_export.config.models.file_formats import format_kind
from bifrost_export.errors import ConfigError
from bifrost_export.formats.json_lines import JSONFormat
from tests.unit.config.documents import POINTER, document, export, loaded, problem_at, to_s3


class Fine(JSONFormat):
    """As the built-in one."""

    ending: ClassVar[str] = ".my-rows"


class OtherDefault(JSONFormat):
    """Its default is none of its compressions."""

    default_compression: ClassVar[str] = "rar"


class Elsewhere(JSONFormat):
    """Its files would stand in another folder."""

    ending: ClassVar[str] = "/../x"


class NoEnding(JSONFormat):
    """It fails when it is asked."""

    def extension(self, compression: str) -> str:
        """Never tells."""
        raise KeyError(compression)


class NoWriting:
    """It lacks most of what a format has."""

    kind: ClassVar[str] = "nothing"


def path_of(kind: type) -> str:
    """How a document names a class of this file."""
    return f"{__name__}:{kind.__name__}"


def test_a_class_like_the_built_in_ones_is_taken(tmp_path: Path) -> None:
    """As a word and as an object."""
    assert format_kind(path_of(Fine)) is Fine
    for written in (path_of(Fine), {"type": path_of(Fine)}):
        found = loaded(tmp_path, document(export(data={"format": written, "compression": "zstd"})))
        assert found.problems == []
        assert found.exports[0].good.data.format == path_of(Fine)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (OtherDefault, "is no format"),
        (NoWriting, "is no format"),
        (Elsewhere, "would end in '/../x"),
        (NoEnding, "can't tell how its files end: KeyError"),
    ],
)
def test_a_class_that_is_no_format_is_refused_in_words(kind: type, message: str, tmp_path: Path) -> None:
    """At its place in the document."""
    with pytest.raises(ConfigError, match=message):
        format_kind(path_of(kind))
    found = loaded(tmp_path, document(export(data={"format": {"type": path_of(kind)}})))
    assert message in problem_at(found, f"{POINTER}/data/format").message


def test_wrong_keys_and_references_of_an_object_are_told_at_their_place(tmp_path: Path) -> None:
    """No variable decides which class is loaded."""
    found = loaded(tmp_path, document(export(data={"format": {"type": "json", "typ": 1}})))
    assert problem_at(found, f"{POINTER}/data/format/typ").hint == "Did you mean 'type'?"
    found = loaded(tmp_path, document(export(data={"format": {"type": "${BIFROST_FORMAT}"}})))
    assert "where none may" in problem_at(found, f"{POINTER}/data/format/type").message
    found = loaded(tmp_path, document(export(data={"format": {}})))
    assert problem_at(found, f"{POINTER}/data/format").message == "the key 'type' is missing"


@pytest.mark.parametrize(("own", "taken_over"), [("json", True), ({"type": "json"}, True), ("csv", False)])
def test_a_default_compression_is_taken_over_for_the_same_format_in_either_form(
    own: Any, taken_over: bool, tmp_path: Path
) -> None:
    """`compression` belongs to a format."""
    defaults = {"data": {"format": {"type": "json"}, "compression": "zstd"}}
    content = document(to_s3())
    content["log_exports"]["defaults"] = defaults
    content["log_exports"]["exports"][0]["data"] = {"format": own}
    [entry] = loaded(tmp_path, content).exports
    assert entry.good.data.compression == ("zstd" if taken_over else None)


@pytest.mark.parametrize(
    "data",
    [
        {"format": "csv", "csv_safe": True},
        {"format": {"type": "csv", "csv_safe": True}},
        {"format": {"type": "csv", "csv_safe": True}, "csv_safe": True},
        {"format": {"type": "csv"}, "csv_safe": True},
    ],
)
def test_csv_safe_is_an_option_of_csv_in_either_place(tmp_path: Path, data: dict[str, Any]) -> None:
    """Beside the format, or inside it."""
    found = loaded(tmp_path, document(export(data=data)))
    assert found.problems == []
    assert (found.exports[0].good.data.format, found.exports[0].good.data.csv_safe) == ("csv", True)


def test_csv_safe_is_off_by_default(tmp_path: Path) -> None:
    """It changes values."""
    for data in ({"format": "csv"}, {"format": {"type": "csv", "csv_safe": False}}, {"csv_safe": False}):
        assert not loaded(tmp_path, document(export(data=data))).exports[0].good.data.csv_safe


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"csv_safe": True}, "csv_safe is an option of csv, and the format is parquet"),
        ({"format": "json", "csv_safe": True}, "csv_safe is an option of csv, and the format is json"),
        ({"format": {"type": "json", "csv_safe": True}}, "csv_safe is an option of csv, and the format is json"),
        (
            {"format": {"type": "csv", "csv_safe": True}, "csv_safe": False},
            "csv_safe is set twice, to different values",
        ),
        ({"format": "csv", "csv_safe": "yes"}, "csv_safe is 'yes'"),
        ({"format": {"type": "csv", "csv_safe": "yes"}}, "csv_safe is 'yes'"),
        ({"format": {"type": "csv", "csv_saef": True}}, "csv_saef"),
    ],
)
def test_csv_safe_elsewhere_is_refused(tmp_path: Path, data: dict[str, Any], told: str) -> None:
    """With what is wrong."""
    found = loaded(tmp_path, document(export(data=data)))
    assert any(told in problem.message for problem in found.errors), found.errors


def test_csv_safe_of_the_defaults_goes_with_their_format(tmp_path: Path) -> None:
    """An export in another format leaves it."""
    for written in ({"format": "csv", "csv_safe": True}, {"format": {"type": "csv", "csv_safe": True}}):
        whole = document(export(data={}))
        whole["log_exports"]["defaults"] = {"data": written}
        assert loaded(tmp_path, whole).exports[0].good.data.csv_safe
        whole = document(export(data={"format": "json"}))
        whole["log_exports"]["defaults"] = {"data": written}
        found = loaded(tmp_path, whole)
        assert (found.problems, found.exports[0].good.data.csv_safe) == ([], False)
