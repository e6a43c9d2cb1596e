"""Two places that cannot both be right are both named."""

import pytest

from findings.vocabulary import Severity
from tests.findings.checks import reading

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  template:
    spec:
      containers: [{{name: {name}, image: "{image}"}}]
"""
REPOS = """
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: K8sAllowedRepos
metadata: {name: ours}
spec:
  match: {excludedNamespaces: [kube-system]}
  parameters: {repos: ["registry.example/"]}
"""


def test_both_places_are_named() -> None:
    (fail,) = reading.fails(
        "contradiction",
        a_yaml=DEPLOYMENT.format(name="api", image="registry.example/api:1"),
        b_yaml=DEPLOYMENT.format(name="web", image="docker.io/library/nginx:1"),
        policy_yaml=REPOS,
    )
    assert [place.path for place in fail.places] == ["policy.yaml", "b.yaml"]
    assert reading.figures(fail)["images_against_own_policy"] == 1


def test_a_policy_that_no_image_fits_is_not_that_of_these_workloads() -> None:
    fails = reading.fails(
        "contradiction", a_yaml=DEPLOYMENT.format(name="web", image="docker.io/library/nginx:1"), policy_yaml=REPOS
    )
    assert fails == []


def test_a_policy_that_only_reports_is_less_severe() -> None:
    (fail,) = reading.fails(
        "contradiction",
        a_yaml=DEPLOYMENT.format(name="api", image="registry.example/api:1"),
        b_yaml=DEPLOYMENT.format(name="web", image="docker.io/library/nginx:1"),
        policy_yaml=REPOS.replace("spec:\n", "spec:\n  enforcementAction: warn\n"),
    )
    assert fail.severity is Severity.LOW


@pytest.mark.parametrize(
    ("one", "two", "ratio"),
    [("99.9", "99.95", 2.0), ("0.999", "99.99", 10.0), ("99.9%", "99.5%", 5.0)],
)
def test_an_objective_with_two_values_is_told_with_the_ratio_of_their_budgets(one: str, two: str, ratio: float) -> None:
    (fail,) = reading.fails("contradiction", a_yaml=f"checkout: {{slo: {one}}}\n", b_yaml=f"checkout: {{slo: {two}}}\n")
    assert reading.figures(fail)["budget_ratio"] == pytest.approx(ratio)
    assert {place.path for place in fail.places} == {"a.yaml", "b.yaml"}


def test_the_same_objective_in_two_spellings_is_no_contradiction() -> None:
    outcome = reading.outcome("contradiction", a_yaml="slo: {target: 0.999}\n", facts="slo: {target: 99.9}\n")
    assert (outcome.found, outcome.tallies[0].passed) == ((), 1)


def test_how_often_a_language_has_some_letters_is_no_objective() -> None:
    texts = {"sk_json": '{"freq": {"slo": 65, "tak": 70}}', "lv_json": '{"freq": {"slo": 56, "tak": 12}}'}
    assert not reading.fails("contradiction", **texts)


def test_objectives_of_two_services_may_differ() -> None:
    text = {"a_yaml": "checkout: {slo: 99.9}\n", "b_yaml": "search: {slo: 99.5}\n"}
    assert reading.fails("contradiction", **text) == []


@pytest.mark.parametrize("automated", ["{enabled: false}", "null"])
def test_a_deployer_that_does_not_sync_by_itself_needs_no_windows(automated: str) -> None:
    outcome = reading.outcome(
        "contradiction",
        a_yaml='deployment_windows: [{start: "09:00", end: "17:00"}]\n',
        b_yaml=f"""
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: shop}}
spec: {{project: shop, syncPolicy: {{automated: {automated}}}}}
""",
    )
    assert (outcome.found, outcome.tallies[0].unsure) == ((), [])


def test_replicas_within_the_bounds_of_the_autoscaler_are_no_contradiction() -> None:
    scaler = """
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api}
spec:
  scaleTargetRef: {kind: Deployment, name: api}
  minReplicas: 2
  maxReplicas: 9
"""
    api = DEPLOYMENT.format(name="api", image="registry.example/api:1")
    assert (
        reading.fails("contradiction", a_yaml=api.replace("spec:\n  t", "spec:\n  replicas: 3\n  t"), b_yaml=scaler)
        == []
    )
    assert reading.fails("contradiction", a_yaml=api.replace("spec:\n  t", "spec:\n  replicas: 10\n  t"), b_yaml=scaler)
