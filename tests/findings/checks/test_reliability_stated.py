"""Section 8: what is stated beside a probe, a disk, a quota or a call, and the verdict on it."""

import pytest

from tests.findings.checks import reading

SERVED = """apiVersion: apps/v1
kind: KIND
metadata: {name: api, namespace: shop}
spec:
  replicas: 1
  MORE
  template:
    metadata: {labels: {app: api}}
    spec:
      CONTAINERS
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, OF_SERVICE}
"""


def served(containers: str = "containers: [{name: api}]", of_service: str = "", kind: str = "Deployment",
           more: str = "") -> str:  # fmt: skip
    text = SERVED.replace("KIND", kind).replace("CONTAINERS", containers).replace("MORE", more)
    return text.replace("OF_SERVICE", of_service or "ports: [{port: 80}]")


READY = "readinessProbe: {httpGet: {port: 1}}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (served(of_service="publishNotReadyAddresses: true"), "nothing"),  # it sends requests to all, ready or not
        (served(of_service="publishNotReadyAddresses: false"), "Requests reach api before it is ready"),
        (served("initContainers: [{name: side, restartPolicy: Always, ports: [{containerPort: 80}]}]\n"
                f"      containers: [{{name: api, {READY}}}]"), "Requests reach side before it is ready"),
        (served("initContainers: [{name: once, ports: [{containerPort: 80}]}]\n"
                f"      containers: [{{name: api, {READY}}}]"), "passes"),
        (served("containers: [{name: web, ports: [{containerPort: 80}]}, {name: log, ports: [{containerPort: 9}]}]"),
         "Requests reach web before it is ready"),
        (served("containers: [{name: web, ports: [{name: http, containerPort: 80}]}, {name: log}]",
                "ports: [{port: 1, targetPort: http}]"), "Requests reach web before it is ready"),
        (served("containers: [{name: web, ports: [{containerPort: 5}]}, {name: log}]"),
         "Requests reach web before it is ready"),
        (served("containers: [{name: a, image: envoyproxy/envoy:1}]"), "Requests reach a before it is ready"),
        (served(f"containers: [{{name: a, {READY}, livenessProbe: {{periodSeconds: 2, failureThreshold: 2}}}}, "
                f"{{name: b, {READY}, livenessProbe: {{periodSeconds: 1}}}}]"),
         "b is restarted after 3 s without an answer, and 1 more within 10 s"),
    ],
)  # fmt: skip
def test_the_containers_that_requests_reach_are_asked_whether_they_are_ready(text: str, told: str) -> None:
    outcome = reading.outcome("probes", a_yaml=text)
    assert [each.fail.title for each in outcome.found] == ([] if told in ("passes", "nothing") else [told])
    assert outcome.tallies[0].passed == (told == "passes")


def test_what_kubernetes_does_by_itself_between_probes_is_called_its_default() -> None:
    (fail,) = reading.fails(
        "probes", a_yaml=served(f"containers: [{{name: a, {READY}, livenessProbe: {{periodSeconds: 1}}}}]")
    )
    assert [(each.name, each.value, each.source) for each in fail.quantities[0].inputs] == [
        ("periodSeconds", 1, "file"), ("failureThreshold", 3, "provider_default"),
    ]  # fmt: skip
    slow = served(f"containers: [{{name: a, {READY}, livenessProbe: {{failureThreshold: 1}}}}]")
    assert reading.fails("probes", a_yaml=slow) == []  # ten seconds between two


CLAIM = """---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop}
spec: {accessModes: MODES}
"""
MOUNTED = """containers: [{name: api}]
      volumes: [{name: t, emptyDir: {}}, {name: d, persistentVolumeClaim: {claimName: data}}]"""
LONGER = "Its volume stays attached to the lost node for up to six minutes more."
DELETED = "A StatefulSet starts a pod again only when the old one, or its node, is deleted."


@pytest.mark.parametrize(
    ("text", "longer"),
    [
        (served(), []),
        (served(MOUNTED) + CLAIM.replace("MODES", "[ReadWriteOnce]"), [LONGER]),
        (served(MOUNTED) + CLAIM.replace("MODES", "[ReadWriteOncePod]"), [LONGER]),
        (served(MOUNTED) + CLAIM.replace("MODES", "[ReadWriteMany]"), []),
        (served(MOUNTED) + CLAIM.replace("MODES", "[ReadWriteOnce, ReadWriteMany]"), []),
        (served(MOUNTED) + CLAIM.replace("MODES", "[]"), []),
        (served(MOUNTED), []),  # its claim is elsewhere
        (served(kind="StatefulSet"), [DELETED]),
        (served(kind="StatefulSet", more="volumeClaimTemplates: [{metadata: {name: d}}]"), [DELETED, LONGER]),
    ],
)
def test_what_keeps_it_down_for_longer_is_told_beside_the_figure(text: str, longer: list[str]) -> None:
    (fail,) = reading.fails("single-replica", a_yaml=text)
    assert [each for each in (DELETED, LONGER) if each in fail.why] == longer
    assert list(fail.quantities[1].assumptions[1:]) == longer
    assert reading.figures(fail)["seconds_down_on_node_loss"] == 350


@pytest.mark.parametrize(("instances", "verdict"), [("0", (0, 0)), ("1", (1, 0)), ("2", (0, 1)), ("many", (0, 0))])
@pytest.mark.parametrize(
    "cluster",
    [
        "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: a}\nspec: {instances: N}\n",
        "apiVersion: rabbitmq.com/v1beta1\nkind: RabbitmqCluster\nmetadata: {name: a}\nspec: {replicas: N}\n",
    ],
)
def test_a_cluster_of_one_has_nobody_to_take_over(cluster: str, instances: str, verdict: tuple[int, int]) -> None:
    tally = reading.outcome("single-replica", a_yaml=cluster.replace("N", instances)).tallies[0]
    assert (tally.failed, tally.passed) == verdict


SCALED = """apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  template:
    metadata: {labels: {app: api}}
    spec:
      initContainers: [{name: once, resources: {requests: {cpu: "9", memory: 9Gi}}}]
      containers: [{name: api, resources: {requests: {memory: 1Gi}, limits: {cpu: 200m, memory: 2Gi}}}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api, namespace: shop}
spec: {scaleTargetRef: {kind: Deployment, name: api}, minReplicas: 2, maxReplicas: 10}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: bounds, namespace: shop}
spec: {hard: {HARD}}
"""


@pytest.mark.parametrize(
    ("hard", "why"),
    [
        ("requests.memory: 5Gi", "ResourceQuota/shop/bounds allows 5Gi of requests.memory; the maxima ask for 10Gi."),
        ("limits.memory: 5Gi", "ResourceQuota/shop/bounds allows 5Gi of limits.memory; the maxima ask for 20Gi."),
        ("requests.cpu: '1'", "ResourceQuota/shop/bounds allows 1 of requests.cpu; the maxima ask for 2."),  # its limit
        ("pods: '5'", "ResourceQuota/shop/bounds allows 5 of pods; the maxima ask for 10."),
    ],
)
def test_a_quota_is_told_beside_what_is_asked_for(hard: str, why: str) -> None:
    (fail,) = reading.fails("resource-quota", a_yaml=SCALED.replace("HARD", hard))
    assert fail.why == why
    assert fail.subject == "Namespace/shop"
    assert reading.figures(fail)["cpu_cores_at_maximum"] == 2


@pytest.mark.parametrize(
    ("call", "verdict"),
    [
        ("httpx.codes(url)", "nothing"), ("httpx.AsyncClient(timeout=None)", "fails"),
        ("urlopen(url, data, t)", "passes"),
        ("requests.get(url, data, 5)", "fails"),  # the third of requests is no timeout
        ("urlopen(url, timeout=5)", "passes"), ("httpx.get(url, **options)", "nothing"),
    ],
)  # fmt: skip
def test_where_a_deadline_stands_depends_on_the_call(call: str, verdict: str) -> None:
    text = f"import httpx, requests\nfrom urllib.request import urlopen\n{call}\n"
    tally = reading.outcome("request-timeouts", app_py=text).tallies[0]
    assert (tally.failed, tally.passed) == (int(verdict == "fails"), int(verdict == "passes"))


ROUTES = """apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a}
spec:
  http:
    - {redirect: {uri: /}}
    - {timeout: 5s, route: [{destination: {host: a}}]}
    - {timeout: 5s, retries: {attempts: 2, perTryTimeout: 4s}, route: [{destination: {host: a}}]}
"""


def test_every_route_but_a_redirect_is_judged_by_its_number() -> None:
    outcome = reading.outcome("request-timeouts", a_yaml=ROUTES)
    assert [each.fail.subject for each in outcome.found] == ["VirtualService/a http.2"]
    assert outcome.tallies[0].passed == 1
    alone = "\n".join(line for line in ROUTES.splitlines() if "redirect" not in line and "5s, route" not in line)
    assert [each.subject for each in reading.fails("request-timeouts", a_yaml=alone)] == ["VirtualService/a"]
