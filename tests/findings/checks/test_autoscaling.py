"""3.2: the figures of the golden table, and what holds for any policies."""

from itertools import pairwise

import pytest
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
    asked = [(each.subject, each.provide) for each in reading.unsure("autoscaling", **two)]
    assert asked == [("HorizontalPodAutoscaler/api", "facts: autoscaling.price_per_pod_hour")]
    assert "cost_of_overshoot_per_hour" not in reading.figures(reading.fails("autoscaling", **two)[0])
    priced = reading.outcome("autoscaling", **two, facts="autoscaling: {price_per_pod_hour: 0.5}")
    assert priced.tallies[0].unsure == []
    costs = [each.fail.quantities[-1] for each in priced.found]
    assert [(each.value, each.unit) for each in costs] == [(25.0, "USD/h"), (20.0, "USD/h")]
    assert reading.unsure("autoscaling", a_yaml=SCALER.format(name="api", most=3)) == []


SLOW = (Policy("Percent", 100, 15), Policy("Pods", 4, 60))


@pytest.mark.parametrize(
    ("policies_of", "select", "most", "steps"),
    [
        # Four a minute is what the smaller one lets through: what was added stays counted until the minute is over.
        (SLOW, "Min", 20, [(0, 10), (0, 14), (60, 18), (120, 20)]),
        # The larger: four at once, then a tenth of what there is at each period's start.
        ((Policy("Percent", 10, 15), Policy("Pods", 4, 60)), "Max", 20,
         [(0, 10), (0, 14), (15, 16), (30, 18), (45, 20)]),
        # One more each quarter of a minute, within the four of each minute.
        ((Policy("Pods", 1, 15), Policy("Pods", 2, 60)), "Min", 14, [(0, 10), (0, 11), (15, 12), (60, 13), (75, 14)]),
        (SLOW, "Disabled", 20, [(0, 10)]),
        ((), "Max", 20, [(0, 10)]),
        (SLOW, "Max", 10, [(0, 10)]),
    ],
)  # fmt: skip
def test_a_policy_counts_what_was_added_within_its_period(
    policies_of: tuple[Policy, ...], select: str, most: int, steps: list[tuple[int, int]]
) -> None:
    assert simulate(10, most, policies_of, select) == steps


def scaler(low: int, high: int, up: str = "") -> str:
    behavior = f", behavior: {{scaleUp: {{{up}}}}}" if up else ""
    return (
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: api}\n"
        "spec: {scaleTargetRef: {kind: Deployment, name: api}, "
        f"minReplicas: {low}, maxReplicas: {high}{behavior}}}\n"
    )


DOUBLING_EACH = "policies: [{type: Percent, value: 100, periodSeconds: %d}]"


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        (scaler(5, 19), "passes"),  # less than fourfold
        (scaler(5, 20), "medium"),
        (scaler(4, 16), "low"),  # few pods
        (scaler(4, 19), "low"),
        (scaler(0, 3), "passes"),
        (scaler(0, 4), "low"),  # from the first pod
        (scaler(2, 64, DOUBLING_EACH % 30), "medium"),  # fourfold in a minute, but not in two
        (scaler(2, 64, DOUBLING_EACH % 31), "passes"),
        (scaler(2, 64, f"selectPolicy: Disabled, {DOUBLING_EACH % 15}"), "passes"),
        (scaler(2, 64, "selectPolicy: Min, policies: [{type: Percent, value: 900, periodSeconds: 15}, "
                       "{type: Pods, value: 1, periodSeconds: 15}]"), "passes"),
        (scaler(2, 64, "selectPolicy: Max, policies: [{type: Percent, value: 900, periodSeconds: 15}, "
                       "{type: Pods, value: 1, periodSeconds: 15}]"), "medium"),
        (scaler(2, 64, f"stabilizationWindowSeconds: 600, {DOUBLING_EACH % 30}"), "medium"),  # late, and as fast
    ],
)  # fmt: skip
def test_fourfold_within_a_minute_is_too_fast(text: str, severity: str) -> None:
    outcome = reading.outcome("autoscaling", a_yaml=text)
    assert [str(each.severity) for each in outcome.found] == ([] if severity == "passes" else [severity])
    assert outcome.tallies[0].passed == (severity == "passes")


@pytest.mark.parametrize("policy", ["value: many, periodSeconds: 15", "value: 0, periodSeconds: 15",
                                    "value: true, periodSeconds: 15", "value: 100, periodSeconds: 0",
                                    "value: 100"])  # fmt: skip
def test_policies_that_are_no_numbers_are_not_guessed(policy: str) -> None:
    outcome = reading.outcome("autoscaling", a_yaml=scaler(2, 64, f"policies: [{{type: Percent, {policy}}}]"))
    assert (outcome.found, outcome.tallies[0].passed) == ((), 0)
    assert [each.provide for each in outcome.tallies[0].unsure] == ["numbers under behavior.scaleUp.policies"]


def test_a_stabilization_window_puts_every_step_off_and_is_shown_with_the_policies() -> None:
    (fail,) = reading.fails(
        "autoscaling", a_yaml=scaler(3, 50, f"stabilizationWindowSeconds: 60, {DOUBLING_EACH % 30}")
    )
    assert fail.title == "From 3 to 50 pods in 210 s"
    assert fail.why == "Its policies take it from 3 to 50 pods in 5 steps, the last within 210 s."
    assert reading.figures(fail)["replicas_after_seconds"] == [
        [60, 3],
        [60, 6],
        [90, 12],
        [120, 24],
        [150, 48],
        [180, 50],
    ]
    assert [(each.name, each.value, each.unit, each.source, each.line) for each in fail.quantities[0].inputs] == [
        ("min_replicas", 3, "pods", "file", 4), ("max_replicas", 50, "pods", "file", 4),
        ("percent_per_30_s", 100, "%", "file", 4), ("stabilization_window", 60, "s", "file", 4),
    ]  # fmt: skip


def test_what_kubernetes_does_by_itself_is_called_its_default() -> None:
    (fail,) = reading.fails("autoscaling", a_yaml=scaler(1, 10))
    told = [(each.name, each.value, each.unit, each.source) for each in fail.quantities[0].inputs[2:]]
    assert told == [
        ("percent_per_15_s", 100, "%", "provider_default"), ("pods_per_15_s", 4, "pods", "provider_default"),
    ]  # fmt: skip


def test_how_a_policy_is_chosen_is_an_input() -> None:
    both = "policies: [{type: Percent, value: 900, periodSeconds: 15}, {type: Percent, value: 800, periodSeconds: 15}]"
    (fail,) = reading.fails("autoscaling", a_yaml=scaler(2, 64, f"selectPolicy: Min, {both}"))
    assert [(each.name, each.value) for each in fail.quantities[0].inputs][-1] == ("select_policy", "Min")
    assert reading.figures(fail)["replicas_after_seconds"] == [[0, 2], [0, 18], [15, 64]]


def test_the_behaviour_of_a_scaled_object_is_read_where_keda_has_it() -> None:
    text = """apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: api}
spec:
  scaleTargetRef: {name: api}
  minReplicaCount: 2
  maxReplicaCount: 64
  advanced: {horizontalPodAutoscalerConfig: {behavior: {scaleUp: {policies: [POLICY]}}}}
"""
    slow = text.replace("POLICY", "{type: Pods, value: 1, periodSeconds: 60}")
    assert reading.fails("autoscaling", a_yaml=slow) == []
    (fail,) = reading.fails(
        "autoscaling", a_yaml=text.replace("POLICY", "{type: Percent, value: 100, periodSeconds: 30}")
    )
    assert reading.figures(fail)["seconds_to_max"] == 150


KNATIVE = """apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: quotes}}
spec:
  template:
    metadata:
      annotations: {{autoscaling.knative.dev/min-scale: "{low}", autoscaling.knative.dev/max-scale: "{high}"}}
    spec: {{containers: [{{image: registry.example/quotes:1}}]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: config-autoscaler, namespace: knative-serving}}
data: {{max-scale-up-rate: "{rate}"}}
"""


@pytest.mark.parametrize(
    ("low", "high", "rate", "severity"),
    [
        (10, 39, 1000, "passes"), (10, 40, 1000, "medium"), (0, 4, 1000, "low"), (4, 19, 1000, "low"),
        (5, 20, 1000, "medium"), (100, 400, 1.04, "passes"), (100, 400, 1.1, "medium"),
    ],
)  # fmt: skip
def test_knative_is_judged_by_the_same_bounds(low: int, high: int, rate: float, severity: str) -> None:
    outcome = reading.outcome("autoscaling", a_yaml=KNATIVE.format(low=low, high=high, rate=rate))
    assert [str(each.severity) for each in outcome.found] == ([] if severity == "passes" else [severity])
    assert outcome.tallies[0].passed == (severity == "passes")


def test_knative_grows_by_its_rate_once_a_cycle_after_the_panic_window() -> None:
    """100, then 1.5 times as many each 2 s: after the mean of 6 s."""
    (fail,) = reading.fails("autoscaling", a_yaml=KNATIVE.format(low=100, high=400, rate=1.5))
    assert reading.figures(fail)["replicas_after_seconds"] == [[6, 100], [6, 150], [8, 225], [10, 338], [12, 400]]
    assert reading.figures(fail)["seconds_to_max"] == 14
