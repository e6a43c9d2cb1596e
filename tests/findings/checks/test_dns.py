"""7.1: the figures of the golden table, and what counts as a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findings.checks import engine
from findings.checks.dns import META, queries_per_lookup
from findings.checks.registry import CHECKS
from findings.platform import reader
from findings.platform.files import File
from findings.platform.hosts import host_of


def test_a_name_outside_the_cluster_is_asked_for_once_per_search_domain() -> None:
    assert queries_per_lookup(2, 5, 4) == 10
    assert queries_per_lookup(2, 5, 3) == 8


def test_a_name_with_enough_dots_is_asked_for_as_it_is() -> None:
    assert queries_per_lookup(2, 2, 4) == 2
    assert queries_per_lookup(5, 5, 3) == 2


@given(st.integers(0, 10), st.integers(0, 15), st.integers(0, 6))
def test_more_search_domains_never_ask_fewer_questions(dots: int, ndots: int, search: int) -> None:
    assert queries_per_lookup(dots, ndots, search + 1) >= queries_per_lookup(dots, ndots, search) >= 2


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://api.example.com/v1", "api.example.com"), ("redis:6379", "redis"), ("http://cart", "cart"),
        ("postgresql://u:p@db.shop.svc:5432/x", "db.shop.svc"), ("https://api.example.com.", "api.example.com."),
        ("api.example.com", ""), ("org.apache.kafka.Serializer", ""), ("10.0.0.1:80", ""), ("http://localhost:1", ""),
        ("http://$(NAME):4318", ""), ("a=b", ""), ("", ""), ("12:30", ""),
        ("PLAINTEXT://:9092", ""), ("1@kafka:9093", "kafka"),
    ],
)  # fmt: skip
def test_a_host_is_what_a_url_or_a_port_makes_one(text: str, host: str) -> None:
    assert host_of(text) == host


def judged(text: str, facts: str = "") -> engine.Outcome:
    files = [File("a.yaml", text)] + ([File("platform-risk.yaml", facts)] if facts else [])
    return engine.run(reader.read(files), [CHECKS[META.id]])


SERVER = """apiVersion: apps/v1
kind: Deployment
metadata: {name: coredns, namespace: kube-system}
spec:
  template:
    metadata: {labels: {k8s-app: kube-dns}}
    spec: {containers: [{name: coredns}]}
"""


def test_a_deployment_without_replicas_is_a_single_point_of_failure() -> None:
    (found,) = judged(SERVER).found
    (quantity,) = found.fail.quantities
    assert (quantity.name, quantity.value, quantity.inputs[0].source) == ("replicas", 1, "provider_default")


CLIENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  template:
    spec:
      %s
      containers: [{name: api, env: [{name: URL, value: "https://pay.example.com%s/"}]}]
"""


@pytest.mark.parametrize(
    ("pod", "dot", "fails"),
    [
        ("restartPolicy: Always", "", True),
        ("restartPolicy: Always", ".", False),
        ("dnsPolicy: Default", "", False),
        ("hostNetwork: true", "", False),
        ('dnsConfig: {options: [{name: ndots, value: "2"}]}', "", False),
        ("dnsPolicy: None", "", False),
    ],
)
def test_only_names_that_search_domains_are_tried_for_multiply(pod: str, dot: str, fails: bool) -> None:
    found = [each for each in judged(CLIENT % (pod, dot)).found if "search" in each.fail.subject]
    assert bool(found) is fails


def test_a_cache_on_every_node_that_is_stated_settles_it() -> None:
    outcome = judged(CLIENT % ("restartPolicy: Always", ""), "dns: {node_local_cache: true}")
    assert not outcome.found
    assert not outcome.tallies[0].unsure


def asked(text: str) -> list[tuple[str, object]]:
    """(title, queries) of names that no search domain completes."""
    found = [each.fail for each in judged(text).found if "search" in each.fail.subject]
    return [(each.title, each.quantities[0].value) for each in found]


@pytest.mark.parametrize(
    ("pod", "queries"),
    [
        ("dnsPolicy: ClusterFirst", 8),
        ("dnsPolicy: ClusterFirstWithHostNet\n      hostNetwork: true", 8),
        ('dnsConfig: {options: [{name: ndots, value: "3"}]}', 8),
        ('dnsConfig: {options: [{name: timeout, value: "1"}, {name: ndots, value: many}]}', 8),
        ("dnsConfig: {searches: [a.example, b.example]}", 12),
        ("dnsPolicy: None\n      dnsConfig: {searches: [a.example]}", 4),
        ('dnsConfig: {options: [{name: ndots, value: "2"}], searches: [a.example]}', None),
    ],
)
def test_a_name_is_asked_for_under_each_domain_while_it_has_too_few_dots(pod: str, queries: int | None) -> None:
    """pay.example.com has two dots."""
    assert [count for _, count in asked(CLIENT % (pod, ""))] == ([queries] if queries else [])


def test_the_name_with_most_questions_is_told_with_how_many_others_there_are() -> None:
    three = (CLIENT % ("dnsPolicy: ClusterFirst", "")) + "---\n" + (
        CLIENT % ("dnsConfig: {searches: [a.example]}", "")
    ).replace("pay", "tax").replace("name: api", "name: web") + "---\n" + (
        CLIENT % ("dnsPolicy: ClusterFirst", "")
    ).replace("pay", "map").replace("name: api", "name: job")  # fmt: skip
    assert asked(three) == [("Each lookup of tax.example.com and 2 more asks 10 questions", 10)]
    assert asked(CLIENT % ("dnsPolicy: ClusterFirst", "")) == [("Each lookup of pay.example.com asks 8 questions", 8)]


def test_what_the_cluster_and_what_a_pod_says_are_told_apart() -> None:
    def sources(pod: str) -> list[tuple[object, str]]:
        (found,) = [each for each in judged(CLIENT % (pod, "")).found if "search" in each.fail.subject]
        return [(each.value, each.source) for each in found.fail.quantities[0].inputs]

    assert sources("dnsPolicy: ClusterFirst") == [(2, "file"), (5, "provider_default"), (3, "provider_default")]
    assert sources('dnsConfig: {options: [{name: ndots, value: "4"}]}')[1] == (4, "file")
    assert sources("dnsPolicy: None\n      dnsConfig: {searches: [a.example]}")[2] == (1, "file")


COREFILE = """---
apiVersion: v1
kind: ConfigMap
metadata: {namespace: NAMESPACE, name: coredns}
data:
  Corefile: |
    .:53 {
        PLUGIN
    }
"""


@pytest.mark.parametrize(
    ("plugin", "namespace", "told"),
    [
        ("cache 30", "kube-system", " It keeps answers for 30 s, but serves none that is stale."),
        ("cache 60 {\n            serve_stale\n        }", "kube-system",
         " It keeps answers for 60 s and serves stale ones."),
        ("forward . 10.0.0.1", "kube-system", " Its Corefile keeps no answers."),
        ("cache 30", "elsewhere", ""),
    ],
)  # fmt: skip
def test_what_the_only_server_keeps_is_told(plugin: str, namespace: str, told: str) -> None:
    text = SERVER + COREFILE.replace("PLUGIN", plugin).replace("NAMESPACE", namespace)
    (found,) = judged(text).found
    assert (found.fail.why, str(found.severity)) == (f"One pod is the cluster's DNS.{told}", "high")


@pytest.mark.parametrize(
    ("replicas", "pod", "scaler", "verdict"),
    [
        ("replicas: 2", "affinity: {podAntiAffinity: {a: 1}}", None, "passes"),
        ("replicas: 2", "topologySpreadConstraints: [{maxSkew: 1}]", None, "passes"),
        ("replicas: 2", "affinity: {nodeAffinity: {a: 1}}", None, "medium"),
        ("replicas: 1", "affinity: {podAntiAffinity: {a: 1}}", None, "high"),
        ("replicas: 3", "affinity: {podAntiAffinity: {a: 1}}", 1, "high"),  # at low load there is one
        ("replicas: 1", "affinity: {podAntiAffinity: {a: 1}}", 2, "passes"),
        ("replicas: many", "affinity: {podAntiAffinity: {a: 1}}", None, "unknown"),
    ],
)
def test_servers_are_two_and_apart(replicas: str, pod: str, scaler: int | None, verdict: str) -> None:
    text = SERVER.replace("spec:\n", f"spec:\n  {replicas}\n", 1).replace("containers:", f"{pod}, containers:")
    if scaler is not None:
        text += (
            "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n"
            "metadata: {name: d, namespace: kube-system}\n"
            f"spec: {{minReplicas: {scaler}, maxReplicas: 5, scaleTargetRef: {{kind: Deployment, name: coredns}}}}\n"
        )
    outcome = judged(text)
    tally = outcome.tallies[0]
    assert [str(each.severity) for each in outcome.found] == ([verdict] if verdict in ("medium", "high") else [])
    assert (tally.passed, len(tally.unsure)) == (int(verdict == "passes"), int(verdict == "unknown"))


DAEMON = """---
apiVersion: apps/v1
kind: {}
metadata: {{name: {}}}
spec: {{template: {{spec: {{containers: [{{name: a}}]}}}}}}
"""


@pytest.mark.parametrize(
    ("more", "facts", "is_kept"),
    [
        ("", "", False),
        ("", "dns: {node_local_cache: false}", False),
        (DAEMON.format("DaemonSet", "node-local-dns"), "", True),
        (DAEMON.format("Deployment", "node-local-dns"), "", False),
        (DAEMON.format("DaemonSet", "node-exporter"), "", False),
        ("---\nenable_nodelocaldns: true\n", "", True),
        ("---\nenable_nodelocaldns: maybe\n", "", False),
    ],
)
def test_a_cache_on_every_node_keeps_the_answers(more: str, facts: str, is_kept: bool) -> None:
    outcome = judged(CLIENT % ("dnsPolicy: ClusterFirst", "") + more, facts)
    subjects = [each.subject for each in outcome.tallies[0].unsure]
    assert ("cache on every node" in subjects) is not is_kept
    assert outcome.tallies[0].passed == is_kept
