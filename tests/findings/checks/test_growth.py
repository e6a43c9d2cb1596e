"""Twice as much of anything takes about twice the work: counted in calls, which are the same in every run."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from findings.checks import engine
from findings.platform import reader
from findings.platform.files import File

FEW = 40
Files = list[tuple[str, str]]
Shape = Callable[[int], Files]

WORKLOAD = """---
kind: Deployment
apiVersion: apps/v1
metadata: {name: NAME, namespace: shop, labels: {app: NAME}}
spec:
  replicas: 3
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      containers:
        - name: main
          image: registry.example/NAME:1
          env:
            - {name: DATABASE_URL, value: "postgres://db-NAME/main"}
            - {name: KAFKA_TOPIC, value: t-NAME}
            - {name: API_TOKEN, valueFrom: {secretKeyRef: {name: NAME, key: token}}}
"""
FIXED = WORKLOAD.replace("NAME", "fixed")


def _of(text: str, number: int) -> str:
    return text.replace("NAME", f"x{number}").replace("NUMBER", str(number))


def each(text: str, count: int) -> str:
    """Once for each, with its NAME and NUMBER."""
    return "".join(_of(text, number) for number in range(count))


def one_file(path: str, text: str, *, before: str = "") -> Shape:
    return lambda count: [(path, before + each(text, count))]


def files(path: str, text: str, *beside: Shape) -> Shape:
    """A file for each, and other files beside them."""
    return lambda count: [
        *((_of(path, number), _of(text, number)) for number in range(count)),
        *(file for shape in beside for file in shape(count)),
    ]


def kubernetes(text: str) -> Shape:
    return one_file("a.yaml", text, before=FIXED)


def of_kind(kind: str, api: str, rest: str = "", *, namespace: str = "shop") -> str:
    head = f"---\nkind: {kind}\napiVersion: {api}\nmetadata: {{name: NAME, namespace: {namespace}}}\n"
    return f"{head}{rest}\n" if rest else head


SHAPES: dict[str, Shape] = {
    "workloads": kubernetes(WORKLOAD),
    "workloads of one name in folders": files("dNUMBER/a.yaml", FIXED),
    "workloads of an environment": files("prod/NAME.yaml", WORKLOAD),
    "services": kubernetes(WORKLOAD + of_kind("Service", "v1", "spec: {selector: {app: NAME}}")),
    "budgets": kubernetes(of_kind("PodDisruptionBudget", "policy/v1", "spec: {maxUnavailable: 1, selector: {}}")),
    "autoscalers": kubernetes(
        of_kind(
            "HorizontalPodAutoscaler",
            "autoscaling/v2",
            "spec: {scaleTargetRef: {kind: Deployment, name: fixed}, minReplicas: 2, maxReplicas: 9}",
        )
    ),
    "ConfigMaps": kubernetes(of_kind("ConfigMap", "v1", 'data: {a.yaml: "x: 1\\ny: 2\\n"}')),
    "ConfigMaps of one name": kubernetes(
        of_kind("ConfigMap", "v1", 'data: {a.yaml: "x: 1\\ny: 2\\n"}').replace("NAME", "fixed")
    ),
    "Secrets": kubernetes(
        WORKLOAD
        + of_kind("ExternalSecret", "external-secrets.io/v1", "spec: {refreshInterval: 1h, data: [{secretKey: token}]}")
    ),
    "roles": kubernetes(
        of_kind(
            "Role", "rbac.authorization.k8s.io/v1", "rules: [{apiGroups: [''], resources: [secrets], verbs: [get]}]"
        )
        + of_kind(
            "RoleBinding",
            "rbac.authorization.k8s.io/v1",
            "roleRef: {kind: Role, name: NAME}\nsubjects: [{kind: User, name: NAME}]",
        )
    ),
    "topics": kubernetes(
        WORKLOAD
        + of_kind("KafkaTopic", "kafka.strimzi.io/v1", "spec: {partitions: 12, topicName: t-NAME}")
        + of_kind(
            "ScaledObject",
            "keda.sh/v1alpha1",
            "spec: {scaleTargetRef: {name: NAME}, triggers: [{type: kafka, metadata: {topic: t-NAME}}]}",
        )
    ),
    "schedules of backups": kubernetes(
        of_kind("Schedule", "velero.io/v1", "spec: {schedule: 0 1 * * *, template: {includedNamespaces: [NAME]}}")
        + of_kind("PersistentVolumeClaim", "v1", namespace="NAME")
        + of_kind(
            "StatefulSet",
            "apps/v1",
            "spec: {template: {spec: {containers: [{name: a}]}}, volumeClaimTemplates: [{metadata: {name: d}}]}",
            namespace="NAME",
        )
    ),
    "windows": kubernetes(
        of_kind("Application", "argoproj.io/v1alpha1", "spec: {project: NAME, syncPolicy: {automated: {}}}")
        + of_kind(
            "AppProject",
            "argoproj.io/v1alpha1",
            "spec: {syncWindows: [{kind: allow, schedule: 0 9 * * 1-5, duration: 8h, applications: ['*']}]}",
        )
    ),
    "a mesh": kubernetes(
        of_kind(
            "DestinationRule",
            "networking.istio.io/v1",
            "spec: {host: NAME, trafficPolicy: {outlierDetection: {consecutive5xxErrors: 5}}}",
        )
        + of_kind(
            "VirtualService",
            "networking.istio.io/v1",
            "spec: {hosts: [NAME], http: [{route: [{destination: {host: NAME}, weight: 100}]}]}",
        )
    ),
    "quotas": kubernetes(of_kind("ResourceQuota", "v1", "spec: {hard: {pods: 10}}", namespace="NAME")),
    "overlays": files(
        "oNUMBER/kustomization.yaml",
        "kind: Kustomization\nreplicas: [{name: NAME, count: 3}]\n",
        one_file("a.yaml", WORKLOAD),
    ),
    "compose": one_file("compose.yaml", "  NAME: {image: a, environment: {A: b}}\n", before="services:\n"),
    "Dockerfiles": files("NUMBER/Dockerfile", "FROM x\nCMD gunicorn -w 4 a\n", one_file("a.yaml", WORKLOAD)),
    "settings": one_file("a.properties", "kNUMBER.pool.size=5\nkafkaNUMBER.acks=1\n"),
    "calls": one_file("a.py", "create_engine('x', pool_size=NUMBER)\nProducer(acks=1)\n"),
    "variables of a container": kubernetes("            - {name: VNUMBER, value: x}\n"),
    "alerts": files(
        "aNUMBER.yml",
        """groups:
  - name: NAME
    rules:
      - alert: Down
        expr: kube_deployment_status_replicas_available{deployment="NAME"} == 0
        labels: {severity: critical}
""",
        one_file("a.yaml", WORKLOAD),
    ),
    "alerts of Grafana": one_file(
        "g.yaml",
        """      - uid: uNUMBER
        title: NAME
        condition: A
        for: 5m
        labels: {severity: critical}
        data: [{refId: A, datasourceUid: p, model: {expr: up == NUMBER}}]
""",
        before="apiVersion: 1\ngroups:\n  - name: a\n    folder: f\n    interval: 1m\n    rules:\n",
    ),
    "databases": one_file(
        "a.tf", 'resource "aws_db_instance" "NAME" {\n  engine = "postgres"\n  identifier = "db-NAME"\n}\n'
    ),
    "groups of logs": one_file("a.tf", 'resource "aws_cloudwatch_log_group" "NAME" {\n  name = "NAME"\n}\n'),
    "alarms": one_file(
        "a.tf",
        """resource "aws_cloudwatch_metric_alarm" "NAME" {
  namespace           = "AWS/RDS"
  metric_name         = "CPUUtilization"
  comparison_operator = "GreaterThanThreshold"
  period              = 60
  evaluation_periods  = 3
  alarm_actions       = [aws_sns_topic.NAME.arn]
}
resource "aws_sns_topic" "NAME" {}
""",
    ),
    "conditions": one_file(
        "a.tf",
        """resource "newrelic_nrql_alert_condition" "NAME" {
  policy_id = newrelic_alert_policy.NAME.id
  nrql {
    query = "SELECT count(*) FROM Transaction"
  }
}
resource "newrelic_alert_policy" "NAME" {}
""",
    ),
    "modules": lambda count: [
        ("main.tf", each('module "NAME" {\n  source = "./m"\n  name = "NAME"\n}\n', count)),
        ("m/main.tf", 'variable "name" {}\nresource "aws_db_instance" "a" {\n  identifier = var.name\n}\n'),
    ],
}


def calls(given: Files) -> int:
    """Calls that reading and judging takes, of Python's functions and of those written in C."""
    count = 0

    def counted(_: FrameType, event: str, __: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    held = [File(*file) for file in given]
    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        engine.run(reader.read(held))
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("shape", SHAPES)
def test_the_work_grows_with_the_number_and_not_with_its_square(shape: str) -> None:
    engine.run(reader.read([File(*file) for file in SHAPES[shape](2)]))  # what is kept for later is kept now
    few, twice, four_times = (calls(SHAPES[shape](FEW * times)) for times in (1, 2, 4))
    assert twice > few
    assert (four_times - twice) / (twice - few) < 2.4
