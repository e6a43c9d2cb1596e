"""Whether what an alert watches includes something, by the labels that name it. PURE."""

import re

from findings.checks import signals
from findings.checks.signals import Sense
from findings.checks.subjects import PLATFORM, Subject
from findings.platform.patterns import globs, matches_any
from findings.platform.promql import Matcher

_NAMING = {
    "deployment": "Deployment", "statefulset": "StatefulSet", "daemonset": "DaemonSet", "replicaset": "ReplicaSet",
}  # fmt: skip
NAMED_BY = (*_NAMING, "app", "service", "workload", "container", "pod", "destination_workload",
            "destination_service_name", "service_name", "strimzi_io_cluster", "horizontalpodautoscaler",
            "consumergroup", "name", "kubernetes_pod_name", "kubernetes_name")  # fmt: skip
_CLAIM = ("persistentvolumeclaim",)
_IN_NAMESPACE = ("namespace", "exported_namespace", "kubernetes_namespace", "destination_service_namespace")
_OF_EXPORTERS = re.compile(r"(?:kube|node|container|kubelet|machine)_")
_OF_A_KIND = re.compile(r"kube_(deployment|statefulset|daemonset|replicaset)_")
_IN_CLUSTER = re.compile(r"(?:kube|kubelet|container|node)_|kubernetes|K8s|ContainerInsights")


def includes(sense: Sense, subject: Subject) -> bool | None:
    """Whether what is watched includes the subject, by the labels that name it. None: they cannot be read so far."""
    kind = _OF_A_KIND.match(sense.metric)
    if kind and subject.kind in _NAMING.values() and _NAMING[kind[1]] != subject.kind:
        return False
    if "." in subject.id.partition("/")[0] and _IN_CLUSTER.match(sense.metric):
        return False  # what Terraform makes is outside the cluster
    answers = [_fits(matcher, sense, subject) for matcher in sense.matchers]
    if False in answers:
        return False
    return None if None in answers else True


def _fits(matcher: Matcher, sense: Sense, subject: Subject) -> bool | None:
    if subject.id == PLATFORM:
        return True
    if matcher.label in _IN_NAMESPACE:
        return _matches(matcher, {subject.namespace}) if subject.namespace else None
    if matcher.label in NAMED_BY:
        return _matches(matcher, subject.names)
    if matcher.label == "job" and not _OF_EXPORTERS.match(sense.metric):
        return _matches(matcher, subject.names)
    if matcher.label in _CLAIM:
        return None
    if matcher.label == signals.NAMED:
        return _matches(matcher, subject.names) or None
    return True


def _matches(matcher: Matcher, names: "frozenset[str] | set[str]") -> bool | None:
    """Regular expressions only as far as they are lists of names with wildcards: what an upload brings is not run."""
    if matcher.operator in ("=", "!="):
        hit: bool | None = matcher.value in names if matcher.value else None
        if matcher.value == "" and matcher.operator == "!=":
            return True
    else:
        hit = _any_glob(matcher.value, names)
    if hit is None or matcher.operator in ("=", "=~"):
        return hit
    return not hit


def _any_glob(pattern: str, names: "frozenset[str] | set[str]") -> bool | None:
    parts = globs(pattern)
    if parts is None:
        return None
    # A pod is called like its workload with more behind.
    return matches_any(parts, names) or matches_any(parts, (f"{name}-0" for name in list(names)))
