"""What network policies let out, and what they hold back."""

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from findings.checks import network_egress
from findings.platform import network
from tests.examples import examples
from tests.findings.checks import reading

POLICY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: api, namespace: shop}}
spec:
  podSelector: {{matchLabels: {{app: api}}}}
  policyTypes: [Egress]
  egress: {egress}
"""
API = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: api, namespace: shop}}
spec:
  template:
    metadata: {{labels: {{app: api}}}}
    spec:
      containers:
        - name: api
          image: registry.example/api:1
          env: [{{name: TARGET, value: "{target}"}}]
"""
CALICO = """
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {{name: api, namespace: shop}}
spec:
  selector: {selector}
  types: [Egress]
  egress: {egress}
"""
DNS = "{ports: [{protocol: UDP, port: 53}]}"


def width(egress: str) -> dict[str, object] | None:
    fails = reading.fails("network-egress", a_yaml=POLICY.format(egress=egress))
    return reading.figures(fails[0]) if fails else None


@pytest.mark.parametrize(
    ("egress", "addresses", "metadata"),
    [
        ("[{}]", 4_294_967_296, 1),
        ("[{ports: [{port: 443}]}]", 4_294_967_296, 0),
        ("[{ports: [{port: 80}]}]", 4_294_967_296, 1),
        ("[{to: [{namespaceSelector: {}}], ports: [{port: 443}]}]", 0, 0),
        ("[{to: [{namespaceSelector: {}}]}]", 0, 0),
        ("[{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]", 16_777_216, 0),
        ("[{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32]}}]}]", 4_294_967_295, 0),
        ("[{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}, {to: [{ipBlock: {cidr: 10.1.0.0/16}}]}]", 16_777_216, 0),
    ],
)
def test_what_is_reached_is_the_size_of_the_union(egress: str, addresses: int, metadata: int) -> None:
    figures = width(egress)
    assert figures is not None
    assert figures["addresses_reachable"] == addresses
    assert figures["metadata_service_reachable"] == metadata


@pytest.mark.parametrize(
    "egress",
    [
        "[]",
        f"[{DNS}]",
        "[{to: [{podSelector: {}}]}]",
        "[{to: [{ipBlock: {cidr: 10.1.0.0/16}}]}]",
        "[{to: [{namespaceSelector: {matchLabels: {team: data}}}]}]",
        "[{to: [{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: kube-dns}}}]}]",
    ],
)
def test_what_names_its_destinations_passes(egress: str) -> None:
    assert width(egress) is None


def test_an_empty_namespace_selector_reaches_neither_the_internet_nor_the_metadata_service() -> None:
    figures = width("[{to: [{namespaceSelector: {}}], ports: [{protocol: TCP, port: 443}]}]")
    assert figures is not None
    assert (figures["addresses_reachable"], figures["metadata_service_reachable"]) == (0, 0)


def test_calicos_first_rule_that_matches_decides() -> None:
    egress = "[{action: Deny, destination: {nets: [10.0.0.0/8]}}, {action: Allow}]"
    (fail,) = reading.fails("network-egress", a_yaml=CALICO.format(selector="app == 'api'", egress=egress))
    assert reading.figures(fail)["addresses_reachable"] == 2**32 - 2**24


def test_calico_rules_by_label_pass() -> None:
    egress = "[{action: Allow, protocol: TCP, destination: {selector: app == 'ledger', ports: [8080]}}]"
    assert reading.fails("network-egress", a_yaml=CALICO.format(selector="all()", egress=egress)) == []


@pytest.mark.parametrize(
    ("target", "rules", "blocked"),
    [
        ("https://pay.example.com", f"[{{to: [{{podSelector: {{}}}}]}}, {DNS}]", 1),
        ("https://203.0.113.9", "[{to: [{ipBlock: {cidr: 203.0.113.0/24}}]}]", 0),
        ("https://203.0.113.9", "[{to: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: 80}]}]", 1),
        ("https://203.0.113.9", "[{to: [{ipBlock: {cidr: 203.0.113.0/24, except: [203.0.113.8/29]}}]}]", 1),
        ("https://203.0.113.9", "[{to: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: 400, endPort: 500}]}]", 0),
        ("postgres://db:5432/shop", f"[{{to: [{{podSelector: {{}}}}]}}, {DNS}]", 0),
        ("redis://cache.search.svc:6379", f"[{{to: [{{podSelector: {{}}}}]}}, {DNS}]", 1),
        ("http://localhost:9000", "[{to: [{podSelector: {}}]}]", 0),
    ],
)
def test_a_dependency_is_blocked_only_where_no_rule_can_let_it_through(target: str, rules: str, blocked: int) -> None:
    fails = reading.fails("network-egress", a_yaml=POLICY.format(egress=rules), b_yaml=API.format(target=target))
    found = [fail for fail in fails if fail.detail == "blocked"]
    assert len(found) == blocked
    assert all(reading.figures(fail)["dependencies_blocked"] == 1 for fail in found)


def test_a_dependency_that_is_allowed_cannot_be_used_when_its_name_cannot_be_resolved() -> None:
    rules = "[{to: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: 443}]}]"
    fails = reading.fails(
        "network-egress", a_yaml=POLICY.format(egress=rules), b_yaml=API.format(target="https://pay.example.com")
    )
    (fail,) = [fail for fail in fails if fail.detail == "blocked"]
    assert "DNS" in fail.why


def test_workloads_without_a_policy_are_unknown_until_somebody_says_that_all_policies_are_here() -> None:
    api = API.format(target="https://pay.example.com")
    (unsure,) = reading.unsure("network-egress", a_yaml=api)
    assert "its only workload" in unsure.reason
    (fail,) = reading.fails("network-egress", a_yaml=api, facts="network: {policies_complete: true}")
    assert reading.figures(fail)["addresses_reachable"] == 2**32


def test_a_patch_of_a_workload_is_no_second_one() -> None:
    api = API.format(target="https://pay.example.com")
    patch = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec: {template: {spec: {containers: [{name: api, resources: {limits: {cpu: "2"}}}]}}}
"""
    (unsure,) = reading.unsure("network-egress", a_yaml=api, patch_yaml=patch)
    assert "its only workload" in unsure.reason


@pytest.mark.parametrize("values", ["enabled: false\n  egress: [{}]", "egress: []", "egress: [allow, all]"])
def test_values_that_switch_nothing_on_say_nothing(values: str) -> None:
    outcome = reading.outcome("network-egress", values_yaml=f"networkPolicy:\n  {values}\n")
    assert (outcome.found, outcome.tallies[0].unsure) == ((), [])


blocks = st.lists(
    st.builds(
        lambda address, prefix: str(ipaddress.IPv4Network((address, prefix), strict=False)),
        st.integers(0, 2**32 - 1),
        st.integers(0, 32),
    ),
    max_size=6,
)


@given(blocks, blocks)
@settings(max_examples=examples(200), deadline=None)
def test_one_more_rule_never_reaches_less(first: list[str], second: list[str]) -> None:
    before = network_egress.addresses_reachable(network.spans_of(first))
    after = network_egress.addresses_reachable(network.spans_of([*first, *second]))
    assert before <= after <= before + network_egress.addresses_reachable(network.spans_of(second))


@given(blocks, blocks)
@settings(max_examples=examples(200), deadline=None)
def test_exceptions_take_out_what_they_cover_and_nothing_else(given_: list[str], gone: list[str]) -> None:
    spans, holes = network.spans_of(given_), network.spans_of(gone)
    left = network.without(spans, holes)
    size = network_egress.addresses_reachable
    assert size(left) + size(holes) == size([*spans, *holes])
    assert network.without(left, holes) == left
