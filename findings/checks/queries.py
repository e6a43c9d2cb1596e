"""What an alert of New Relic, CloudWatch or Datadog would notice, from what it queries. PURE.

As in signals: what is clear is a claim, and what is not says why. Nothing is guessed: an outlier, a combination of
other alerts, or a search of logs for words tells of no failure mode by itself.
"""

import re
from collections.abc import Iterator, Mapping

from findings.checks.signals import FALLS, MEETS, NAMED, RISES, Meaning, Sense, Signal, atoms_of, named
from findings.platform import promql
from findings.platform.promql import Matcher, NotUnderstood

# -- New Relic

_PARTS = re.compile(r"\bselect\b(?P<select>.*?)\bfrom\b\s+(?P<events>[\w., `]+?)(?=\s+(?:where|facet|since|until|with|"
                    r"timeseries|limit|compare|extrapolate)\b|\s*$)", re.IGNORECASE | re.DOTALL)  # fmt: skip
_FROM_FIRST = re.compile(
    r"^\s*from\s+(?P<events>[\w., `]+?)\s+select\s+(?P<select>.*?)(?=\s+(?:where|facet|since|limit)\b(?![^(]*\))|\s*$)",
    re.IGNORECASE | re.DOTALL,
)


def of_nrql(query: str, directions: frozenset[str]) -> Meaning:
    """`directions`: above → rises, below → falls, both for what deviates from a baseline."""
    if len(query) > promql.MOST_LETTERS:
        return Meaning(reason="longer than it is read")
    found = _FROM_FIRST.search(query) or _PARTS.search(query)
    if found is None:
        return Meaning(reason="its query is no SELECT … FROM …")
    select = re.sub(r"\s+", "", found["select"]).lower()
    events = [event.strip(" `") for event in found["events"].split(",")]
    known = [(event, each) for event in events for each in named("nrql", event)]
    matching = [(event, each) for event, each in known if _nrql_holds(each, select)]
    if not matching:
        what = "what it selects from" if known else "the event"
        return Meaning(reason=f"{what} {events[0][:80]} is not known")
    about = tuple(_about(query))
    senses = [
        Sense(mode, event, about) for event, each in matching if each.directions & directions for mode in each.modes
    ]
    if not senses and any(each.modes for _, each in matching):
        return Meaning(reason="it opens in the direction in which nothing is known to fail")
    return Meaning(tuple(dict.fromkeys(senses)))


def _nrql_holds(signal: Signal, select: str) -> bool:
    return all(re.match(wanted, select[:2000]) is not None for _, wanted in signal.where)


_NAMED = re.compile(
    r"\b(?:app\.?name|entity\.?name|service\.name|deploymentname|containername|podname|k8s\.\w+\.name)\s*"
    r"(?P<operator>=|like|in)\s*\(?\s*(?P<values>'[^']*'(?:\s*,\s*'[^']*')*)",
    re.IGNORECASE,
)


def _about(query: str) -> Iterator[Matcher]:
    """Whose data it looks at, where its WHERE says so."""
    for found in _NAMED.finditer(query):
        values = re.findall(r"'([^']*)'", found["values"])
        if not any("…" in value for value in values):
            yield Matcher(NAMED, "=~", "|".join(value.replace("%", ".*") for value in values))


# -- CloudWatch and Datadog


def of_metric(language: str, name: str, directions: frozenset[str], about: tuple[Matcher, ...] = ()) -> Meaning:
    """One metric that rises above or falls below a threshold: `AWS/RDS/DatabaseConnections`, `system.disk.in_use`."""
    known = named(language, name)
    if not known:
        return Meaning(reason=f"what {name[:120]} measures is not known")
    senses = [Sense(mode, name, about) for each in known if each.directions & directions for mode in each.modes]
    return Meaning(tuple(dict.fromkeys(senses)))


_MATH = re.compile(r"[\w\s.+*/()-]+")
_BAND = re.compile(r"ANOMALY_DETECTION_BAND\(\s*(?P<id>\w+)\s*(?:,[^)]*)?\)", re.IGNORECASE)


def of_math(
    expressions: Mapping[str, str],
    metrics: Mapping[str, tuple[str, tuple[Matcher, ...]]],
    asked: str,
    directions: frozenset[str],
) -> Meaning:
    """CloudWatch's metric math: sums, differences, products and ratios. `metrics`: by id, `AWS/RDS/…` and whose.

    `asked`: the id whose value is compared. Of a ratio, what is divided has to move.
    """
    band = _BAND.fullmatch(expressions.get(asked, ""))
    if band is not None:
        asked = band["id"]
    if asked in metrics:
        name, about = metrics[asked]
        return of_metric("cloudwatch", name, directions, about)
    text = expressions.get(asked, "")
    if not _MATH.fullmatch(text):
        return Meaning(reason="its metric math is more than sums and ratios")
    found: list[Sense] = []
    try:
        node = promql.parse(text)
        for sign, direction in ((1, RISES), (-1, FALLS)):
            for atom in atoms_of(node, sign) if direction in directions else ():
                if atom.metric.name not in metrics:
                    return Meaning(reason=f"what {atom.metric.name[:60]} stands for is not known")
                name, about = metrics[atom.metric.name]
                meaning = of_metric("cloudwatch", name, atom.direction, about)
                if meaning.reason:
                    return meaning
                found += meaning.senses
    except NotUnderstood as error:
        return Meaning(reason=str(error))
    return Meaning(tuple(dict.fromkeys(found)))


_DATADOG = re.compile(r"\b(?:avg|sum|min|max|count|p\d\d):(?P<name>[a-zA-Z][\w.]*)\{")
_DATADOG_TAG = re.compile(
    r"[{,\s\"](?:service|app|kube_deployment|kube_stateful_set|kube_container_name|kube_service):(?P<value>[\w.*-]+)"
)
_DATADOG_TEST = re.compile(r"(?P<operator>[<>]=?|==|!=)\s*-?[\d.]+\s*\Z")
_ANOMALIES = re.compile(r"\banomalies\(")
_DIRECTION = re.compile(r"direction\s*=\s*['\"](?P<way>above|below|both)['\"]")
_OF_SEVERAL = re.compile(r"\b(?:outliers|group_anomalies|correlate)\(")
_SERVICE_CHECK = re.compile(r"\s*[\"'](?P<name>[\w.]+)[\"']\.over\(")
# A search that says what it counts: answers of the 500s.
_FAILED = re.compile(r"(?<![-!\w])(?<!NOT )@http\.status_code:(?:5|\[5|>=?\s*(?:5|499))")
COMBINES = "it combines other alerts, which are looked at by themselves"


def of_datadog(query: str, kind: str = "metric alert") -> Meaning:
    """`kind`: the monitor's type."""
    if len(query) > promql.MOST_LETTERS:
        return Meaning(reason="longer than it is read")
    if kind == "composite":
        return Meaning(reason=COMBINES)
    about = tuple(Matcher(NAMED, "=~", found["value"]) for found in _DATADOG_TAG.finditer(query))
    if kind == "service check":
        found = _SERVICE_CHECK.match(query)
        return of_metric("datadog", found["name"], frozenset((FALLS,)), about) if found else Meaning(reason=_NO_CHECK)
    if kind in ("log alert", "trace-analytics alert", "rum alert"):
        return _of_search(query, about)
    if kind not in ("metric alert", "query alert", ""):
        return Meaning(reason=f"what a monitor of type {kind[:40]} would notice is not known")
    return _of_series(query, about)


_NO_CHECK = "which service check it is about cannot be read"


def _of_search(query: str, about: tuple[Matcher, ...]) -> Meaning:
    test = _DATADOG_TEST.search(query)
    if test is None or ">" not in test["operator"] or not _FAILED.search(query):
        return Meaning(reason="what the events that it counts tell of is not known")
    return Meaning((Sense("requests-failing", "@http.status_code", about),))


def _of_series(query: str, about: tuple[Matcher, ...]) -> Meaning:
    if _OF_SEVERAL.search(query):
        return Meaning(reason="it opens when one differs from the others, and not when all of them fail")
    names = [found["name"] for found in _DATADOG.finditer(query)]
    test = _DATADOG_TEST.search(query)
    if not names or test is None:
        return Meaning(reason="its query is none of a metric with a threshold")
    directions = frozenset((RISES if ">" in test["operator"] else FALLS if "<" in test["operator"] else MEETS,))
    if _ANOMALIES.search(query):  # the threshold is the share of points that are unusual; the direction is its own
        way = _DIRECTION.search(query)
        ways = {"above": (RISES,), "below": (FALLS,), "both": (RISES, FALLS)}
        directions = frozenset(ways[way["way"] if way else "both"])
    meanings = [of_metric("datadog", name, directions, about) for name in dict.fromkeys(names)]
    unknown = next((each.reason for each in meanings if each.reason), "")
    if unknown:
        return Meaning(reason=unknown)
    # Of a ratio, what stands first is what is watched; the rest it is compared with.
    return meanings[0]
