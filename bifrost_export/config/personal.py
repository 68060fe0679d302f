"""Columns that tell of the same person or party: masking one of them alone hides little."""

from __future__ import annotations

from collections.abc import Collection

_TWINS = (
    ("customer_id", "customer_ids", "customer_name", "customer_names"),
    ("user_id", "user_name", "user_email"),
    ("team_id", "team_ids", "team_name", "team_names"),
    ("business_unit_id", "business_unit_ids", "business_unit_name", "business_unit_names"),
    ("virtual_key_id", "virtual_key_name"),
    ("selected_key_id", "selected_key_name"),
    ("project_id", "project_name"),
)


def open_twins(masked: Collection[str], names: Collection[str]) -> list[tuple[str, str]]:
    """Columns that stand in the open beside a masked one: (the masked one, its twin)."""
    found = []
    for group in _TWINS:
        hidden = next((name for name in group if name in masked), None)
        if hidden is not None:
            found += [(hidden, name) for name in group if name in names and name not in masked]
    return found
