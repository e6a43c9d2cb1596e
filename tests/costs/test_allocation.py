"""Whose a charge is, step by step; and shared cost, of which nothing is lost in splitting."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.allocation import Allocated, Catalogue, Key, Shared, allocate, split
from costs.money import added, plain
from platform_risk.core.ownership import Rule

KNOWN = Catalogue(
    rules=[(Rule(1, "account", "prod-*", 10), None), (Rule(2, "tag", "team=core", 11), 7)],
    shared=[Shared(5, "namespace", "kube-*", "even"), Shared(6, "tag", "shared", "even")],
    services={"cart": (7, 12), "search": (8, None)},
    teams={"payments": 12},
    environments={"production": 3},
)


def key(account: str = "dev", namespace: str = "", group: str = "", **tags: str) -> Key:
    return Key(account, "EC2", group, namespace, tags)


@pytest.mark.parametrize(
    ("charge", "expected"),
    [
        (key(), Allocated()),
        (key("prod-1"), Allocated(team=10, team_from="rule")),
        # A rule of one service is tried for that service's charges alone.
        (key(team="core"), Allocated()),
        (key(team="core", app="Cart"), Allocated(7, 11, "rule")),
        (key(app="cart"), Allocated(7, 12, "service")),
        (key(namespace="cart"), Allocated(7, 12, "service")),
        (key(group="cart", env="Production"), Allocated(7, 12, "service", 3)),
        (key(app="unheard", service="search", team="payments"), Allocated(8, 12, "tag")),
        (key(namespace="kube-system"), Allocated(shared=5)),
        (key(shared="yes", team="payments"), Allocated(shared=6)),
        (key("prod-1", namespace="kube-system"), Allocated(team=10, team_from="rule")),
        (key(team="nobody here"), Allocated()),
    ],
)
def test_rules_come_first_then_what_is_shared_then_the_service_then_the_tag(charge: Key, expected: Allocated) -> None:
    assert allocate(charge, KNOWN) == expected


def test_an_environment_is_known_by_its_abbreviation_too_but_never_taken_for_another() -> None:
    known = Catalogue(rules=[], environments={"production": 3, "stg": 4, "stage": 5})
    said = {"PROD": 3, "prd": 3, "production": 3, "staging": 5, "stg": 4, "stage": 5, "dev": None, "preprod": None}
    assert {tag: allocate(key(env=tag), known).environment for tag in said} == said
    assert allocate(key(environment="what", stage="prod"), known).environment == 3


_AMOUNT = st.decimals(-(10**18), 10**18, places=12)


@given(_AMOUNT, st.dictionaries(st.integers(1, 9), _AMOUNT, min_size=1), st.sampled_from(("even", "proportional")))
def test_the_parts_of_a_shared_cost_add_up_to_it(amount: Decimal, weights: dict[int, Decimal], how: str) -> None:
    parts = split(amount, weights, how)
    assert parts.keys() == weights.keys()
    assert added(parts.values()) == amount
    if how == "proportional" and any(weight > 0 for weight in weights.values()):
        assert all(abs(parts[team]) <= Decimal("0.00001") for team, weight in weights.items() if weight <= 0)


def test_a_cost_is_split_by_weight_evenly_or_not_at_all() -> None:
    assert split(Decimal(10), {1: Decimal(3), 2: Decimal(1)}, "proportional") == {1: Decimal("7.5"), 2: Decimal("2.5")}
    assert split(Decimal(1), {1: Decimal(5), 2: Decimal(1), 3: Decimal(1)}, "even")[2] == Decimal("0.333333")
    assert split(Decimal(4), {1: Decimal(0), 2: Decimal(-1)}, "proportional") == {1: Decimal(2), 2: Decimal(2)}
    assert split(Decimal(4), {}, "even") == {}


def test_an_amount_is_written_with_every_digit_and_no_exponent() -> None:
    texts = ["0", "-0.000000000001", "1000000000000000000.000000000001", "35.2E-7", "1E+3"]
    assert [plain(Decimal(text)) for text in texts] == [
        "0", "-0.000000000001", "1000000000000000000.000000000001", "0.00000352", "1000",
    ]  # fmt: skip
