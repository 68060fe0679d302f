"""AWS's policies as JSON."""

from __future__ import annotations

from typing import Any


def allow(name: str, actions: list[str], resources: list[str]) -> dict[str, Any]:
    """A statement.

    Args:
        name: Its `Sid`.
        actions: What is allowed.
        resources: On what, as ARNs.
    """
    return {"Sid": name, "Effect": "Allow", "Action": actions, "Resource": resources}


def policy_of(statements: list[dict[str, Any]]) -> dict[str, Any]:
    """The policy of these statements."""
    return {"Version": "2012-10-17", "Statement": statements}
