"""The usage formats, one line each, and which one a file has. PURE."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from costs.usage import cloudwatch, elasticsearch, entities, exposition, loki, mimirtool, newrelic, prometheus
from costs.usage.reading import json, mapping, refuse
from costs.usage.records import Usage, UsageError
from platform_risk.core import looks


@dataclass(frozen=True)
class Format:
    name: str
    title: str
    read: Callable[[bytes], Usage]


FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format("prometheus-tsdb", "Prometheus, status/tsdb", prometheus.read_tsdb),
        Format("prometheus-query-range", "Prometheus, query_range", prometheus.read_query_range),
        Format(exposition.FORMAT, "OpenMetrics or Prometheus text", exposition.read),
        Format(mimirtool.FORMAT, "mimirtool analyze prometheus", mimirtool.read),
        Format(newrelic.FORMAT, "New Relic consumption", newrelic.read),
        Format(cloudwatch.LOG_GROUPS, "CloudWatch, describe-log-groups", cloudwatch.read_log_groups),
        Format(cloudwatch.METRICS, "CloudWatch, IncomingBytes", cloudwatch.read_metrics),
        Format(elasticsearch.INDICES, "Elasticsearch, _cat/indices", elasticsearch.read_indices),
        Format(elasticsearch.ILM, "Elasticsearch, _ilm/policy", elasticsearch.read_ilm),
        Format(loki.FORMAT, "Loki’s configuration", loki.read),
        Format(entities.PODS, "kubectl get pods", entities.read_pods),
        Format(entities.ENTITIES, "Entities: a search, or a table of lives", entities.read_entities),
    )
}


_HEAD = 4096
# Keys that come early in a tool's answer, by which one that is broken is known. Answers of Kubernetes are left to those
# who read configuration, unless the first object is a pod: such a list is mostly of nothing else.
_PODS = re.compile(
    rb'"items"\s*:\s*\[\s*\{\s*(?:"apiVersion"\s*:\s*"v1"\s*,\s*)?"kind"\s*:\s*"Pod"|"kind"\s*:\s*"PodList"'
)
_KEYS = {
    "prometheus-tsdb": b'"headStats"', "prometheus-query-range": b'"resultType"',
    mimirtool.FORMAT: b'"(?:total_active_series|in_use_active_series)"', cloudwatch.LOG_GROUPS: b'"logGroups"',
    cloudwatch.METRICS: b'"MetricDataResults"', elasticsearch.INDICES: b'"(?:pri[.])?store[.]size"',
    elasticsearch.ILM: b'"policy".*"phases"', entities.ENTITIES: b'"entitySearch"',
    newrelic.FORMAT: b'"(?:nrql|beginTimeSeconds|GigabytesIngested)"',
}  # fmt: skip


def read(content: bytes, requested: str = "") -> Usage:
    """Raises UsageError with place and remedy."""
    content, encoding = looks.as_utf8(content)  # what PowerShell redirects into a file is UTF-16
    name = requested or detect(content)
    if name not in FORMATS:
        raise UsageError(
            "unknown_format", f"{name} is no usage format.", remedy=f"It is one of {', '.join(sorted(FORMATS))}."
        )
    usage = FORMATS[name].read(content)
    if encoding:
        usage.notes.append(f"Read as {encoding}.")
    if not usage.records:
        if not usage.rejects:
            raise UsageError(
                "no_figures", "It is an answer without entries: there is no figure in it.",
                remedy="Ask again, for a time, an account and a region in which there is something.",
            )  # fmt: skip
        first = usage.rejects[0]
        raise UsageError(
            "no_figures", f"There is no figure in it that can be used ({first.pointer}: {first.reason}).",
            remedy="Correct that place and the others like it, or export it again.", pointer=first.pointer,
            **({"line": first.line} if first.line else {}),
        )  # fmt: skip
    return usage


def is_usage(content: bytes) -> bool:
    """Whether it says how much is used, or was to before it was cut or broken."""
    try:
        return detect(content) in FORMATS
    except UsageError as error:
        return error.code in ("not_json", "not_yaml") and bool(_intended(looks.as_utf8(content)[0]))


def _intended(content: bytes) -> str:
    """What a text that cannot be parsed was to be, by how it begins; "" where that does not tell."""
    head = content[:_HEAD]
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] not in (b"{", b"["):
        return loki.FORMAT if loki.looks_like_it(content) else ""
    if b'"apiVersion"' in head:
        return entities.PODS if _PODS.search(head) else ""
    return next((name for name, key in _KEYS.items() if re.search(key + rb"\s*:", head, re.S)), "")


def _named(error: UsageError, content: bytes) -> UsageError:
    """The same, with what it was to be."""
    name = _intended(content)
    if not name:
        return error
    said = f"{error.message} By how it begins it is usage ({FORMATS[name].title})."
    return UsageError(error.code, said, remedy=error.remedy, **error.location)


def detect(content: bytes) -> str:
    """By what it holds, never by its name. JSON and YAML that are broken are refused with their place."""
    content, _ = looks.as_utf8(content)
    refuse(looks.no_export(content) or looks.wrong_encoding(content))
    head = content[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head[:1] in (b"{", b"["):
        first_line = content.lstrip().partition(b"\n")[0]
        try:
            found = _of_json(json(content))
        except UsageError as error:
            if not (first_line.rstrip().endswith(b"}") and (found := _of_json(json(first_line)))):
                raise _named(error, content) from error
        if found:
            return found
    elif not head:
        raise UsageError("empty", "The file holds nothing.", remedy="Check that the tool wrote it.", byte=0)
    else:
        words = head.decode("utf-8", "replace")
        if words.lower().startswith(('"id"', *(f"id{each}" for each in entities.DELIMITERS))):
            return entities.ENTITIES
        if elasticsearch.is_printed(words):
            return elasticsearch.INDICES
        if exposition.is_exposition(words):
            return exposition.FORMAT
        if loki.is_unlike_others(_yaml(content)):
            return loki.FORMAT
    first = "".join(filter(str.isprintable, head.partition(b"\n")[0].decode("utf-8", "replace")))[:60]
    raise UsageError(
        "unknown_format", f"What this is cannot be told from its content. It begins: {first}",
        remedy=f"Say the format: one of {', '.join(sorted(FORMATS))}. Tables as tools print them are not read,"
        " but for _cat/indices: ask for JSON (kubectl and aws --output json).", line=1,
    )  # fmt: skip


def _yaml(content: bytes) -> Any:
    try:
        return loki.parse(content) if len(content) < 1_000_000 else None
    except UsageError as error:
        if loki.looks_like_it(content):
            raise _named(error, content) from error
        return None


def _refusal(root: Mapping[str, Any]) -> str:
    """What a tool has answered in place of figures: AWS, NerdGraph and Elasticsearch, in this order."""
    errors, error = root.get("errors"), root.get("error")
    said: list[Any] = [root.get("message"), root.get("Message")] if "__type" in root or len(root) == 1 else []
    said += [each.get("message") for each in errors if isinstance(each, Mapping)] if isinstance(errors, list) else []
    said += [error.get("reason"), error.get("type")] if isinstance(error, Mapping) else [error]
    return next((each[:200] for each in said if isinstance(each, str) and each.strip()), "")


def _of_json(root: Any) -> str:
    if isinstance(root, list):
        return _of_list(root)
    if not isinstance(root, Mapping):
        return ""
    by_key = {
        "logGroups": cloudwatch.LOG_GROUPS,
        "MetricDataResults": cloudwatch.METRICS,
        "Datapoints": cloudwatch.METRICS,
        "total_active_series": mimirtool.FORMAT,
    }
    found = next((name for key, name in by_key.items() if key in root), "")
    found = found or _of_answer(root)
    refusal = "" if found else _refusal(root)
    if refusal:
        raise UsageError(
            "not_an_answer", f"It is what a request that failed was answered: {refusal}",
            remedy="Ask again, with an account that may and a query that is right, and save the answer of a call that"
            " succeeds.", pointer="/",
        )  # fmt: skip
    return found


def _of_answer(root: Mapping[str, Any]) -> str:
    data = mapping(root, "data")
    if "headStats" in data:
        return "prometheus-tsdb"
    if "resultType" in data or ("data" not in root and root.get("status") in ("success", "error")):
        return "prometheus-query-range"
    if entities.is_pods(root):
        return entities.PODS
    if mapping(data, "actor"):
        return entities.ENTITIES if "entitySearch" in mapping(data, "actor") else newrelic.FORMAT
    if newrelic.is_answer(root):
        return newrelic.FORMAT
    if elasticsearch.is_ilm(root):
        return elasticsearch.ILM
    return loki.FORMAT if loki.is_unlike_others(root) else ""


def _of_list(root: list[Any]) -> str:
    first = root[0] if root and isinstance(root[0], Mapping) else {}
    if "index" in first and "store.size" in first:
        return elasticsearch.INDICES
    if entities.is_pods(first):
        return entities.PODS
    return newrelic.FORMAT if "beginTimeSeconds" in first or newrelic.is_event(first) else ""
