"""`anonymize` against the standard library, value by value, and what it leaves nowhere."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.columns import Column
from bifrost_export.errors import ConfigError
from bifrost_export.transforms.masking import REDACTED
from tests.unit.transforms.requests import RECORD, ROWS, applied, row, transformation

KEYS = st.none() | st.text(st.characters(codec="utf-8"), min_size=1, max_size=80)
WIDE = (
    *RECORD,
    Column("customer_ids", "string", False, ""),
    Column("parent_request_id", "string", False, ""),
    Column("customer_name", "string", False, ""),
    Column("attributes", "string", False, ""),
)


def wide_row(**changes: Any) -> dict[str, Any]:
    """A request with extra columns."""
    extra = {"customer_ids": None, "parent_request_id": None, "customer_name": None, "attributes": None}
    return row(**(extra | changes))


def by_hashlib(key: str | None) -> Callable[[str], str]:
    """The hash as the standard library makes it."""
    if key is None:
        return lambda value: hashlib.sha256(value.encode()).hexdigest()
    return lambda value: hmac.new(key.encode(), value.encode(), hashlib.sha256).hexdigest()


@given(ROWS, KEYS, st.integers(1, 70))
def test_a_hash_is_that_of_the_standard_library(rows: list[dict[str, Any]], key: str | None, size: int) -> None:
    """HMAC-SHA-256 with the key, SHA-256 without; `''` stays, and so do all other columns."""
    config = {"type": "anonymize", "fields": ["customer_id", "request_id"], "method": "hash", "key": key}
    found = applied(rows, size, **config)

    hashed = by_hashlib(key)
    wanted = [
        each | {name: hashed(each[name]) if each[name] else "" for name in ("customer_id", "request_id")}
        for each in rows
    ]
    assert found == wanted


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_a_mask_keeps_the_last_four_characters_of_long_values_alone(value: str) -> None:
    """8 characters or fewer are masked whole; each hidden character becomes one `*`."""
    [found] = applied([row(customer_id=value)], type="anonymize", fields=["customer_id"], method="mask")
    masked = found["customer_id"]
    assert len(masked) == len(value)
    assert masked == ("*" * len(value) if len(value) <= 8 else "*" * (len(value) - 4) + value[-4:])


def test_redacting_emptying_and_dropping() -> None:
    """A constant, null in optional columns, and no column."""
    rows = [wide_row(customer_id="c", customer_name="Ann"), wide_row(customer_id="")]
    config = {"type": "anonymize", "given": WIDE}
    redacted = applied(rows, fields=["customer_id"], method="redact", **config)
    assert [each["customer_id"] for each in redacted] == [REDACTED, ""]
    emptied = applied(rows, fields=["customer_name", "cost_usd"], method="null", **config)
    assert [(each["customer_name"], each["cost_usd"]) for each in emptied] == [(None, None)] * 2
    dropped = applied(rows, fields=["customer_name", "latency_ms"], method="drop", **config)
    assert [set(rows[0]) - set(each) for each in dropped] == [{"customer_name", "latency_ms"}] * 2


def test_what_is_masked_is_masked_in_every_column_that_holds_it() -> None:
    """Arrays of customers, ids of parents, and attributes of spans; the hash is the same everywhere."""
    canary = "canary-customer"
    rows = [
        wide_row(
            customer_id=canary,
            request_id="canary-request",
            customer_ids=json.dumps([canary, "canary-second"]),
            parent_request_id="canary-request",
            attributes=json.dumps(
                {"bifrost.customer_id": canary, "gen_ai.response.id": "canary-request", "gen_ai.system": "openai"}
            ),
        )
    ]
    config = {"type": "anonymize", "fields": ["customer_id", "request_id"], "key": "secret"}
    [found] = applied(rows, given=WIDE, **config)

    assert "canary" not in json.dumps(found, default=str)
    hashed = by_hashlib("secret")
    assert json.loads(found["customer_ids"]) == [hashed(canary), hashed("canary-second")]
    assert found["parent_request_id"] == found["request_id"] == hashed("canary-request")
    assert json.loads(found["attributes"]) == {
        "bifrost.customer_id": found["customer_id"],
        "gen_ai.response.id": found["request_id"],
        "gen_ai.system": "openai",
    }


@pytest.mark.parametrize("method", ["hash", "mask", "redact", "drop"])
@pytest.mark.parametrize("text", ['["canary-a1", 5', "canary-plain", '{"a": "canary-b2"}', '"canary-c3"'])
def test_an_array_that_is_none_is_masked_as_a_whole(method: str, text: str) -> None:
    """Whatever stands in the column, nothing of it is left."""
    [found] = applied(
        [wide_row(customer_ids=text)], given=WIDE, type="anonymize", fields=["customer_id"], method=method
    )
    assert "canary" not in json.dumps(found, default=str)


def test_dropping_a_column_drops_what_holds_the_same() -> None:
    """`customer_ids` would tell what `customer_id` no longer does."""
    names = [
        each.name for each in transformation(type="anonymize", fields=["customer_id"], method="drop").columns(WIDE)
    ]
    assert not {"customer_id", "customer_ids"} & set(names)


def test_masking_the_array_masks_the_customer() -> None:
    """The group holds both ways: `customer_id` is the first of `customer_ids`."""
    made = transformation(type="anonymize", fields=["customer_ids"], key="k")
    assert made.masked(WIDE) == {"customer_id", "customer_ids", "attributes"}


@pytest.mark.parametrize(
    ("fields", "method", "message"),
    [
        (["latency_ms"], "hash", "works on text, and 'latency_ms' is int32"),
        (["cost_usd"], "mask", "works on text, and 'cost_usd' is double"),
        (["customer_id"], "null", "'customer_id' is required, and can't be null"),
    ],
)
def test_what_a_method_can_not_do_is_told(fields: list[str], method: str, message: str) -> None:
    """Before any row is read."""
    with pytest.raises(ConfigError, match=message):
        transformation(type="anonymize", fields=fields, method=method).columns(RECORD)


def test_the_id_of_a_rejected_row_is_masked_like_the_rows() -> None:
    """So that it can be found by whoever has the key, and by nobody else."""
    made = transformation(type="anonymize", fields=["request_id"], key="k")
    assert made.mask_value("request_id", "req_1") == by_hashlib("k")("req_1")
    assert made.mask_value("model", "gpt-4") == "gpt-4"
    assert transformation(type="anonymize", fields=["request_id"], method="drop").mask_value("request_id", "a") is None
