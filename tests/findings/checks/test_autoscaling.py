"""3.2: the figures of the golden table, and what holds for any policies."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from findings.checks.autoscaling import Policy, simulate
from tests.findings.checks import reading

DOUBLING = (Policy("Percent", 100, 30),)
DEFAULTS = (Policy("Percent", 100, 15), Policy("Pods", 4, 15))
policies = st.lists(
    st.builds(Policy, st.sampled_from(["Percent", "Pods"]), st.integers(1, 200), st.sampled_from([15, 30, 60])),
    min_size=1,
    max_size=3,
).map(tuple)


def test_the_maximum_bounds_the_doubling() -> None:
    assert [count for _, count in simulate(3, 50, DOUBLING)] == [3, 6, 12, 24, 48, 50]


def test_without_a_behaviour_ten_pods_run_after_two_steps() -> None:
    assert simulate(1, 10, DEFAULTS) == [(0, 1), (0, 5), (15, 10)]


def test_five_doublings_lead_from_two_to_sixty_four() -> None:
    steps = simulate(2, 64, DOUBLING)
    assert len(steps) - 1 == 5
    assert (len(steps) - 1) * 30 == 150


@given(policies, st.integers(1, 20), st.integers(0, 200))
def test_pods_only_become_more_and_never_more_than_the_maximum(
    chosen: tuple[Policy, ...], start: int, more: int
) -> None:
    steps = simulate(start, start + more, chosen)
    assert all(before < after and at <= later for (at, before), (later, after) in pairwise(steps))
    assert steps[-1][1] <= start + more


@given(policies, policies, st.integers(1, 20), st.integers(1, 200))
def test_another_policy_never_slows_the_first_step(
    chosen: tuple[Policy, ...], others: tuple[Policy, ...], start: int, more: int
) -> None:
    alone, both = simulate(start, start + more, chosen), simulate(start, start + more, (*chosen, *others))
    assert both[1][1] >= alone[1][1]


SCALER = """apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: {name}}}
spec: {{maxReplicas: {most}, scaleTargetRef: {{kind: Deployment, name: {name}}}}}
"""


def test_what_a_pod_costs_is_asked_for_once_and_only_where_something_fails() -> None:
    two = {"a_yaml": SCALER.format(name="api", most=50), "b_yaml": SCALER.format(name="worker", most=40)}
    assert [each.provide for each in reading.unsure("autoscaling", **two)] == ["facts: autoscaling.price_per_pod_hour"]
    assert "cost_of_overshoot_per_hour" not in reading.figures(reading.fails("autoscaling", **two)[0])
    priced = reading.outcome("autoscaling", **two, facts="autoscaling: {price_per_pod_hour: 0.5}")
    assert priced.tallies[0].unsure == []
    costs = [each.fail.quantities[-1] for each in priced.found]
    assert [(each.value, each.unit) for each in costs] == [(25.0, "USD/h"), (20.0, "USD/h")]
    assert reading.unsure("autoscaling", a_yaml=SCALER.format(name="api", most=3)) == []
