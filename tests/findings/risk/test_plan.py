"""The plan of remedies against every possible set, and the curve of what each further day buys."""

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findings.risk.plan import WORST_CASE, Option, curve, plan

KEYS = "abcdefg"
worths = st.dictionaries(st.sampled_from(KEYS), st.floats(0, 1e6, allow_nan=False), max_size=len(KEYS))
option_lists = st.lists(
    st.tuples(st.sampled_from([0.5, 1, 2, 3, 5]), st.frozensets(st.sampled_from(KEYS), max_size=4)), max_size=6
).map(lambda each: [Option(f"r{number}", days, closes) for number, (days, closes) in enumerate(each)])
budgets = st.sampled_from([0, 0.5, 1, 2, 3, 4, 6, 9, 20])


def gain_of(options: tuple[Option, ...], worth: dict[str, float]) -> float:
    closed = frozenset[str]().union(*(each.closes for each in options))
    return sum(worth.get(key, 0) for key in closed)


def best_of_all(options: list[Option], worth: dict[str, float], budget: float) -> float:
    sets = (chosen for size in range(len(options) + 1) for chosen in combinations(options, size))
    return max(gain_of(chosen, worth) for chosen in sets if sum(each.days for each in chosen) <= budget)


@given(option_lists, worths, budgets)
def test_a_plan_keeps_its_budget_its_promise_and_its_bound(
    options: list[Option], worth: dict[str, float], budget: float
) -> None:
    found = plan(options, worth, budget)
    by_key = {each.key: each for each in options}
    chosen = tuple(by_key[step.key] for step in found.steps)
    best = best_of_all(options, worth, budget)
    assert len(set(chosen)) == len(chosen)
    assert found.days == pytest.approx(sum(each.days for each in chosen))
    assert found.days <= budget
    assert found.gain == pytest.approx(gain_of(chosen, worth))
    assert found.gain >= WORST_CASE * best - 1e-6
    assert found.bound >= best - 1e-6 * max(best, 1)
    if found.share_of_best is not None:
        assert found.gain >= found.share_of_best * best - 1e-6 * max(best, 1)


@given(option_lists, worths)
def test_the_curve_ends_with_everything_that_can_be_avoided_and_each_day_buys_less(
    options: list[Option], worth: dict[str, float]
) -> None:
    steps = curve(options, worth)
    assert (steps[-1].gain_so_far if steps else 0) == pytest.approx(gain_of(tuple(options), worth))
    rates = [step.per_day for step in steps]
    assert all(later <= earlier * (1 + 1e-9) for earlier, later in pairwise(rates))


def test_what_two_remedies_both_close_counts_once() -> None:
    options = [Option("both", 2, frozenset("ab")), Option("one", 1, frozenset("a"))]
    steps = curve(options, {"a": 10, "b": 4})
    assert [(step.key, step.gain) for step in steps] == [("one", 10), ("both", 4)]


def test_one_large_remedy_beats_a_small_one_with_the_better_rate() -> None:
    options = [Option("small", 1, frozenset("a")), Option("large", 10, frozenset("b"))]
    found = plan(options, {"a": 2, "b": 15}, 10)
    assert [step.key for step in found.steps] == ["large"]
    assert found.share_of_best == pytest.approx(15 / 15.5)


def test_without_days_or_worth_there_is_no_plan() -> None:
    assert plan([Option("a", 1, frozenset("a"))], {"a": 1}, 0).steps == ()
    assert plan([Option("a", 1, frozenset("a"))], {}, 5).share_of_best is None
    assert curve([], {}) == ()


@pytest.mark.parametrize("days", [0, -1, float("nan"), float("inf")])
def test_an_effort_that_is_none_is_refused(days: float) -> None:
    with pytest.raises(ValueError, match="more than 0 days"):
        Option("a", days, frozenset())
