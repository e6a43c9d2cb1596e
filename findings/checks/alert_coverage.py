"""Conclusion: failures that no alert would notice, and which alert notices the others."""

from collections.abc import Iterator

from findings.checks import coverage, signals
from findings.checks.alert_rules import Rule
from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.checks.coverage import Cell, State
from findings.checks.subjects import Subject
from findings.platform import alarm_actions
from findings.platform.alarm_actions import Reach
from findings.platform.model import Platform, places
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.sourced import Input, Quantity, Source

META = Meta(
    id="alert-coverage",
    seed="",
    title="A failure that no alert would notice",
    severity=Severity.MEDIUM,
    category=Category.OPERATIONS,
    outcome=Outcome.OUTAGE,
    means="None of the alert rules among the files watches for one of the ways in which this can fail. A rule counts "
    "when every metric in its expression is one of which it is known what it tells, and when its labels include what "
    "is looked at. A rule that is not understood never counts: what it may watch is unknown. Nor does an alarm of "
    "CloudWatch without an action: it opens, and nobody is told.",
    why="What no alert notices is found by users. From then on the outage is as long as it takes them to complain, "
    "and by then it has spent more of the error budget than the repair will.",
    not_a_problem="Something outside these files watches it: a rule in another tool, or the facts say what a rule "
    "notices (alerting.notices).",
    remedy="Add the rule, beginning with what users see: failing and slow requests, then pods that are missing, then "
    "what runs out.",
    patch="""groups:
  - name: api
    rules:
      - alert: ApiErrors
        expr: |
          sum(rate(http_requests_total{service="api", code=~"5.."}[5m]))
            / sum(rate(http_requests_total{service="api"}[5m])) > 0.05
        for: 1m
        labels: {severity: page}""",
    remedies=("missing-alerts",),
    references=(
        "https://sre.google/sre-book/monitoring-distributed-systems/#xref_monitoring_golden-signals",
        "https://prometheus.io/docs/practices/alerting/",
        "https://docs.newrelic.com/docs/nrql/nrql-syntax-clauses-functions/",
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html",
        "https://docs.datadoghq.com/monitors/types/metric/",
    ),
)
_NOTICES = "facts: alerting.notices"


def run(platform: Platform) -> Iterator[Verdict]:
    yield from _alarms(platform)
    found = coverage.coverage(platform)
    if not found.cells:
        return
    if not found.is_whole:
        first = found.cells[0].subject
        yield Unsure(
            "alert rules",
            f"no alert rule is among these files, so what notices {len(found.subjects)} things that can fail is not "
            "known",
            "the alert rules, in the same upload or in another; or, where there are none, facts: alerting.complete: "
            "true",
            first.place,
        )
        return
    for subject in found.subjects:
        yield from _judged(subject, found.of(subject))
    told = {id(rule) for cell in found.cells for rule in cell.rules}
    for rule in found.rules:
        if rule.reason and not rule.senses and not rule.is_hidden and id(rule) not in told:
            yield Unsure(rule.name, rule.reason, f"{_NOTICES}.{rule.name}", rule.place)


def _alarms(platform: Platform) -> Iterator[Verdict]:
    """Alarms of CloudWatch that open for nobody. Whether the others are the right ones is asked of what can fail."""
    for told in alarm_actions.told(platform).values():
        id_ = told.alarm.id
        if told.reach is Reach.UNKNOWN:
            yield Unsure(id_, f"whom it tells is not known: {told.reason}", told.provide, told.place)
        elif told.reach is Reach.NOBODY:
            term = Input(id_, told.reason, "", Source.FILE, told.place.path, told.place.line)
            yield Fail(
                id_,
                f"It opens and tells nobody: {told.reason}",
                "The alarm changes its state in the console, and no alarm that tells somebody combines it.",
                places(told.place, told.alarm.place()),
                (Quantity("alarms_that_tell_nobody", 1, "alarms", "alarms without an action in force", (term,)),),
            )


def _judged(subject: Subject, cells: list[Cell]) -> Iterator[Verdict]:
    missing = [each for each in cells if each.state == State.NONE]
    doubtful = [each for each in cells if each.state == State.UNKNOWN]
    if missing:
        yield _fail(subject, cells, missing)
    elif not doubtful:
        yield Pass(subject.id, places(subject.place, *(each.rules[0].place for each in cells)))
    if doubtful:
        names = ", ".join(signals.modes()[each.mode].clause for each in doubtful[:4])
        more = f" and {len(doubtful) - 4} more" if len(doubtful) > 4 else ""
        yield Unsure(
            subject.id,
            f"whether an alert notices when {names}{more}: {doubtful[0].why}",
            _wanted(doubtful[0].rules[0]),
            subject.place,
        )


def _wanted(rule: Rule) -> str:
    if rule.is_hidden:
        return f"{_NOTICES}, beside the rules of the other import"
    return f"{_NOTICES}.{rule.name}"


def _fail(subject: Subject, cells: list[Cell], missing: list[Cell]) -> Fail:
    titles = [signals.modes()[each.mode].clause for each in missing]
    terms = tuple(_term(each) for each in cells)
    count = len(missing)
    quantity = Quantity(
        "failure_modes_without_alert", count, "failure modes", "failure modes − those that a rule notices", terms
    )
    covered = [each for each in cells if each.state == State.COVERED]
    by = ""
    if covered:
        named = dict.fromkeys(_name(rule) for each in covered for rule in each.rules[:1])
        by = f" Others are noticed, by {', '.join(list(named)[:4])}{' …' if len(named) > 4 else ''}."
    shown = "; ".join(titles[:5]) + (f"; and {count - 5} more" if count > 5 else "")
    name = subject.id.rpartition("/")[2]
    ways = f"for {count} of {len(cells)} ways to fail" if count > 1 else f"when {titles[0]}"
    return Fail(
        subject.id,
        f"{name}: no alert {ways}",
        f"No rule that is known here would tell when {shown}.{by}",
        (subject.place,),
        (quantity,),
        _severity(cells, missing),
    )


def _severity(cells: list[Cell], missing: list[Cell]) -> Severity:
    """That of the worst that goes unnoticed; high only where no alert at all would tell of an outage of it."""
    worst = min((signals.modes()[each.mode].severity for each in missing), key=list(Severity).index)
    of_outages = [each for each in cells if signals.modes()[each.mode].severity == Severity.HIGH]
    if worst == Severity.HIGH and any(each.state != State.NONE for each in of_outages):
        return Severity.MEDIUM
    return worst


def _term(cell: Cell) -> Input:
    if cell.state == State.COVERED:
        rule = cell.rules[0]
        told = f"{rule.name} opens after {_seconds(rule)}"
        return Input(cell.mode, told, "", Source.FILE, rule.place.path, rule.place.line)
    place = cell.subject.place
    return Input(cell.mode, cell.state.value, "", Source.FILE, place.path, place.line, cell.why)


def _name(rule: Rule) -> str:
    return "alerts of other imports" if rule.is_hidden else rule.name


def _seconds(rule: Rule) -> str:
    if rule.worst is not None:
        return f"{rule.worst:g} s at the latest"
    return f"{rule.best:g} s at the soonest" if rule.best is not None else "a time that is not known"
