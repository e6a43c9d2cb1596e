"""Section 8: how many pods a drained node may take away at once."""

import math
from collections.abc import Iterator
from typing import Any

from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.platform.model import Platform, Resource, Workload, places
from findings.platform.serving import budgets_of, least_replicas, long_running
from findings.platform.units import number
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.sourced import Quantity, Sourced, Unknown, input_of

META = Meta(
    id="disruption-budget",
    seed="8",
    title="Evictions are not bounded, or not possible",
    severity=Severity.LOW,
    category=Category.OPERATIONS,
    outcome=Outcome.OUTAGE,
    means="No budget says how many pods may be evicted at once, so that upgrades of nodes may take all of them; or the "
    "budget allows none, so that no node with its pods can be drained.",
    why="Nodes are drained for upgrades, repairs and to save money. Without a budget every pod may go at the same "
    "time; with one that allows nothing the upgrade hangs until somebody forces it.",
    not_a_problem="The work can wait until its pods are back, as that of consumers of a queue.",
    remedy="State per workload how many pods may be unavailable: one, for most.",
    patch="""apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: api}
spec:
  maxUnavailable: 1
  selector: {matchLabels: {app: api}}""",
    remedies=("disruption-budgets",),
    references=(
        "https://kubernetes.io/docs/tasks/run-application/configure-pdb/",
        "https://kubernetes.io/docs/concepts/workloads/pods/disruptions/",
    ),
)


def allowed(replicas: int, min_available: Any = None, max_unavailable: Any = None) -> int | None:
    """Pods that may be evicted at once while all are healthy; None where the budget is no number.

    Percentages are rounded up. Source: Kubernetes, specifying a PodDisruptionBudget.
    """
    if max_unavailable is not None:
        share = _pods(max_unavailable, replicas)
        return None if share is None else min(share, replicas)
    if min_available is not None:
        kept = _pods(min_available, replicas)
        return None if kept is None else max(replicas - kept, 0)
    return 0


def _pods(stated: Any, replicas: int) -> int | None:
    if isinstance(stated, str) and stated.endswith("%"):
        percent = number(stated[:-1])
        return None if percent is None else math.ceil(replicas * percent / 100)
    count = number(stated)
    return None if count is None else int(count)


def run(platform: Platform) -> Iterator[Verdict]:
    for workload in long_running(platform):
        low = least_replicas(platform, workload)
        budgets = budgets_of(platform, workload)
        if isinstance(low, Unknown):
            yield Unsure(workload.id, low.reason, low.provide, low.place)
        elif len(budgets) > 1 and low.value:
            yield _several(workload, low, budgets)
        elif budgets:
            yield _judged(workload, low, budgets[0])
        elif low.value > 1:
            term = input_of("replicas", low, "pods")
            quantity = Quantity("pods_evicted_at_once", low.value, "pods", "replicas, without a budget", (term,))
            yield Fail(
                workload.id,
                f"All {low.value} pods may be evicted at once",
                "No PodDisruptionBudget selects its pods.",
                places(low, workload.resource.place()),
                (quantity,),
            )


def _several(workload: Workload, low: Sourced[int], budgets: list[Resource]) -> Fail:
    """Source: Kubernetes, the eviction API refuses a pod that more than one budget selects."""
    names = " and ".join(each.id for each in budgets[:2])
    term = input_of("replicas", low, "pods")
    quantity = Quantity("pods_evicted_at_once", 0, "pods", "none while several budgets select a pod", (term,))
    return Fail(
        workload.id,
        f"No node with one of its pods can be drained: {len(budgets)} budgets select them",
        f"Kubernetes evicts no pod that more than one budget selects: {names} do.",
        places(*(each.place() for each in budgets), workload.resource.place()),
        (quantity,),
        Severity.MEDIUM,
    )


def _judged(workload: Workload, low: Sourced[int], budget: Resource) -> Verdict:
    least, most = budget.at("spec.minAvailable"), budget.at("spec.maxUnavailable")
    stated = most or least
    pods = allowed(low.value, least.value if least else None, most.value if most else None)
    if pods is None or (stated is None and low.value < 1):
        return Unsure(workload.id, f"{budget.id} is no number", "spec.maxUnavailable of the budget", budget.place())
    if pods > 0 or low.value < 1:
        return Pass(workload.id, places(stated, budget.place()))
    terms = [input_of("replicas", low, "pods")]
    if stated is not None:
        terms.append(input_of("maxUnavailable" if most else "minAvailable", stated, "pods"))
    quantity = Quantity("pods_evicted_at_once", 0, "pods", "replicas − minAvailable, or maxUnavailable", tuple(terms))
    return Fail(
        workload.id,
        f"No node with {'its only pod' if low.value == 1 else f'one of its {low.value} pods'} can be drained",
        f"{budget.id} allows no eviction while {low.value} {'pod runs' if low.value == 1 else 'pods run'}.",
        places(stated, low, budget.place(), workload.resource.place()),
        (quantity,),
        Severity.MEDIUM,
    )
