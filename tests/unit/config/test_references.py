"""References: where they may stand, and what becomes of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from bifrost_export.config.references.resolver import BUILTINS, Resolver
from bifrost_export.errors import ConfigError, ForbiddenReferenceError, MissingReferenceError
from bifrost_export.fields.markers import ConnectionText, LiteralText, PathText, Secret, Strict
from bifrost_export.fields.reference_text import is_broken, is_literal, references_in
from tests.unit.config.documents import POINTER, document, export, loaded, problem_at, to_s3

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True).filter(
    lambda name: name not in BUILTINS and not name.startswith("AIRFLOW_")
)
PLAIN = st.text(st.characters(exclude_characters="$", exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=20)


class Inner(Strict):
    """What is nested."""

    secret: Secret | None = Field(default=None, description="A secret.")


class Config(Strict):
    """One field of each kind."""

    text: str = Field(default="", description="A text.")
    host: ConnectionText = Field(default="", description="Where to connect to.")
    path: PathText = Field(default="", description="A path.")
    word: LiteralText = Field(default="", description="A word.")
    inner: Inner | None = Field(default=None, description="An object.")
    tags: dict[str, str] = Field(default={}, description="Texts by name.")
    count: int = Field(default=0, description="A number.")


def resolve(value: Any, builtins: dict[str, str] | None = None, **environ: str) -> Any:
    """A config with these variables."""
    return Resolver(environ, builtins, Path("/etc/bifrost/doc.json")).resolve(value, Config, "/config")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${A}", "1"),
        ("x${A}y${B}z", "x1y2z"),
        ("${A:-9}", "1"),
        ("${NONE:-9}", "9"),
        ("${NONE:-}", ""),
        ("${EMPTY:-9}", "9"),
        ("${EMPTY}", ""),
        ("env.A", "1"),
        ("my env.A", "my env.A"),
        ("$A", "$A"),
    ],
)
def test_what_becomes_of_a_text(text: str, value: str) -> None:
    """References stand anywhere in it; Bifrost's own kind is the whole text."""
    assert resolve({"host": text}, A="1", B="2", EMPTY="") == {"host": value}


def test_a_value_that_looks_like_a_reference_is_not_one() -> None:
    """Texts are filled in once."""
    assert resolve({"host": "${A}"}, A="${B}", B="no") == {"host": "${B}"}


def test_what_is_no_text_stays_as_it_is() -> None:
    """And the config that was given is not changed."""
    given_ = {"count": 3, "inner": None, "tags": {"a": "${BIFROST_EXPORT_VALUE_X}"}}
    assert resolve(given_, BIFROST_EXPORT_VALUE_X="x") == {"count": 3, "inner": None, "tags": {"a": "x"}}
    assert given_["tags"] == {"a": "${BIFROST_EXPORT_VALUE_X}"}


@given(st.lists(st.tuples(PLAIN, NAMES, PLAIN)))
def test_texts_are_put_together_from_their_pieces(pieces: list[tuple[str, str, str]]) -> None:
    """Whatever the variables hold."""
    environ = {name: value for _, name, value in pieces}
    text = "".join(f"{before}${{{name}}}" for before, name, _ in pieces)
    wanted = "".join(f"{before}{environ[name]}" for before, name, _ in pieces)
    assert Resolver(environ).resolve({"host": text}, Config, "") == {"host": wanted}
    assert [name for name, _ in references_in(text)] == [name for _, name, _ in pieces]
    assert not is_broken(text)


@given(PLAIN)
def test_a_text_without_references_is_left_alone(text: str) -> None:
    """But for Bifrost's kind."""
    if not list(references_in(text)):
        assert resolve({"host": text}) == {"host": text}
        assert is_literal(text) == bool(text)


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("", False),
        ("${A}", False),
        ("${A}${B}", False),
        ("env.A", False),
        ("${A:-}", False),
        ("x", True),
        ("x${A}", True),
        ("${A:-x}", True),
        ("${A", True),
        ("env.A ", True),
    ],
)
def test_a_text_is_literal_when_any_of_it_stands_in_the_document(text: str, literal: bool) -> None:
    """A default does too."""
    assert is_literal(text) is literal


@pytest.mark.parametrize("written", ["${NONE}", "env.NONE"])
def test_a_missing_one_names_itself_as_written_and_its_place(written: str) -> None:
    """And what to do."""
    with pytest.raises(
        MissingReferenceError, match=rf"{re.escape(written)} in /config/inner/secret has no value\. Set"
    ):
        resolve({"inner": {"secret": written}})


@pytest.mark.parametrize("name", ["AIRFLOW__CORE__FERNET_KEY", "AIRFLOW_CONN_X"])
@pytest.mark.parametrize("key", ["host", "path"])
def test_airflows_own_variables_are_never_read(key: str, name: str) -> None:
    """Not even to say where to connect to."""
    with pytest.raises(ForbiddenReferenceError, match="names a variable of Airflow's own"):
        Resolver({name: "canary"}).resolve({key: f"${{{name}:-x}}"}, Config, "")


def test_values_take_builtins_and_what_the_administrator_allows() -> None:
    """`BIFROST_EXPORT_VALUE_*`, or the patterns of a variable; they end in what is exported."""
    assert resolve({"text": "${BIFROST_EXPORT_VALUE_A}"}, BIFROST_EXPORT_VALUE_A="1") == {"text": "1"}
    assert resolve({"text": "${RUN_ID}"}, {"RUN_ID": "r"}, RUN_ID="no") == {"text": "r"}
    with pytest.raises(ForbiddenReferenceError, match=r"may not stand in /config/text.*match BIFROST_EXPORT_VALUE_\*"):
        resolve({"text": "${HOME}"}, HOME="/root")
    with pytest.raises(ForbiddenReferenceError):
        resolve({"text": "env.HOME"}, HOME="/root")
    assert resolve({"text": "${TEAM_A}"}, BIFROST_EXPORT_ENV="HOST, TEAM_*", TEAM_A="1") == {"text": "1"}
    with pytest.raises(ForbiddenReferenceError, match=r"match HOST, TEAM_\*"):
        resolve({"text": "${BIFROST_EXPORT_VALUE_A}"}, BIFROST_EXPORT_ENV="HOST, TEAM_*", BIFROST_EXPORT_VALUE_A="1")


@pytest.mark.parametrize(
    "name", ["BIFROST_ANONYMIZE_KEY", "BIFROST_LOG_STORE", "BIFROST_EXPORT_CONFIG", "BIFROST_TEAM"]
)
def test_the_packages_own_variables_are_not_values(name: str) -> None:
    """The key that anonymizes and the address of the log store never stand in a row."""
    with pytest.raises(ForbiddenReferenceError, match="may not stand"):
        resolve({"text": f"${{{name}}}"}, **{name: "canary"})


@pytest.mark.parametrize("name", ["AIRFLOW_VAR_STRIPE", "AIRFLOW__CORE__FERNET_KEY", "AIRFLOW_CONN_X", "airflow_var_x"])
@pytest.mark.parametrize("where", ["text", "host", "path", "inner"])
def test_no_place_takes_a_variable_of_airflows(where: str, name: str) -> None:
    """Whatever patterns an administrator has set."""
    value: Any = {"secret": f"${{{name}}}"} if where == "inner" else f"${{{name}}}"
    with pytest.raises(ForbiddenReferenceError, match="Airflow's own"):
        resolve({where: value}, BIFROST_EXPORT_ENV="*", **{name: "canary"})


SECRETS = ("STRIPE_KEY", "DB_PASSWORD", "GITHUB_TOKEN", "my_secret", "GCP_CREDENTIALS", "PrivateThing", "MYSQL_PASSWD")
SECRETS = (*SECRETS, "APIKEY", "KEY", "AWS_ACCESS_KEY_ID", "BIFROST_LOG_STORE", "TOKENS", "SSH_KEYS")
PLACES = ("AZURE_ACCOUNT_NAME", "BUCKET", "KMS_KEY_ID", "KEYCLOAK_HOST", "MONKEY_BUCKET", "AIRFLOW_CTX_DAG_ID", "HOME")


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("key", ["host", "path"])
def test_a_place_takes_no_variable_with_the_name_of_a_secret(key: str, name: str) -> None:
    """Places are shown: in requests, logs and manifests."""
    with pytest.raises(ForbiddenReferenceError, match="has the name of a secret"):
        resolve({key: f"x${{{name}:-}}"}, **{name: "canary"})
    assert resolve({"inner": {"secret": f"${{{name}}}"}}, **{name: "s"}) == {"inner": {"secret": "s"}}


@pytest.mark.parametrize("name", PLACES)
def test_a_place_takes_other_variables(name: str) -> None:
    """An account's name is no secret."""
    assert resolve({"host": f"${{{name}}}"}, **{name: "x"}) == {"host": "x"}


@pytest.mark.parametrize("key", ["host", "path"])
def test_a_place_takes_no_address_with_a_password(key: str) -> None:
    """Whatever its variable is called; what the document itself says is its own matter."""
    with pytest.raises(
        ForbiddenReferenceError, match=r"\$\{DATABASE_URL\}.*brings an address with a password"
    ) as refused:
        resolve({key: "${DATABASE_URL}"}, DATABASE_URL="postgresql://me:canary@db/x")
    assert "canary" not in str(refused.value)


def test_a_word_takes_none() -> None:
    """Not even a built-in."""
    with pytest.raises(ForbiddenReferenceError, match="where none may"):
        resolve({"word": "${RUN_ID}"}, {"RUN_ID": "r"})


def test_a_path_is_taken_from_the_documents_folder() -> None:
    """Unless it is absolute."""
    assert resolve({"path": "${P}/x"}, P="logs") == {"path": "/etc/bifrost/logs/x"}
    assert resolve({"path": "${P}/x"}, P="/var") == {"path": "/var/x"}


def test_secrets_are_told_when_they_are_filled_in() -> None:
    """So that they can be masked; other texts are not."""
    told: list[str] = []
    resolver = Resolver({"S": "canary", "H": "host"}, on_secret=told.append)
    resolver.resolve({"host": "${H}", "inner": {"secret": "${S}"}}, Config, "")
    assert told == ["canary"]


def test_a_literal_secret_is_read_from_the_document(tmp_path: Path) -> None:
    """As the document has it now, with its own references filled in; a byte order mark does no harm."""
    path = tmp_path / "a.json"
    path.write_text('{"x/y": [{"s": "pre${A}"}]}', "utf-8-sig")
    resolver = Resolver({"A": "1"}, document=path)
    assert resolver.resolve({"inner": {"secret": {"$document": "/x~1y/0/s"}}}, Config, "") == {
        "inner": {"secret": "pre1"}
    }


@pytest.mark.parametrize("text", ["{}", '{"s": 1}', '{"s": {"t": "x"}}', "{", None])
def test_a_literal_secret_that_is_gone_is_told(text: str | None, tmp_path: Path) -> None:
    """With what to do, and nothing of the document."""
    path = tmp_path / "a.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=r"any more|can't be read"):
        Resolver({}, document=path).resolve({"inner": {"secret": {"$document": "/s"}}}, Config, "")


def test_a_reference_where_none_may_stand_is_told_of_the_document(tmp_path: Path) -> None:
    """Before anything runs; no variable is read for that."""
    found = loaded(tmp_path, document(export(data={"filters": {"providers": ["${BIFROST_P}"]}})))
    assert "where none may" in problem_at(found, f"{POINTER}/data/filters/providers/0").message
    found = loaded(tmp_path, document(to_s3(bucket="${AIRFLOW__X}")))
    assert "Airflow's own" in problem_at(found, f"{POINTER}/destination/config/bucket").message


@pytest.mark.parametrize("text", ["${", "a${}", "${1A}", "${A", "${A-B}", "${A:-x"])
def test_what_begins_no_reference_is_told(text: str, tmp_path: Path) -> None:
    """A bucket of that name is not meant."""
    problem = problem_at(loaded(tmp_path, document(to_s3(bucket=text))), f"{POINTER}/destination/config/bucket")
    assert problem.message == "a '${' stands here that begins no reference"


def test_a_literal_secret_is_a_warning_that_doesnt_tell_it(tmp_path: Path) -> None:
    """The export runs all the same."""
    keys = {"access_key_id": "canary", "secret_access_key": "${S}"}
    found = loaded(tmp_path, document(to_s3(credentials=keys)))
    problem = problem_at(found, f"{POINTER}/destination/config/credentials/access_key_id")
    assert (problem.severity, problem.value) == ("warning", "***")
    assert found.exports[0].export is not None
