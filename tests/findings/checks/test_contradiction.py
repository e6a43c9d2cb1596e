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


def images_of(*references: str, namespace: str = "shop") -> dict[str, str]:
    return {
        f"w{number}_yaml": DEPLOYMENT.format(name=f"w{number}", image=reference).replace(
            "metadata: {name: w", f"metadata: {{namespace: {namespace}, name: w"
        )
        for number, reference in enumerate(references)
    }


KYVERNO = """
apiVersion: kyverno.io/v1
kind: KIND
metadata: {name: ours, namespace: shop}
spec:
  validationFailureAction: ACTION
  rules:
    - name: ours
      match: {any: [{resources: {kinds: [Pod]MATCH}}]}
      validate: {pattern: {spec: {containers: [{image: "registry.example/*"}]}}}
"""


@pytest.mark.parametrize(
    ("kind", "match", "namespace", "is_told"),
    [
        ("ClusterPolicy", "", "shop", True),
        ("ClusterPolicy", ", namespaces: [shop]", "shop", True),
        ("ClusterPolicy", ", namespaces: [search, 'sh*']", "shop", True),
        ("ClusterPolicy", ", namespaces: [search]", "shop", False),
        ("Policy", "", "shop", True),
        ("Policy", "", "search", False),
    ],
)
def test_a_policy_is_held_against_the_namespaces_that_it_is_for(
    kind: str, match: str, namespace: str, is_told: bool
) -> None:
    policy = KYVERNO.replace("KIND", kind).replace("MATCH", match).replace("ACTION", "Enforce")
    files = images_of("registry.example/a:1", "docker.io/library/nginx:1", namespace=namespace)
    found = reading.outcome("contradiction", **files, policy_yaml=policy).found
    assert [(each.fail.title, str(each.severity)) for each in found] == (
        [("1 of 2 images break the platform's own rule", "medium")] if is_told else []
    )
    fitting = images_of("registry.example/a:1", namespace=namespace)
    assert reading.outcome("contradiction", **fitting, policy_yaml=policy).tallies[0].passed == is_told


TOPICS = "".join(
    f"---\napiVersion: kafka.strimzi.io/v1\nkind: KafkaTopic\nmetadata: {{name: {name}}}\nspec: {{partitions: 3}}\n"
    for name in ("orders", "payments")
)
SCALED = """---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: w}
spec:
  scaleTargetRef: {name: w}
  triggers: [{type: kafka, metadata: {consumerGroup: g, topic: TOPIC}}]
"""
READER = """---
apiVersion: apps/v1
kind: Deployment
metadata: {name: w}
spec:
  template:
    spec:
      containers:
        - name: w
          image: a
          env: [{name: KAFKA_TOPICS, value: "READS"}, {name: KAFKA_GROUP_ID, value: g}]
"""


@pytest.mark.parametrize(
    ("topic", "reads", "title"),
    [
        ("orders", "orders", ""),
        ("orders", "payments", "It scales by the lag of orders, and its pods read payments"),
        ("orders", "", ""),
        ("order", "", "It scales by the lag of order, which no file declares"),
    ],
)
def test_an_autoscaler_and_its_pods_read_the_same_topic(topic: str, reads: str, title: str) -> None:
    text = TOPICS + SCALED.replace("TOPIC", topic) + (READER.replace("READS", reads) if reads else "")
    outcome = reading.outcome("contradiction", a_yaml=text)
    assert [each.fail.title for each in outcome.found] == ([title] if title else [])
    assert outcome.tallies[0].passed == (not title)


APPLICATION = """
apiVersion: API
kind: Application
metadata: {name: shop}
spec: {PROJECTsyncPolicy: {automated: {prune: true}}}
"""
PROJECT = """
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: NAME}
spec: {WINDOWS}
"""
OWN = 'syncWindows: [{kind: allow, schedule: "0 9 * * *", duration: 8h, applications: ["*"]}]'


@pytest.mark.parametrize(
    ("api", "project", "of_projects", "verdict"),
    [
        ("argoproj.io/v1alpha1", "project: shop, ", PROJECT.replace("NAME", "shop").replace("WINDOWS", ""), "fails"),
        ("argoproj.io/v1alpha1", "project: shop, ", PROJECT.replace("NAME", "shop").replace("WINDOWS", OWN), "passes"),
        ("argoproj.io/v1alpha1", "project: shop, ", PROJECT.replace("NAME", "b").replace("WINDOWS", OWN), "unknown"),
        ("argoproj.io/v1alpha1", "", PROJECT.replace("NAME", "default").replace("WINDOWS", ""), "fails"),
        ("argoproj.io/v1alpha1", "project: shop, ", "a: 1\n", "unknown"),
        ("app.k8s.io/v1beta1", "project: shop, ", PROJECT.replace("NAME", "shop").replace("WINDOWS", ""), "nothing"),
    ],
)
def test_windows_are_enforced_by_the_project_of_what_syncs_by_itself(
    api: str, project: str, of_projects: str, verdict: str
) -> None:
    tally = reading.outcome(
        "contradiction",
        a_yaml='deployment_windows: [{start: "09:00", end: "17:00"}]\n',
        b_yaml=APPLICATION.replace("API", api).replace("PROJECT", project),
        c_yaml=of_projects,
    ).tallies[0]
    told = (tally.failed, tally.passed, len(tally.unsure))
    assert told == tuple(int(verdict == each) for each in ("fails", "passes", "unknown"))


@pytest.mark.parametrize(
    ("one", "two", "title"),
    [
        ("99.9", "99.95", "slo is 99.9 % and 99.95 %"),
        ("99.9", "0.999", ""), ("99.9", "'99.9%'", ""), ("1", "99.9", ""),  # all of it is no objective
        ("100", "99.9", ""), ("89", "99.9", ""), ("90", "99.9", "slo is 90 % and 99.9 %"),
        ("often", "99.9", ""), ("0.9", "99", "slo is 90 % and 99 %"),
    ],
)  # fmt: skip
def test_an_objective_is_nine_in_ten_or_more(one: str, two: str, title: str) -> None:
    fails = reading.fails("contradiction", a_yaml=f"slo: {one}\n", b_yaml=f"slo: {two}\n")
    assert [each.title for each in fails] == ([title] if title else [])


@pytest.mark.parametrize(
    ("replicas", "outside"), [("1", 1), ("2", None), ("9", None), ("12", 3), ("0", None), ("many", None), ("", None)]
)
def test_replicas_are_held_against_the_bounds_of_the_autoscaler(replicas: str, outside: int | None) -> None:
    scaler = (
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: api}\n"
        "spec: {scaleTargetRef: {kind: Deployment, name: api}, minReplicas: 2, maxReplicas: 9}\n"
    )
    stated = f"  replicas: {replicas}\n" if replicas else ""
    api = DEPLOYMENT.format(name="api", image="a").replace("spec:\n  t", f"spec:\n{stated}  t")
    fails = reading.fails("contradiction", a_yaml=api, b_yaml=scaler)
    assert [reading.figures(each)["pods_out_of_bounds"] for each in fails] == ([outside] if outside else [])
