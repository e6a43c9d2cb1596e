"""A platform to measure with: the manifests, Terraform and settings of so many services, the same in every run."""

import json
from pathlib import Path
from typing import Any

_SERVICE = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: team-{team}
  labels: {{app: {name}, team: team-{team}}}
  annotations:
    example.com/description: "Takes what {name} is sent and hands it on"
spec:
  replicas: {replicas}
  selector:
    matchLabels: {{app: {name}}}
  template:
    metadata:
      labels: {{app: {name}}}
    spec:
      serviceAccountName: {name}
      containers:
        - name: {name}
          image: registry.example.com/team-{team}/{name}:3.{number}.0
          args: ["gunicorn", "--workers", "4", "app.wsgi"]
          ports:
            - {{name: http, containerPort: 8080}}
          env:
            - {{name: DATABASE_URL, value: "postgresql://db-{team}/{name}"}}
            - {{name: DATABASE_POOL_SIZE, value: "10"}}
            - {{name: CACHE_URL, value: "redis://cache-{team}:6379/0"}}
            - name: API_TOKEN
              valueFrom:
                secretKeyRef: {{name: {name}, key: token}}
          resources:
            requests: {{cpu: 250m, memory: 256Mi}}
            limits: {{cpu: "1", memory: 512Mi}}
          readinessProbe:
            httpGet: {{path: /ready, port: http}}
          livenessProbe:
            httpGet: {{path: /live, port: http}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: {name}, namespace: team-{team}}}
spec:
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {name}}}
  minReplicas: {replicas}
  maxReplicas: {most}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target: {{type: Utilization, averageUtilization: 70}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: team-{team}}}
spec:
  selector: {{app: {name}}}
  ports:
    - {{name: http, port: 80, targetPort: http}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: {name}, namespace: team-{team}}}
spec:
  podSelector:
    matchLabels: {{app: {name}}}
  policyTypes: [Egress]
  egress:
    - to:
        - podSelector:
            matchLabels: {{app: cache-{team}}}
      ports:
        - {{protocol: TCP, port: 6379}}
---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {{name: {name}, namespace: team-{team}}}
spec:
  groups:
    - name: {name}
      rules:
        - alert: Errors
          expr: 'sum(rate(http_requests_total{{app="{name}",code=~"5.."}}[5m])) > 1'
          for: 5m
          labels: {{severity: page}}
"""
_CONFIG = """apiVersion: v1
kind: ConfigMap
metadata: {{name: {name}, namespace: team-{team}}}
data:
  app.yaml: |
    cache:
      ttl: 60
    kafka:
      topics:
        - {{name: {name}-events, partitions: 12, consumer_group: {name}}}
      producer: {{acks: all}}
"""
_TERRAFORM = """resource "aws_db_instance" "db_{team}" {{
  identifier              = "db-{team}"
  engine                  = "postgres"
  instance_class          = var.instance_class
  backup_retention_period = 14
}}

resource "aws_cloudwatch_log_group" "team_{team}" {{
  name              = "/team/{team}"
  retention_in_days = local.retention
}}

variable "instance_class" {{
  default = "db.r6g.large"
}}

locals {{
  retention = 30
}}
"""


def write(folder: Path, services: int) -> Path:
    """Ten services share a team, its database and its namespace."""
    for number in range(services):
        team = number // 10
        names = {"name": f"service-{number}", "team": team, "number": number, "replicas": 2 + number % 3,
                 "most": 4 + number % 20}  # fmt: skip
        place = folder / f"team-{team}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"service-{number}.yaml").write_text(_SERVICE.format(**names), encoding="utf-8")
        (place / f"config-{number}.yaml").write_text(_CONFIG.format(**names), encoding="utf-8")
        if number % 10 == 0:
            (folder / f"infrastructure-{team}").mkdir(exist_ok=True)
            text = _TERRAFORM.format(team=team)
            (folder / f"infrastructure-{team}" / "main.tf").write_text(text, encoding="utf-8")
    return folder


def write_export(file: Path, workloads: int) -> Path:
    """What `kubectl get -A -o json` prints of so many Deployments: each with its ReplicaSet, three pods and a Service,
    and with what the cluster itself writes beside what somebody declared."""
    items: list[dict[str, Any]] = []
    for number in range(workloads):
        name = f"service-{number}"
        deployment = _exported("apps/v1", "Deployment", name, number)
        pod = _pod(name)
        selector = {"matchLabels": {"app": name}}
        template = {"metadata": {"labels": {"app": name}}, "spec": pod}
        deployment["spec"] = {"replicas": 3, "selector": selector, "template": template}
        deployment["status"] = {"conditions": [{"type": "Available", "status": "True", "message": "m" * 80}] * 2}
        replicas = _exported("apps/v1", "ReplicaSet", f"{name}-6d4b", number, owner=("Deployment", name))
        replicas["spec"] = {"replicas": 3, "selector": selector, "template": template}
        items += [
            deployment,
            replicas,
            {**_exported("v1", "Service", name, number), "spec": {"selector": {"app": name}}},
        ]
        for each in "abc":
            owner = ("ReplicaSet", f"{name}-6d4b")
            items.append({**_exported("v1", "Pod", f"{name}-6d4b-{each}", number, owner=owner), "spec": pod})
    file.write_text(json.dumps({"apiVersion": "v1", "items": items, "kind": "List"}, indent=4), encoding="utf-8")
    return file


def _exported(api: str, kind: str, name: str, number: int, *, owner: tuple[str, str] | None = None) -> dict[str, Any]:
    fields = {
        "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
        "f:spec": {f"f:field{each}": {} for each in range(30)},
    }
    metadata: dict[str, Any] = {
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"spec": "y" * 400})},
        "managedFields": [{"apiVersion": api, "fieldsV1": fields, "manager": "argocd", "operation": "Update"}],
        "name": name, "namespace": f"team-{number // 10}", "resourceVersion": str(number), "uid": f"{number:032x}",
    }  # fmt: skip
    if owner is not None:
        metadata["ownerReferences"] = [{"kind": owner[0], "name": owner[1]}]
    return {"apiVersion": api, "kind": kind, "metadata": metadata}


def _pod(name: str) -> dict[str, Any]:
    container = {
        "name": name, "image": f"registry.example.com/{name}:1",
        "env": [{"name": f"VARIABLE_{each}", "value": f"value {each}"} for each in range(8)],
        "resources": {"limits": {"cpu": "500m", "memory": "512Mi"}, "requests": {"cpu": "100m", "memory": "256Mi"}},
        "livenessProbe": {"httpGet": {"path": "/live", "port": 8080}, "periodSeconds": 10},
    }  # fmt: skip
    return {"containers": [container], "dnsPolicy": "ClusterFirst", "restartPolicy": "Always"}
