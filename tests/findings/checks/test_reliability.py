"""Section 8: timeouts, budgets, quotas, probes, replicas and their spread."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findings.checks import engine
from findings.checks.disruption_budget import allowed
from findings.checks.probes import seconds_until_restart
from findings.checks.registry import CHECKS
from findings.checks.request_timeouts import attempts_within
from findings.checks.resource_quota import at_maximum
from findings.checks.single_replica import seconds_down
from findings.platform import reader
from findings.platform.files import File


def judged(check: str, text: str, facts: str = "", name: str = "a.yaml") -> engine.Outcome:
    files = [File(name, text)] + ([File("platform-risk.yaml", facts)] if facts else [])
    return engine.run(reader.read(files), [CHECKS[check]])


@pytest.mark.parametrize(
    ("replicas", "least", "most", "expected"),
    [
        (3, None, 1, 1), (3, 2, None, 1), (3, "50%", None, 1), (3, None, "50%", 2), (4, "100%", None, 0),
        (1, 1, None, 0),
        (3, None, 0, 0), (2, None, 5, 2), (2, 5, None, 0), (3, None, None, 0), (3, "some", None, None),
        (3, None, "x%", None),
    ],
)  # fmt: skip
def test_a_budget_rounds_its_percentages_up(replicas: int, least: Any, most: Any, expected: int | None) -> None:
    assert allowed(replicas, least, most) == expected


@given(st.integers(0, 1000), st.integers(0, 100), st.integers(0, 100))
def test_a_larger_share_unavailable_never_allows_fewer_evictions(replicas: int, percent: int, more: int) -> None:
    some, all_ = allowed(replicas, None, f"{percent}%"), allowed(replicas, None, f"{percent + more}%")
    assert some is not None
    assert all_ is not None
    assert 0 <= some <= all_ <= replicas


def test_a_lost_node_takes_its_pods_along_for_minutes() -> None:
    assert seconds_down(50, 300) == 350
    assert seconds_until_restart(10, 3) == 30
    assert at_maximum(40, 0.5) == 20


def test_retries_have_room_within_the_deadline_or_not() -> None:
    assert attempts_within(8, 2) == 4
    assert attempts_within(5, 2) == 2
    assert attempts_within(1, 2) == 1


SERVED = """apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: %s
  template:
    metadata: {labels: {app: api, tier: front}}
    spec:
      containers: [{name: api}]
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: %s}
spec:
  selector: %s
"""


@pytest.mark.parametrize("check", ["single-replica", "probes"])
@pytest.mark.parametrize(
    ("namespace", "selector", "is_served"),
    [
        ("shop", "{app: api}", True),
        ("shop", "{app: api, tier: front}", True),
        ("shop", "{app: other}", False),
        ("search", "{app: api}", False),
        ("shop", "{}", False),
    ],
)
def test_only_what_a_service_sends_traffic_to_is_judged(
    check: str, namespace: str, selector: str, is_served: bool
) -> None:
    outcome = judged(check, SERVED % (1, namespace, selector))
    assert bool(outcome.found) is is_served


def test_an_objective_says_what_one_lost_node_spends() -> None:
    (found,) = judged("single-replica", SERVED % (1, "shop", "{app: api}"), "slo: {target: 99.99}").found
    figures = {each.name: each.value for each in found.fail.quantities}
    assert figures["error_budget_burned_percent"] == pytest.approx(350 / 60 / 4.32 * 100)
    assert found.severity == "high"


def test_a_workload_scaled_to_nothing_is_not_judged() -> None:
    tally = judged("single-replica", SERVED % (0, "shop", "{app: api}")).tallies[0]
    assert (tally.failed, tally.passed, tally.unsure) == (0, 0, [])


def test_the_clusters_dns_is_judged_by_its_own_check_alone() -> None:
    text = (SERVED % (1, "shop", "{app: api}")).replace("tier: front", "k8s-app: kube-dns")
    assert not judged("single-replica", text).found
    assert judged("dns", text).found


def test_calls_of_one_file_are_one_finding_with_a_place_each() -> None:
    text = "import requests\nrequests.get('a')\nrequests.post('b')\n"
    (found,) = judged("request-timeouts", text, name="app.py").found
    assert [place.line for place in found.fail.places] == [2, 3]
    assert found.fail.title == "2 calls wait without end"


@pytest.mark.parametrize(
    ("name", "severity"),
    [("examples/publish.py", "low"), ("scripts/release.py", "low"), ("setup.py", "low"), ("api/app.py", None)],
)
def test_what_a_person_runs_and_waits_for_weighs_less(name: str, severity: str | None) -> None:
    (found,) = judged("request-timeouts", "import requests\nrequests.get('a')\n", name=name).found
    assert found.fail.severity == severity


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("import requests\ndef f(requests):\n    requests.get('cpu')\ndef g():\n    requests.get('a')\n", 1),
        ("requests = pod['requests']\nrequests.get('cpu')\n", 0),
        ("def f():\n    for requests in all_of_them:\n        requests.get('cpu')\n", 0),
        ("def f():\n    import requests\n    requests.get('a')\n", 1),
        ("requests = adaptors.LazyImport('requests')\nrequests.get('a')\n", 1),
        ("def f(pod):\n    requests = pod.get('requests')\n    requests.get('cpu')\n", 0),
        ("try:\n    import requests\nexcept ImportError:\n    requests = None\nrequests.get('a')\n", 1),
    ],
)
def test_a_variable_that_is_called_as_a_module_is_none(text: str, calls: int) -> None:
    found = judged("request-timeouts", text, name="app.py").found
    assert [each.fail.quantities[0].value for each in found] == [calls] * bool(calls)


@pytest.mark.parametrize(
    "call",
    ["requests.get('a', timeout=t)", "requests.get('a', **k)", "session.get('a')", "httpx.get('a')",
     "urlopen('a', None, 5)"],
)  # fmt: skip
def test_a_call_that_has_a_deadline_or_may_have_one_is_no_failure(call: str) -> None:
    assert not judged("request-timeouts", f"{call}\n", name="app.py").found


@pytest.mark.parametrize(
    "text",
    [
        "import requests as rq\nrq.get(url)\n",
        "from requests import get as fetch\nfetch(url)\n",
        "from requests import Session\ns = Session()\ns.post(url)\n",
        "from urllib.request import urlopen as fetch\nfetch(url)\n",
        "import urllib.request as web\nweb.urlopen(url)\n",
        "from httpx import Client as Web\nWeb(timeout=None)\n",
    ],
)
def test_a_client_is_known_by_whatever_name_it_is_imported(text: str) -> None:
    (found,) = judged("request-timeouts", text, name="a.py").found
    assert found.fail.title == "1 call waits without end"


@pytest.mark.parametrize(
    ("path", "severity"),
    [
        ("shop/cli/orders.py", "low"), ("shop_cli/orders.py", "low"), ("shop/cmd_orders.py", "low"),
        ("hatch_build.py", "low"), ("shop/clients/orders.py", "medium"), ("shop/click.py", "medium"),
    ],
)  # fmt: skip
def test_what_a_person_waits_for_weighs_less(path: str, severity: str) -> None:
    (found,) = judged("request-timeouts", "import requests\nrequests.get(url)\n", name=path).found
    assert found.severity == severity


def test_a_method_of_something_else_is_no_function_of_that_name() -> None:
    text = "from requests import get\ncache().get(url)\nself.get(url)\n"
    assert judged("request-timeouts", text, name="a.py").found == ()


SPREAD = """apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      topologySpreadConstraints:
        - {maxSkew: SKEW, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule,
           labelSelector: {matchLabels: {app: api}}}
      containers: [{name: api, image: "registry.example/api:1"}]
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{port: 80}]}
"""


@pytest.mark.parametrize(("skew", "failed"), [(1, 0), (2, 0), (3, 1), (5, 1)])
def test_a_skew_of_all_pods_spreads_none(skew: int, failed: int) -> None:
    found = judged("topology-spread", SPREAD.replace("SKEW", str(skew))).found
    assert [each.fail.why for each in found] == [
        f"A skew of up to {skew} lets all of them stand in one place."
    ] * failed


SCALED = """apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers: [{name: api, image: "registry.example/api:1"}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api, namespace: shop}
spec: {scaleTargetRef: {kind: Deployment, name: api}, minReplicas: 2, maxReplicas: 50}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: bounds, namespace: shop}
spec: {hard: {requests.cpu: "10"}}
"""


@pytest.mark.parametrize(
    ("ranges", "share"),
    [
        ("defaultRequest: {cpu: 500m}", 40),
        ("default: {cpu: 400m}", 50),
        ("max: {cpu: 1}", 20),
        ("min: {cpu: 250m}", 80),
    ],
)
def test_a_quota_is_held_against_what_a_limit_range_gives(ranges: str, share: int) -> None:
    limits = f"spec: {{limits: [{{type: Container, {ranges}}}]}}\n"
    text = f"{SCALED}---\napiVersion: v1\nkind: LimitRange\nmetadata: {{name: l, namespace: shop}}\n{limits}"
    (found,) = judged("resource-quota", text).found
    assert found.fail.title == f"The quota stops its autoscalers at {share} % of their maximum"


@pytest.mark.parametrize(
    ("timeout", "per_try", "fit"), [(0.6, 0.2, 3), (0.3, 0.1, 3), (0.7, 0.1, 7), (0.59, 0.2, 2), (0.1, 0.2, 1)]
)
def test_attempts_that_fill_the_deadline_to_the_last_millisecond_fit(timeout: float, per_try: float, fit: int) -> None:
    assert attempts_within(timeout, per_try) == fit


ROUTE = """apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: api, namespace: shop}
spec: {hosts: [api], http: [%s]}
"""
TO = "route: [{destination: {host: api}}]"


@pytest.mark.parametrize(
    ("routes", "told"),
    [
        (f"{{timeout: 600ms, retries: {{attempts: 2, perTryTimeout: 200ms}}, {TO}}}", "passes"),
        (f"{{timeout: 599ms, retries: {{attempts: 2, perTryTimeout: 200ms}}, {TO}}}",
         "2 of 3 attempts fit into its deadline of 0.599 s"),
        (f"{{timeout: 5s, retries: {{perTryTimeout: 4s}}, {TO}}}", "passes"),  # Istio's own two are no wish
        (f"{{timeout: 5s, retries: {{attempts: 0, perTryTimeout: 4s}}, {TO}}}", "passes"),
        (f"{{timeout: 5s, retries: {{attempts: 9}}, {TO}}}", "passes"),
        (f"{{retries: {{attempts: 2, perTryTimeout: 200ms}}, {TO}}}", "unknown"),
        (f"{{timeout: 0s, {TO}}}", "unknown"),  # switched off
        (f"{{timeout: 5s, {TO}}}", "passes"),
        ("{redirect: {uri: /a}}", "nothing"),
    ],
)  # fmt: skip
def test_the_retries_of_a_route_fit_into_its_deadline_or_not(routes: str, told: str) -> None:
    outcome = judged("request-timeouts", ROUTE % routes)
    tally = outcome.tallies[0]
    assert [each.fail.title for each in outcome.found] == ([] if told in ("passes", "unknown", "nothing") else [told])
    assert (tally.passed, len(tally.unsure)) == (int(told == "passes"), int(told == "unknown"))
    for found in outcome.found:
        assert [(each.name, each.value) for each in found.fail.quantities[0].inputs] == [
            ("timeout", 0.599), ("per_try_timeout", 0.2), ("retries", 2),
        ]  # fmt: skip
        assert found.fail.why == "One attempt and 2 retries of 0.2 s each need 0.6 s."


@pytest.mark.parametrize(
    ("call", "verdict"),
    [
        ("requests.get(url)", "fails"), ("requests.get(url, timeout=None)", "fails"), ("urlopen(url)", "fails"),
        ("httpx.Client(timeout=None)", "fails"), ("httpx.get(url)", "passes"),
        ("requests.get(url, timeout=5)", "passes"),
        ("requests.get(url, timeout=t)", "passes"), ("urlopen(url, None, 5)", "passes"),
        ("requests.get(**k)", "nothing"),
        ("requests.codes(url)", "nothing"), ("other.get(url)", "nothing"),
    ],
)  # fmt: skip
def test_a_call_waits_without_end_or_not(call: str, verdict: str) -> None:
    text = f"import httpx, requests\nfrom urllib.request import urlopen\n{call}\n"
    tally = judged("request-timeouts", text, name="app.py").tallies[0]
    assert (tally.failed, tally.passed) == (int(verdict == "fails"), int(verdict == "passes"))


def quota(hard: str, more: str = "") -> str:
    head = "---\napiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q, namespace: shop}\n"
    return f"{head}spec: {{hard: {{{hard}}}{more}}}\n"


ASKING = SCALED.partition("---\napiVersion: v1\nkind: ResourceQuota")[0].replace(
    'image: "registry.example/api:1"',
    'image: "registry.example/api:1", resources: {requests: {cpu: 100m, memory: 1Gi}, limits: {cpu: 200m}}',
).replace("maxReplicas: 50", "maxReplicas: 3")  # fmt: skip
NAMESPACE = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (quota("requests.cpu: 300m"), "passes"),  # three times 100m
        (quota("cpu: 300m"), "passes"),
        (quota("requests.cpu: 299m"), "The quota stops its autoscalers at 99.7 % of their maximum"),
        (quota("pods: 3"), "passes"),
        (quota("pods: 2"), "The quota stops its autoscalers at 66.7 % of their maximum"),
        (quota("count/pods: 2"), "The quota stops its autoscalers at 66.7 % of their maximum"),
        (quota("limits.cpu: 600m"), "passes"),
        (quota("limits.cpu: 300m, pods: 2"), "The quota stops its autoscalers at 50 % of their maximum"),
        (quota("requests.memory: 3Gi"), "passes"),
        (quota("memory: 2Gi"), "The quota stops its autoscalers at 66.7 % of their maximum"),
        (quota("limits.memory: 9Gi"), "unknown"),  # no container says how much
        (quota("limits.memory: 9Gi, pods: 2"), "The quota stops its autoscalers at 66.7 % of their maximum"),
        (quota("services: 1"), "passes"),  # of something else
        (quota("pods: few"), "passes"),
        (quota("pods: 1", ", scopes: [BestEffort]"), "unknown"),  # counts some of them only
        ("", "unknown"),
        (NAMESPACE, "Its autoscalers can ask for 3 pods and 0.3 cores, and no quota bounds them"),
        (NAMESPACE + quota("pods: 3"), "passes"),
    ],
)
def test_a_quota_has_room_for_what_autoscalers_may_ask_for(more: str, told: str) -> None:
    outcome = judged("resource-quota", ASKING + more)
    tally = outcome.tallies[0]
    assert [each.fail.title for each in outcome.found] == ([] if told in ("passes", "unknown") else [told])
    assert (tally.passed, len(tally.unsure)) == (int(told == "passes"), int(told == "unknown"))
    for found in outcome.found:
        assert str(found.severity) == ("medium" if "stops" in told else "low")


def test_a_namespace_without_an_autoscaler_asks_for_what_it_has() -> None:
    alone = ASKING.partition("---\napiVersion: autoscaling")[0] + NAMESPACE
    tally = judged("resource-quota", alone).tallies[0]
    assert (tally.failed, tally.passed, tally.unsure) == (0, 0, [])


@pytest.mark.parametrize(
    ("target", "severity"),
    [(None, "low"), (99.0, "low"), (99.9, "medium"), (99.99, "high")],
)
def test_how_bad_a_lost_node_is_follows_the_budget(target: float | None, severity: str) -> None:
    """350 s are 1.35 % of the budget of 99 % in 30 days, 13.5 % of that of 99.9 %, and more than that of 99.99 %."""
    facts = f"slo: {{target: {target}}}" if target else ""
    (found,) = judged("single-replica", SERVED % (1, "shop", "{app: api}"), facts).found
    assert str(found.severity) == severity


@pytest.mark.parametrize(
    ("tolerates", "days", "severity"), [(814, 1, "high"), (813, 1, "medium"), (814, 10, "medium"), (813, 10, "low")]
)
def test_the_whole_budget_and_a_tenth_of_it_are_bounds(tolerates: int, days: int, severity: str) -> None:
    """With the 50 s until it is noticed, 864 s: all of the budget of 99 % in a day."""
    toleration = f"tolerations: [{{operator: Exists, tolerationSeconds: {tolerates}}}]\n      containers:"
    text = (SERVED % (1, "shop", "{app: api}")).replace("containers:", toleration)
    (found,) = judged("single-replica", text, f"slo: {{target: 99, window_days: {days}}}").found
    assert str(found.severity) == severity


@pytest.mark.parametrize(
    ("toleration", "down"),
    [
        ("", 350),
        ("{key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 30}", 80),
        ("{operator: Exists, tolerationSeconds: 30}", 80),
        ("{key: node.kubernetes.io/unreachable, operator: Exists, effect: NoSchedule, tolerationSeconds: 30}", 350),
        ("{key: other, operator: Exists, effect: NoExecute, tolerationSeconds: 30}", 350),
        ("{operator: Exists}", None),
    ],
)
def test_a_pod_stays_on_a_lost_node_for_as_long_as_it_tolerates(toleration: str, down: int | None) -> None:
    text = (SERVED % (1, "shop", "{app: api}")).replace(
        "containers:", f"tolerations: [{toleration}]\n      containers:"
    )
    (found,) = judged("single-replica", text).found
    figures = {each.name: each.value for each in found.fail.quantities}
    assert figures.get("seconds_down_on_node_loss") == down
    assert str(found.severity) == ("medium" if down is None else "low")


def budget(spec: str, name: str = "api") -> str:
    return (
        f"---\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {{name: {name}, namespace: shop}}\n"
        f"spec: {{selector: {{matchLabels: {{app: api}}}}, {spec}}}\n"
    )


@pytest.mark.parametrize(
    ("replicas", "budgets", "told"),
    [
        (1, "", ""), (2, "", "All 2 pods may be evicted at once"),
        (2, budget("maxUnavailable: 1"), "passes"), (2, budget("minAvailable: 1"), "passes"),
        (2, budget("minAvailable: 2"), "No node with one of its 2 pods can be drained"),
        (1, budget("minAvailable: 1"), "No node with its only pod can be drained"),
        (2, budget("maxUnavailable: 0"), "No node with one of its 2 pods can be drained"),
        (2, budget("maxUnavailable: some"), "unknown"),
        (0, budget("minAvailable: 1"), "passes"),
        (2, budget("maxUnavailable: 1") + budget("maxUnavailable: 1", "b"),
         "No node with one of its pods can be drained: 2 budgets select them"),
    ],
)  # fmt: skip
def test_a_budget_lets_a_node_be_drained_and_not_all_pods_go(replicas: int, budgets: str, told: str) -> None:
    outcome = judged("disruption-budget", (SERVED % (replicas, "shop", "{app: api}")) + budgets)
    tally = outcome.tallies[0]
    assert [each.fail.title for each in outcome.found] == ([] if told in ("passes", "unknown", "") else [told])
    assert (tally.passed, len(tally.unsure)) == (int(told == "passes"), int(told == "unknown"))
    for found in outcome.found:
        assert found.fail.quantities[0].value == (2 if "at once" in told else 0)
        assert str(found.severity) == ("low" if "at once" in told else "medium")


def probed(probe: str, containers: str = "") -> str:
    text = SERVED % (2, "shop", "{app: api}")
    return text.replace("[{name: api}]", f"[{{name: api, {probe}}}{containers}]")


READY = "readinessProbe: {httpGet: {port: 1}}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (probed(READY), ""),
        (probed("image: a"), "Requests reach api before it is ready"),
        (probed("image: a, ports: [{containerPort: 1}]", ", {name: web, image: b, ports: [{containerPort: 2}]}"),
         "unknown"),  # which of them the Service reaches
        (probed("startupProbe: {exec: {command: [a]}}"), "Requests keep coming to api while it does not answer"),
        (probed(READY, ", {name: p, image: envoyproxy/envoy:1}"), ""),  # ready when all of it is
        (probed(READY, ", {name: p, image: shop/web:1}"), "unknown"),
        (probed(f"{READY}, ports: [{{containerPort: 80}}]", ", {name: p, image: shop/web:1}"), ""),
        (probed("image: a", ", {name: p, image: b, ports: [{containerPort: 80}]}"),
         "Requests reach p before it is ready"),
        (probed(f"{READY}, livenessProbe: {{periodSeconds: 3, failureThreshold: 3}}"),
         "api is restarted after 9 s without an answer"),
        (probed(f"{READY}, livenessProbe: {{periodSeconds: 5, failureThreshold: 2}}"), ""),
        (probed(f"{READY}, livenessProbe: {{periodSeconds: 3}}"), "api is restarted after 9 s without an answer"),
        (probed(f"{READY}, livenessProbe: {{failureThreshold: 1}}"), ""),
        (probed("livenessProbe: {periodSeconds: 1}"),
         "Requests reach api before it is ready; api is restarted after 3 s without an answer"),
    ],
)  # fmt: skip
def test_probes_hold_requests_back_and_are_patient(text: str, told: str) -> None:
    outcome = judged("probes", text)
    assert [each.fail.title for each in outcome.found] == ([] if told in ("", "unknown") else [told])
    tally = outcome.tallies[0]
    assert (tally.passed, len(tally.unsure)) == (int(not told), int(told == "unknown"))


@pytest.mark.parametrize(
    ("replicas", "facts", "title"),
    [
        (1, "", None),
        (2, "", "All 2 pods may stand on one node"),
        (2, "zones: 1", "All 2 pods may stand on one node"),
        (2, "zones: 2", "All 2 pods may stand on one node, or in one of 2 zones"),
        (3, "zones: 3", "All 3 pods may stand on one node, or in one of 3 zones"),
    ],
)
def test_pods_that_nothing_keeps_apart_may_be_lost_with_a_node_or_a_zone(
    replicas: int, facts: str, title: str | None
) -> None:
    """Whatever stands before that nobody asks anything of."""
    quiet = SERVED.partition("---")[0] % (3,)
    served = SERVED % (replicas, "shop", "{app: api}")
    files = [File("a.yaml", quiet.replace("name: api", "name: first").replace("app: api", "app: first")),
             File("b.yaml", served), File("platform-risk.yaml", facts or "{}")]  # fmt: skip
    found = engine.run(reader.read(files), [CHECKS["topology-spread"]]).found
    assert [each.fail.title for each in found] == ([title] if title else [])
    for each in found:
        terms = {term.name: term.value for term in each.fail.quantities[0].inputs}
        assert terms == {"replicas": replicas} | ({"zones": replicas} if "zones:" in facts and "1" not in facts else {})
        assert each.fail.why == "Neither topologySpreadConstraints nor anti-affinity keeps them apart."


IGNORED = "DuringSchedulingIgnoredDuringExecution"
APART = "{labelSelector: {matchLabels: {app: api}}, topologyKey: a}"


@pytest.mark.parametrize(
    ("term", "is_spread"),
    [
        ("topologySpreadConstraints: [{maxSkew: 1, topologyKey: a, labelSelector: {matchLabels: {app: api}}}]", True),
        ("topologySpreadConstraints: [{maxSkew: 1, topologyKey: a, labelSelector: {matchLabels: {app: b}}}]", False),
        ("topologySpreadConstraints: [{maxSkew: 1, topologyKey: a}]", True),
        (f"affinity: {{podAntiAffinity: {{required{IGNORED}: [{APART}]}}}}", True),
        (f"affinity: {{podAntiAffinity: {{preferred{IGNORED}: [{{weight: 1, podAffinityTerm: {APART}}}]}}}}", True),
        (f"affinity: {{podAffinity: {{required{IGNORED}: [{APART}]}}}}", False),
    ],
)  # fmt: skip
def test_pods_are_kept_apart_by_a_term_that_selects_them(term: str, is_spread: bool) -> None:
    text = (SERVED % (3, "shop", "{app: api}")).replace("containers:", f"{term}\n      containers:")
    outcome = judged("topology-spread", text)
    assert [each.fail.quantities[0].value for each in outcome.found] == ([] if is_spread else [3])
    assert outcome.tallies[0].passed == is_spread
