"""Whom Alertmanager tells of an alert."""

import base64
import gzip
import textwrap

import pytest

from findings.checks import alert_rules
from findings.platform import alertmanager
from findings.platform.alarm_actions import Reach
from findings.platform.alertmanager import parsed
from findings.platform.promql import Matcher
from findings.vocabulary import Severity
from tests.findings.checks.reading import fails, platform

RULES = """
groups:
  - name: shop
    rules:
      - alert: Errors
        expr: sum(rate(http_requests_total{code=~"5.."}[5m])) > 5
        labels: {severity: warning, team: "{{ $labels.team }}"}
"""
RECEIVERS = """
receivers:
  - name: pager
    pagerduty_configs: [{routing_key_file: /etc/key}]
  - name: "null"
"""
NULL = '[{receiver: "null", %s}]'


def reach(config: str, rules: str = RULES, **files: str) -> Reach | None:
    told = alertmanager.told(platform(rules_yml=rules, alertmanager_yml=config, **files)).values()
    return next((each.reach for each in told), None)


def routed(routes: str, receiver: str = "pager", more: str = "") -> Reach | None:
    return reach(f'route:\n  receiver: "{receiver}"\n  routes: {routes}\n{RECEIVERS}{more}')


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("match: {severity: warning}", Reach.NOBODY),
        ("match: {severity: critical}", Reach.PEOPLE),
        ("match_re: {severity: info|warning}", Reach.NOBODY),
        ("match_re: {severity: warn}", Reach.PEOPLE),  # as a whole
        ("match_re: {severity: 'w[a]rning'}", Reach.UNKNOWN),  # no list of names
        ("matchers: ['severity!=critical', 'alertname=Errors']", Reach.NOBODY),
        ("matchers: ['severity!~\"critical|page\"']", Reach.NOBODY),
        ('matchers: [\'{severity="warning",alertname="Slow"}\']', Reach.PEOPLE),
        ("matchers: ['team = web']", Reach.UNKNOWN),  # a template fills it in
        ("matchers: ['cluster = a']", Reach.UNKNOWN),  # the series may bring it
        ("matchers: ['cluster = a', 'severity = page']", Reach.PEOPLE),
        ("matchers: ['what is this']", Reach.UNKNOWN),
        ("matchers: ['severity = ${SEVERITY}']", Reach.UNKNOWN),
        ("continue: true", Reach.NOBODY),  # it has taken it, so the root does not
    ],
)
def test_a_route_takes_what_its_matchers_let_through(asked: str, expected: Reach) -> None:
    assert routed(NULL % asked) is expected


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ('[{receiver: "null", continue: true}, {receiver: pager}]', Reach.PEOPLE),
        ('[{receiver: "null"}, {receiver: pager}]', Reach.NOBODY),
        ('[{receiver: pager, matchers: [team=a]}, {receiver: "null"}]', Reach.UNKNOWN),
        ("[{receiver: pager, matchers: [team=a], continue: true}, {receiver: pager}]", Reach.PEOPLE),
        ('[{receiver: pager, matchers: [severity=warning], routes: [{receiver: "null"}]}]', Reach.NOBODY),
        ('[{matchers: [severity=warning], routes: [{receiver: "null", match: {severity: page}}]}]', Reach.PEOPLE),
        ("[{receiver: elsewhere}]", Reach.UNKNOWN),
        ("[{receiver: pager, mute_time_intervals: [always]}]", Reach.NOBODY),
        ("[{receiver: pager, mute_time_intervals: [nights]}]", Reach.PEOPLE),
        ("[{receiver: pager, active_time_intervals: [never]}]", Reach.NOBODY),
        ("[{receiver: pager, active_time_intervals: [nights]}]", Reach.PEOPLE),
        ("[{receiver: pager, mute_time_intervals: [unstated]}]", Reach.PEOPLE),
    ],
)
def test_who_is_told_follows_the_tree(routes: str, expected: Reach) -> None:
    times = """
time_intervals:
  - name: always
    time_intervals: [{weekdays: ["sunday:saturday"], location: Europe/Vienna}]
  - name: nights
    time_intervals: [{times: [{start_time: "22:00", end_time: "24:00"}]}]
  - name: never
    time_intervals: []
"""
    assert routed(routes, more=times) is expected


def test_the_root_takes_what_no_route_does() -> None:
    assert routed("[{receiver: pager, match: {severity: page}}]", receiver="null") is Reach.NOBODY


def test_labels_of_a_group_count_and_those_of_the_rule_win() -> None:
    asked = f"route:\n  receiver: pager\n  routes: {NULL % 'match: {tier: low}'}\n{RECEIVERS}"
    group = RULES.replace("  - name: shop", "  - name: shop\n    labels: {tier: low}")
    assert reach(asked, group) is Reach.NOBODY
    assert reach(asked, group.replace("{severity", "{tier: high, severity")) is Reach.PEOPLE


@pytest.mark.parametrize(
    ("relabelling", "expected"),
    [
        ("{target_label: severity, replacement: page}", Reach.UNKNOWN),
        ("{target_label: cluster, replacement: a}", Reach.NOBODY),
        ("{action: labeldrop, regex: replica|severity}", Reach.UNKNOWN),
        ("{action: labeldrop, regex: replica}", Reach.NOBODY),
        ("{action: labelmap, regex: 'x_(.+)'}", Reach.UNKNOWN),
    ],
)
def test_labels_that_prometheus_changes_on_the_way_are_not_known(relabelling: str, expected: Reach) -> None:
    asked = f"route:\n  receiver: pager\n  routes: {NULL % 'match: {severity: warning}'}\n{RECEIVERS}"
    changed = f"alerting:\n  alert_relabel_configs: [{relabelling}]\n"
    assert reach(asked, prometheus_yml=changed) is expected


def test_without_a_configuration_every_alert_counts_as_before() -> None:
    found = platform(rules_yml=RULES)
    assert alertmanager.told(found) == {}
    assert [rule.name for rule in alert_rules.rules(found)] == ["Errors"]


def test_one_of_two_that_tells_somebody_is_enough() -> None:
    nobody = f'route: {{receiver: "null"}}\n{RECEIVERS}'
    assert reach(nobody) is Reach.NOBODY
    assert reach(nobody, other_yml=f"route: {{receiver: pager}}\n{RECEIVERS}") is Reach.PEOPLE


def test_values_of_helm_hold_one_below_other_keys() -> None:
    inner = f'route: {{receiver: "null"}}\n{RECEIVERS}'.replace("\n", "\n      ")
    assert reach(f"stack:\n  alertmanager:\n    config:\n      {inner}") is Reach.NOBODY


def test_a_secret_holds_one_in_base64() -> None:
    text = base64.b64encode(f'route: {{receiver: "null"}}\n{RECEIVERS}'.encode()).decode()
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata:\n  alertmanager.yaml: "
    assert reach(secret + text) is Reach.NOBODY
    assert reach(f"{secret}not-base64!") is None


def test_a_secret_holds_one_packed_as_the_operator_writes_it() -> None:
    text = gzip.compress(f'route: {{receiver: "null"}}\n{RECEIVERS}'.encode())
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata:\n  alertmanager.yaml.gz: "
    assert reach(secret + base64.b64encode(text).decode()) is Reach.NOBODY
    assert reach(secret + base64.b64encode(text[:30]).decode()) is None
    bomb = gzip.compress(b"route: " + b" " * 50_000_000)
    assert reach(secret + base64.b64encode(bomb).decode()) is None


@pytest.mark.parametrize(
    "head",
    [
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: a}\nspec:\n  values:\n",
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  source:\n    helm:\n      values: |\n",
        "apiVersion: helm.cattle.io/v1\nkind: HelmChart\nmetadata: {name: a}\nspec:\n  valuesContent: |\n",
    ],
    ids=["HelmRelease", "Application", "HelmChart"],
)
def test_values_that_an_object_gives_to_a_chart_hold_one(head: str) -> None:
    values = f'alertmanager:\n  config:\n    route: {{receiver: "null"}}{RECEIVERS.replace(chr(10), chr(10) + "    ")}'
    assert reach(head + textwrap.indent(values, " " * 8)) is Reach.NOBODY


OBJECT = """
apiVersion: monitoring.coreos.com/v1alpha1
kind: AlertmanagerConfig
metadata: {name: shop, namespace: shop}
spec:
  route: {receiver: pager}
  receivers: [{name: pager, pagerdutyConfigs: [{}]}]
"""


def test_an_object_may_tell_somebody_of_what_is_of_its_namespace() -> None:
    nobody = f'route: {{receiver: "null"}}\n{RECEIVERS}'
    assert reach(nobody, object_yaml=OBJECT) is Reach.UNKNOWN
    labelled = RULES.replace("{severity", "{namespace: shop, severity")
    assert reach(nobody, labelled, object_yaml=OBJECT) is Reach.PEOPLE
    assert reach(nobody, labelled.replace("namespace: shop", "namespace: other"), object_yaml=OBJECT) is Reach.NOBODY


def test_an_alert_for_nobody_notices_nothing_and_is_told_once() -> None:
    config = f'route: {{receiver: "null"}}\n{RECEIVERS}'
    assert list(alert_rules.rules(platform(rules_yml=RULES, alertmanager_yml=config))) == []
    (fail,) = fails("alert-coverage", rules_yml=RULES, alertmanager_yml=config)
    assert fail.title == "Errors opens and tells nobody: the receiver null has no configuration"
    assert fail.subject == "alertmanager.yml"


@pytest.mark.parametrize(
    ("asked", "severity"),
    [
        ("match: {severity: critical}", None),
        ("match: {alertname: Errors}", Severity.LOW),  # somebody has decided about this one
        ("matchers: ['alertname=~\"Errors|Other\"']", Severity.LOW),
        ("match: {severity: page}", "nothing"),
    ],
)
def test_what_a_route_names_by_itself_weighs_less(asked: str, severity: object) -> None:
    config = f"route:\n  receiver: pager\n  routes: {NULL % asked}\n{RECEIVERS}"
    found = fails("alert-coverage", rules_yml=RULES.replace("warning", "critical"), alertmanager_yml=config)
    assert [fail.severity for fail in found] == ([] if severity == "nothing" else [severity])


def test_an_alert_that_always_fires_needs_to_tell_nobody() -> None:
    config = f'route: {{receiver: "null"}}\n{RECEIVERS}'
    always = RULES.replace('sum(rate(http_requests_total{code=~"5.."}[5m])) > 5', "vector(1)")
    assert fails("alert-coverage", rules_yml=always, alertmanager_yml=config) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=b", [Matcher("a", "=", "b")]),
        (' "a" !~ "b,c" , d=~ "e|f" ', [Matcher("a", "!~", "b,c"), Matcher("d", "=~", "e|f")]),
        ('{a="b\\"c"}', [Matcher("a", "=", 'b"c')]),
        ("a=", [Matcher("a", "=", "")]),
        ("a", [None]),
        ("a=b=c", [Matcher("a", "=", "b=c")]),
        ("", []),
    ],
)
def test_matchers_are_read_as_alertmanager_does(text: str, expected: list[Matcher | None]) -> None:
    assert parsed(text) == expected


@pytest.mark.parametrize("text", ["a=" + " " * 100_000 + "{", "a=" + "b " * 100_000 + "{", 'a="' + "\\" * 100_000])
def test_a_matcher_that_cannot_be_read_is_known_as_such_however_long_it_is(text: str) -> None:
    """Each part of it is asked once: two that could share blanks took twenty seconds for two thousand of them."""
    assert parsed(text) == [None]


def test_blanks_around_a_value_are_not_its_own() -> None:
    assert [each and each.value for each in parsed('a = b c ,d="e " , f=')] == ["b c", "e ", ""]
