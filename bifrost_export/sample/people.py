"""Who the sample's requests come from: keys, virtual keys, teams, customers, people, sessions, clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bifrost_export.sample.arrays import mixed, texts, uuids
from bifrost_export.sample.catalog import APPS, BUSINESS_UNITS, CUSTOMERS, PROJECTS, TEAMS, USERS

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.sample.traffic import Traffic

_KEYS_OF_A_CUSTOMER = 3
_MANY = 50
"""Every so many-th customer belongs to several, and has the arrays filled in place of the single id."""


def _customer_id(number: int) -> str:
    return f"cust_{(number + 1) * 2654435761 % 2**32:08x}"


def _shared(number: int) -> bool:
    return number % _MANY == _MANY - 1


_ALL = range(CUSTOMERS)
_IDS = [None if _shared(number) else _customer_id(number) for number in _ALL]
_NAMES = [None if _shared(number) else f"Customer {number}" for number in _ALL]
_ID_LISTS = [f'["{_customer_id(number)}","cust_shared"]' if _shared(number) else None for number in _ALL]
_NAME_LISTS = [f'["Customer {number}","Shared"]' if _shared(number) else None for number in _ALL]
_BUDGETS = [f'["budget-{number:04d}"]' if number % 3 == 0 else None for number in _ALL]
_LIMITS = [f'["limit-{number % 5}"]' if number % 2 == 0 else None for number in _ALL]
_VIRTUAL_KEYS = [(number, key) for number in _ALL for key in range(_KEYS_OF_A_CUSTOMER)]
_PEOPLE = [(number, user) for number in _ALL for user in range(USERS)]


def owners(traffic: Traffic) -> dict[str, pa.Array]:
    """Columns that both tables have: virtual key, team, customer, business unit, project, person, client."""
    customer = traffic.customer
    known = customer >= 0
    key = np.where(known, customer * _KEYS_OF_A_CUSTOMER + traffic.user % _KEYS_OF_A_CUSTOMER, -1)
    team = np.where(known, customer % len(TEAMS), -1)
    unit = np.where(known, customer % len(BUSINESS_UNITS), -1)
    project = np.where(known & (traffic.user % 2 == 0), customer % len(PROJECTS), -1)
    # Only some customers' gateways know who the people are.
    person = np.where(known & (customer % 5 < 3), customer * USERS + traffic.user, -1)
    return {
        "virtual_key_id": texts([f"vk-{number:04d}-{each}" for number, each in _VIRTUAL_KEYS], key),
        "virtual_key_name": texts([f"customer {number}, key {each}" for number, each in _VIRTUAL_KEYS], key),
        "user_id": texts([f"user-{number:04d}-{each}" for number, each in _PEOPLE], person),
        "user_name": texts([f"User {each} of customer {number}" for number, each in _PEOPLE], person),
        "team_id": texts([f"team-{name.replace(' ', '-')}" for name in TEAMS], team),
        "team_name": texts(TEAMS, team),
        "customer_id": texts(_IDS, customer),
        "customer_name": texts(_NAMES, customer),
        "customer_ids": texts(_ID_LISTS, customer),
        "customer_names": texts(_NAME_LISTS, customer),
        "business_unit_id": texts([f"bu-{name}" for name in BUSINESS_UNITS], unit),
        "business_unit_name": texts(BUSINESS_UNITS, unit),
        "project_id": texts([f"project-{name}" for name in PROJECTS], project),
        "project_name": texts(PROJECTS, project),
        "budget_ids": texts(_BUDGETS, customer),
        "rate_limit_ids": texts(_LIMITS, customer),
        "app": texts([app for app, _ in APPS], traffic.app),
        "user_agent": texts([agent for _, agent in APPS], traffic.app),
    }


def emails(traffic: Traffic) -> pa.Array:
    """`user_email` of `logs`: of every other one whose name is known."""
    customer = traffic.customer
    person = np.where((customer >= 0) & (customer % 5 < 3) & (customer % 2 == 0), customer * USERS + traffic.user, -1)
    return texts([f"user{each}@customer{number}.example" for number, each in _PEOPLE], person)


def sessions(traffic: Traffic) -> pa.Array:
    """`session_id` of `logs`: what one person asks by one client within twenty minutes."""
    return uuids(mixed(traffic.session), traffic.session < 0)
