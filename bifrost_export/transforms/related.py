"""Which columns hold the same values: what is masked in one of them is masked in all (contract, section 6)."""

from __future__ import annotations

from typing import Final, Literal

Shape = Literal["text", "list", "object"]
"""How a column holds values: as they are, as a JSON array of them, or under keys of a JSON object."""

SHAPES: Final[dict[str, Shape]] = {
    "customer_ids": "list",
    "customer_names": "list",
    "team_ids": "list",
    "team_names": "list",
    "business_unit_ids": "list",
    "business_unit_names": "list",
    "attributes": "object",
}
"""Columns that hold more than one value in one text; any other one holds the value itself."""

SAME: Final[tuple[tuple[str, ...], ...]] = (
    ("request_id", "parent_request_id", "trace_id", "span_id", "parent_span_id"),
    ("customer_id", "customer_ids"),
    ("customer_name", "customer_names"),
    ("team_id", "team_ids"),
    ("team_name", "team_names"),
    ("business_unit_id", "business_unit_ids"),
    ("business_unit_name", "business_unit_names"),
)
"""Columns that hold the same kind of id or name; each stands in for all of its group."""

ATTRIBUTES: Final[dict[str, tuple[str, ...]]] = {
    "request_id": ("bifrost.request_id", "bifrost.parent_request_id", "gen_ai.response.id"),
    "customer_id": ("bifrost.customer_id", "bifrost.customer_ids"),
    "customer_name": ("bifrost.customer_name", "bifrost.customer_names"),
    "team_id": ("bifrost.team_id", "bifrost.team_ids"),
    "team_name": ("bifrost.team_name", "bifrost.team_names"),
    "business_unit_id": ("bifrost.business_unit_id", "bifrost.business_unit_ids"),
    "business_unit_name": ("bifrost.business_unit_name", "bifrost.business_unit_names"),
    "user_id": ("bifrost.user_id", "enduser.id", "user.id"),
    "user_name": ("bifrost.user_name", "user.name"),
    "user_email": ("bifrost.user_email", "user.email"),
    "session_id": ("bifrost.session_id", "gen_ai.conversation.id", "session.id"),
    "virtual_key_id": ("bifrost.virtual_key_id",),
    "virtual_key_name": ("bifrost.virtual_key_name",),
}
"""Keys of a span's `attributes` that hold what a column of that name holds."""


def same_as(field: str) -> tuple[str, ...]:
    """The columns that hold the values of a field, itself first."""
    group = next((each for each in SAME if field in each), ())
    return (field, *(each for each in group if each != field))


def attributes_of(field: str) -> tuple[str, ...]:
    """The keys of a span's attributes that hold the values of a field."""
    found = (key for name in same_as(field) for key in ATTRIBUTES.get(name, (f"bifrost.{name}",)))
    return tuple(dict.fromkeys(found))
