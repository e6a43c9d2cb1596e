"""3.2: an autoscaler that doubles every few seconds, sized by simulating Kubernetes' own rule."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.checks.prices import exact, plain
from findings.checks.words import counted
from findings.platform import knative
from findings.platform.model import Autoscaler, Platform, places
from findings.platform.nodes import items, mapping
from findings.platform.yaml_reader import Map
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.sourced import Input, Quantity, Source, Sourced, Unknown, input_of

META = Meta(
    id="autoscaling",
    seed="3.2",
    title="The autoscaler multiplies pods within seconds",
    severity=Severity.MEDIUM,
    category=Category.PERFORMANCE,
    outcome=Outcome.OUTAGE,
    means="Scaling policies let the number of pods grow fourfold or more within a minute. Below twenty pods it is less "
    "severe.",
    why="Pods that start together connect, rebalance and fill caches together: what they depend on meets the load of "
    "all their starts within minutes, and the money is spent before anybody looks. The maximum is the only bound.",
    not_a_problem="The pods start quickly, what they depend on is sized for the maximum, and the metric is smooth.",
    remedy="Bound the step in pods, lengthen the period, and set the maximum by what the dependencies can take.",
    patch="""behavior:
  scaleUp:
    stabilizationWindowSeconds: 60
    policies:
      - type: Pods
        value: 4
        periodSeconds: 60""",
    analysis="It says that nothing bounds the doubling and that 64 pods take 3 minutes. The maximum is the bound: "
    "from 3 to 50 the steps are 6, 12, 24, 48, 50; five doublings from 2 to 64 take 150 s, or 210 s with "
    "the stabilization window.",
    remedies=("resource-quotas",),
    references=(
        "https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#configurable-scaling-behavior",
        "https://knative.dev/docs/serving/autoscaling/kpa-specific/",
    ),
)

# What Kubernetes does without a behaviour: the larger of doubling and four pods, every 15 seconds.
_DEFAULTS = (("Percent", 100, 15), ("Pods", 4, 15))
_CITE = "Kubernetes: scaleUp defaults to the larger of 100 % and 4 pods per 15 s"
_TIMES = 4  # two doublings …
_WITHIN = 60  # … in a minute are faster than what they depend on can follow
_FEW = 20
_AT_ONCE = (
    "The requests rise at once by as much as the maximum serves, and a pod that is asked for is there at once.",
)
_WAITED = ("The first step takes a period too; when the metric asks at once, it is one period less.",)


@dataclass(frozen=True)
class Policy:
    kind: str  # Percent or Pods
    value: int
    period: int


def simulate(start: int, maximum: int, policies: tuple[Policy, ...], select: str = "Max") -> list[tuple[int, int]]:
    """(second, replicas) from `start` to `maximum`, as fast as the policies allow; the first step comes at once.

    A policy allows what it says above the count at its period's start, which is the present count less what was added
    within the period; of several the largest (Max) or smallest (Min) counts.
    Source: Kubernetes, Horizontal Pod Autoscaling, scaling policies.
    """
    steps: list[tuple[int, int]] = [(0, start)]
    if not policies or select == "Disabled":
        return steps
    choose = min if select == "Min" else max
    tick = math.gcd(*(policy.period for policy in policies))
    replicas, second = start, 0
    while replicas < maximum and second <= 86_400:
        allowed = choose(_allowed(policy, steps, replicas, second) for policy in policies)
        if allowed > replicas:
            replicas = min(allowed, maximum)
            steps.append((second, replicas))
        second += tick
    return steps


def _allowed(policy: Policy, steps: list[tuple[int, int]], replicas: int, second: int) -> int:
    added = sum(after - before for (_, before), (at, after) in itertools.pairwise(steps) if at > second - policy.period)
    begun = replicas - added
    return begun + policy.value if policy.kind == "Pods" else math.ceil(begun * (100 + policy.value) / 100)


def cost_per_hour(pods: int, price: Decimal) -> Decimal:
    """What all pods of the maximum cost an hour: pods × price of one, in the price's currency."""
    return pods * price


def run(platform: Platform) -> Iterator[Verdict]:
    price = platform.facts.number("autoscaling.price_per_pod_hour")
    unpriced: Unsure | None = None
    for each in platform.autoscalers:
        pace = knative.pace(platform, each.resource) if each.resource is not None and _is_of_knative(each) else None
        verdict = _judged(each) if pace is None else _by_requests(each, pace)
        if isinstance(verdict, Fail):
            if price is not None:
                verdict = replace(verdict, quantities=(*verdict.quantities, _cost(platform, each, price)))
            elif unpriced is None:
                reason = "what a pod costs an hour is not stated, so cost_of_overshoot_per_hour is left out"
                unpriced = Unsure(verdict.subject, reason, "facts: autoscaling.price_per_pod_hour", each.place)
        yield verdict
    if unpriced is not None:
        yield unpriced


def _cost(platform: Platform, scaler: Autoscaler, price: Sourced[float]) -> Quantity:
    assert isinstance(scaler.maximum, Sourced)
    stated = platform.facts.get("autoscaling.currency")
    currency = str(stated.value) if stated is not None else "USD"
    terms = (input_of("max_replicas", scaler.maximum, "pods"), input_of("price", price, f"{currency} per pod and hour"))
    value = plain(cost_per_hour(scaler.maximum.value, exact(price)))
    return Quantity("cost_of_overshoot_per_hour", value, f"{currency}/h", "max_replicas × price", terms)


def _is_of_knative(scaler: Autoscaler) -> bool:
    return scaler.resource is not None and knative.is_knative(scaler.resource)


def _by_requests(scaler: Autoscaler, pace: knative.Pace) -> Verdict:
    """Knative's own autoscaler has no policies: in panic it asks for all that the requests of the last seconds need."""
    assert scaler.resource is not None
    subject, low, high = scaler.resource.id, scaler.minimum, scaler.maximum
    for bound in (high, low):
        if isinstance(bound, Unknown):
            return Unsure(subject, bound.reason, bound.provide, bound.place)
    assert isinstance(low, Sourced)
    assert isinstance(high, Sourced)
    start = max(low.value, 1)
    if high.value < start * _TIMES:
        return Pass(subject, places(high))
    if knative.is_cloud_run(scaler.resource):
        reason = f"Google states no bound on how fast Cloud Run goes from {start} to {high.value} instances"
        provide = f"a minimum of at least {math.ceil(high.value / _TIMES)}, or a suppression that says what bounds it"
        return Unsure(subject, reason, provide, scaler.place)
    policies = (Policy("Percent", max(round((pace.rate.value - 1) * 100), 1), knative.CYCLE),)
    steps = simulate(start, high.value, policies)
    if not _is_storm(steps, policies):
        return Pass(subject, places(high))
    pause = math.ceil(pace.seconds)
    seconds = _seconds_to_max(steps, policies) + pause
    rate = input_of(f"percent_per_{knative.CYCLE}_s", pace.rate.map(lambda _: policies[0].value), "%")
    terms = (
        input_of("min_replicas", low, "pods"),
        input_of("max_replicas", high, "pods"),
        rate,
        input_of("stable_window", pace.window, "s"),
        input_of("panic_window_percentage", pace.percentage, "%"),
    )
    quantities = (
        Quantity("seconds_to_max", seconds, "s", "stable window × panic share + steps × cycle", terms, _AT_ONCE),
        Quantity("replicas_max", high.value, "pods", "max_replicas", terms[1:2]),
        Quantity("replicas_after_seconds", [[at + pause, count] for at, count in steps], "pods",
                 "count before the cycle × (1 + percent ÷ 100)", terms, _AT_ONCE),
    )  # fmt: skip
    return Fail(
        subject,
        f"From {start} to {high.value} pods in {seconds} s",
        f"Knative asks for all pods that the requests of the last {pause} s need, up to {pace.rate.value:g} times as "
        f"many as there are, and decides anew every {knative.CYCLE} s.",
        places(high, scaler.place),
        quantities,
        Severity.LOW if high.value < _FEW else None,
    )


def _judged(scaler: Autoscaler) -> Verdict:
    subject = scaler.resource.id if scaler.resource else scaler.place.path
    for bound in (scaler.maximum, scaler.minimum):
        if isinstance(bound, Unknown):
            return Unsure(subject, bound.reason, bound.provide, bound.place)
    assert isinstance(scaler.maximum, Sourced)
    assert isinstance(scaler.minimum, Sourced)
    up = mapping(scaler.node, "behavior.scaleUp") or mapping(
        scaler.node, "advanced.horizontalPodAutoscalerConfig.behavior.scaleUp"
    )
    policies = _policies(up)
    select = str(up.get("selectPolicy") or "Max")
    start = max(scaler.minimum.value, 1)
    if policies is None:
        return Unsure(subject, "its policies are not numbers", "numbers under behavior.scaleUp.policies", scaler.place)
    steps = simulate(start, scaler.maximum.value, policies, select)
    if not _is_storm(steps, policies):
        return Pass(subject, places(scaler.maximum))
    window = up.get("stabilizationWindowSeconds")
    pause = window if isinstance(window, int) and not isinstance(window, bool) else 0
    seconds = _seconds_to_max(steps, policies) + pause
    terms = (
        input_of("min_replicas", scaler.minimum, "pods"),
        input_of("max_replicas", scaler.maximum, "pods"),
        *_terms(scaler, up, policies, pause),
    )
    quantities = (
        Quantity("seconds_to_max", seconds, "s", "steps × period + stabilization window", terms, _WAITED),
        Quantity("replicas_max", scaler.maximum.value, "pods", "max_replicas", terms[1:2]),
        Quantity("replicas_after_seconds", [[at + pause, count] for at, count in steps], "pods",
                 "count at the period's start × (1 + percent ÷ 100), or + pods; the larger", terms),
    )  # fmt: skip
    return Fail(
        subject,
        f"From {start} to {scaler.maximum.value} pods in {seconds} s",
        f"Its policies take it from {start} to {scaler.maximum.value} pods in {counted(len(steps) - 1, 'steps')}, "
        f"the last within {seconds} s.",
        places(scaler.maximum, scaler.place),
        quantities,
        Severity.LOW if scaler.maximum.value < _FEW else None,
    )


def largest_step(scaler: Autoscaler) -> int | None:
    """The most pods that one step adds on the way to the maximum; None when its policies cannot be told."""
    if not isinstance(scaler.maximum, Sourced) or not isinstance(scaler.minimum, Sourced) or _is_of_knative(scaler):
        return None
    up = mapping(scaler.node, "behavior.scaleUp") or mapping(
        scaler.node, "advanced.horizontalPodAutoscalerConfig.behavior.scaleUp"
    )
    policies = _policies(up)
    if policies is None:
        return None
    steps = simulate(max(scaler.minimum.value, 1), scaler.maximum.value, policies, str(up.get("selectPolicy") or "Max"))
    return max((after - before for (_, before), (_, after) in itertools.pairwise(steps)), default=0)


def policy_terms(scaler: Autoscaler) -> tuple[Input, ...]:
    """What `largest_step` rests on beside the bounds: the policies, and how one of them is chosen."""
    up = mapping(scaler.node, "behavior.scaleUp") or mapping(
        scaler.node, "advanced.horizontalPodAutoscalerConfig.behavior.scaleUp"
    )
    return tuple(_terms(scaler, up, _policies(up) or (), 0))


def _is_storm(steps: list[tuple[int, int]], policies: tuple[Policy, ...]) -> bool:
    """Whether pods multiply within a minute of the metric's asking; a stabilization window only puts that off."""
    period = min(policy.period for policy in policies)
    return any(at + period <= _WITHIN and count >= _TIMES * steps[0][1] for at, count in steps)


def _seconds_to_max(steps: list[tuple[int, int]], policies: tuple[Policy, ...]) -> int:
    """Each step takes a whole period, the first one too: the metric has to ask for it first."""
    return steps[-1][0] + min(policy.period for policy in policies)


def _policies(up: Map) -> tuple[Policy, ...] | None:
    stated = items(up, "policies")
    if not stated:
        return tuple(Policy(*each) for each in _DEFAULTS)
    found = []
    for each in stated:
        value, period = (each.get("value"), each.get("periodSeconds")) if isinstance(each, Map) else (None, None)
        if not _positive(value) or not _positive(period):
            return None
        found.append(Policy(str(each.get("type")), int(value or 0), int(period or 0)))
    return tuple(found)


def _positive(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _terms(scaler: Autoscaler, up: Map, policies: tuple[Policy, ...], pause: int) -> Iterator[Input]:
    path = scaler.place.path
    stated = bool(items(up, "policies"))
    for policy in policies:
        unit = "%" if policy.kind == "Percent" else "pods"
        source = Source.FILE if stated else Source.PROVIDER_DEFAULT
        line = up.lines.get("policies") if stated else scaler.place.line
        yield Input(f"{policy.kind.lower()}_per_{policy.period}_s", policy.value, unit, source, path, line,
                    "" if stated else _CITE)  # fmt: skip
    if up.get("selectPolicy") not in (None, "Max"):
        yield Input("select_policy", str(up["selectPolicy"]), "", Source.FILE, path, up.lines["selectPolicy"])
    if pause:
        yield Input("stabilization_window", pause, "s", Source.FILE, path, up.lines.get("stabilizationWindowSeconds"))
