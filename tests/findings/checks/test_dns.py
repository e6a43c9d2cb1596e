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
