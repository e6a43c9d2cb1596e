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
from findings.checks.topology_spread import most_in_one
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


@given(st.integers(1, 200), st.integers(1, 10), st.integers(1, 5))
def test_one_zone_holds_at_least_its_share_and_at_most_all(replicas: int, zones: int, skew: int) -> None:
    held = most_in_one(replicas, zones, skew)
    assert replicas / zones <= held <= replicas
    assert most_in_one(replicas, zones, None) == replicas


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
