"""5.2: the figures of the golden table, and schedules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findings.checks import engine
from findings.checks.backups import META
from findings.checks.copies import hours_at_risk, margin_hours
from findings.checks.registry import CHECKS
from findings.platform import reader
from findings.platform.files import File
from findings.vocabulary import RiskClass


def judged(text: str, facts: str = "") -> engine.Outcome:
    files = [File("main.tf", text)] + ([File("platform-risk.yaml", facts)] if facts else [])
    return engine.run(reader.read(files), [CHECKS[META.id]])


def test_daily_snapshots_alone_lose_a_day_and_more_when_noticed_late() -> None:
    assert hours_at_risk(24, 0, point_in_time=False) == 24
    assert hours_at_risk(24, 8, point_in_time=False) == 32


def test_recovery_to_a_point_in_time_loses_what_was_written_since() -> None:
    assert hours_at_risk(5 / 60, 8, point_in_time=True) == 8


def test_seven_days_are_longer_than_eight_hours() -> None:
    assert margin_hours(7, 8) == 160


def test_an_absent_retention_switches_backups_off() -> None:
    (found,) = judged('resource "aws_db_instance" "a" {}\n').found
    figures = {each.name: each for each in found.fail.quantities}
    assert figures["retention_days"].value == 0
    assert figures["retention_days"].inputs[0].source == "provider_default"
    assert figures["rpo_minutes"].value is None
    assert found.risk_class is RiskClass.DATA_LOSS


def test_the_retention_of_the_analysis_is_long_enough_for_its_detection() -> None:
    outcome = judged(
        'resource "aws_db_instance" "a" {\n  backup_retention_period = 7\n}\n', "backups: {detection_hours: 8}"
    )
    assert not outcome.found
    assert outcome.tallies[0].passed == 1


def test_aurora_keeps_a_day_by_default() -> None:
    text = 'resource "aws_rds_cluster" "a" {}\n'
    assert judged(text, "backups: {detection_hours: 8}").tallies[0].passed == 1
    (found,) = judged(text, "backups: {detection_hours: 72}").found
    figures = {each.name: each.value for each in found.fail.quantities}
    assert (figures["retention_days"], figures["margin_hours"], figures["rpo_minutes"]) == (1, -48, 5)


@given(st.floats(0, 400), st.floats(0, 400), st.floats(0, 400))
def test_noticing_later_never_loses_less(interval: float, detection: float, more: float) -> None:
    for point_in_time in (True, False):
        sooner = hours_at_risk(interval, detection, point_in_time=point_in_time)
        assert hours_at_risk(interval, detection + more, point_in_time=point_in_time) >= sooner
    assert margin_hours(7, detection + more) <= margin_hours(7, detection)


@pytest.mark.parametrize("days", ["aws_x.y.z", "var.missing"])
def test_a_retention_that_only_the_plan_knows_is_unknown(days: str) -> None:
    outcome = judged(f'resource "aws_db_instance" "a" {{\n  backup_retention_period = {days}\n}}\n')
    assert not outcome.found
    assert [each.subject for each in outcome.tallies[0].unsure] == ["aws_db_instance.a"]


def rds(kind: str = "aws_db_instance", stated: str = "backup_retention_period = 1", more: str = "") -> str:
    return f'resource "{kind}" "a" {{\n  {stated}\n}}\n{more}'


def verdict(text: str, facts: str = "") -> str:
    """What is said of the data itself: its failure's title, passes, or unknown."""
    outcome = judged(text, facts)
    of_restores = [each for each in outcome.tallies[0].unsure if each.subject == "restore test"]
    tally = outcome.tallies[0]
    assert tally.failed + tally.passed + len(tally.unsure) - len(of_restores) == 1
    return outcome.found[0].fail.title if outcome.found else "passes" if tally.passed else "unknown"


GONE = "Copies are gone after 1 day, corruption is noticed after"


@pytest.mark.parametrize(
    ("stated", "facts", "told"),
    [
        ("backup_retention_period = 7", "", "passes"),
        ("backup_retention_period = 6", "", "unknown"),  # whether that is long enough
        ("backup_retention_period = 1", "backups: {detection_hours: 23}", "passes"),
        ("backup_retention_period = 1", "backups: {detection_hours: 24}", f"{GONE} 1"),
        ("backup_retention_period = 1", "backups: {detection_hours: 36}", f"{GONE} 1.5"),
        ("backup_retention_period = 3", "backups: {detection_hours: 72}",
         "Copies are gone after 3 days, corruption is noticed after 3"),
        ("backup_retention_period = 7", "backups: {regions: 1}", "passes"),
        ("backup_retention_period = 7", "backups: {regions: 2}",
         "Copies are in 1 region of 2"),
        ("backup_retention_period = 7\n  global_cluster_identifier = \"g\"", "backups: {regions: 2}", "passes"),
        ("backup_retention_period = 7\n  global_cluster_identifier = \"g\"", "backups: {regions: 3}",
         "Copies are in 2 regions of 3"),
    ],
)  # fmt: skip
def test_copies_outlast_the_time_until_they_are_needed_or_not(stated: str, facts: str, told: str) -> None:
    assert verdict(rds(stated=stated), facts) == told


@pytest.mark.parametrize(
    ("kind", "days"),
    [("aws_db_instance", 0), ("aws_rds_cluster", 1), ("aws_docdb_cluster", 1), ("aws_neptune_cluster", 1)],
)
def test_what_is_not_stated_is_what_the_provider_does(kind: str, days: int) -> None:
    (found,) = judged(rds(kind, ""), "backups: {detection_hours: 24}").found
    figures = {each.name: each for each in found.fail.quantities}
    assert figures["retention_days"].value == days
    assert figures["retention_days"].inputs[0].source == "provider_default"
    assert figures["rpo_minutes"].value == (5 if days else None)
    assert figures["rpo_minutes"].inputs[0].source == "provider_default"
    if days:
        assert figures["hours_of_writes_at_risk"].value == 24  # of a point in time, what was written since
        assert (figures["regions"].value, figures["regions"].inputs[0].value) == (1, 0)


@pytest.mark.parametrize("attribute", ["replicate_source_db", "replication_source_identifier"])
def test_a_replica_is_not_judged_and_what_stands_after_it_is(attribute: str) -> None:
    replica = f'resource "aws_db_instance" "r" {{\n  {attribute} = "x"\n}}\n'
    assert [each.fail.subject for each in judged(replica + rds(stated="")).found] == ["aws_db_instance.a"]


def plan(rules: str, selected: str = "aws_db_instance.a.arn") -> str:
    return (
        f'resource "aws_backup_plan" "p" {{\n{rules}}}\nresource "aws_backup_selection" "s" {{\n'
        f"  plan_id   = aws_backup_plan.p.id\n  resources = [{selected}]\n}}\n"
    )


def rule(schedule: str, days: str = "") -> str:
    lifecycle = f"    lifecycle {{\n      delete_after = {days}\n    }}\n" if days else ""
    return f"  rule {{\n    schedule = {schedule}\n{lifecycle}  }}\n"


DAILY, HOURLY = '"cron(0 5 * * ? *)"', '"cron(0 * * * ? *)"'


@pytest.mark.parametrize(
    ("rules", "facts", "told"),
    [
        (rule(DAILY, "35"), "", "passes"),
        (rule(DAILY), "backups: {detection_hours: 9000}", "passes"),  # kept for ever
        (rule(DAILY, "1"), "", "unknown"),
        (rule(DAILY, "1") + rule(HOURLY, "9"), "backups: {detection_hours: 200}", "passes"),
        (rule("var.when", "35"), "", "unknown"),
        (rule('"whenever"', "35"), "", "unknown"),
        (rule(DAILY, '"long"'), "", "passes"),
    ],
)
def test_a_plan_that_selects_a_database_keeps_its_copies(rules: str, facts: str, told: str) -> None:
    assert verdict(rds(stated="") + plan(rules), facts) == told
    assert verdict(rds(stated="") + plan(rules, "aws_db_instance.b.arn"), facts).startswith("No backups")


def test_a_plan_makes_snapshots_and_no_point_in_time() -> None:
    text = rds(stated="") + plan(rule(DAILY, "1") + rule(HOURLY, "2"))
    (found,) = judged(text, "backups: {detection_hours: 100}").found
    figures = {each.name: each.value for each in found.fail.quantities}
    # The shortest time between two copies, and the longest that one is kept.
    assert figures == {
        "rpo_minutes": 60, "retention_days": 2, "margin_hours": -52, "hours_of_writes_at_risk": 101,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ("", "No recovery to a point in time"),
        ("point_in_time_recovery {\n    enabled = true\n  }", "passes"),
        ("point_in_time_recovery {\n    enabled = false\n  }", "No recovery to a point in time"),
        ("point_in_time_recovery {\n    enabled = var.on\n  }", "unknown"),
    ],
)
def test_a_table_has_a_copy_where_it_is_switched_on(stated: str, told: str) -> None:
    assert verdict(f'resource "aws_dynamodb_table" "a" {{\n  {stated}\n}}\n') == told
    selected = plan(rule(DAILY, "35"), "aws_dynamodb_table.a.arn")
    if told != "unknown":
        assert verdict(f'resource "aws_dynamodb_table" "a" {{\n  {stated}\n}}\n{selected}') == "passes"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ('source = "x/rds/aws"\n  backup_retention_period = 14', "passes"),
        ('source = "x/rds/aws"\n  backup_retention_period = 0',
         "No backups and no recovery to a point in time: retention is 0 days"),
        ('source = "x/rds/aws"', "unknown"),
        ('source = "x/rds/aws"\n  backup_retention_period = var.days', "unknown"),
        ('source = "x/database/aws"\n  engine = "aurora-postgresql"', "unknown"),
    ],
)  # fmt: skip
def test_a_database_of_a_module_is_judged_by_its_arguments(arguments: str, told: str) -> None:
    assert verdict(f'module "db" {{\n  {arguments}\n}}\n') == told


@pytest.mark.parametrize("arguments", ['source = "x/vpc/aws"', 'source = "x/search/aws"\n  engine = "OpenSearch"'])
def test_a_module_of_something_else_is_left_alone(arguments: str) -> None:
    other = f'module "a" {{\n  {arguments}\n}}\n'
    tally = judged(other).tallies[0]
    assert (tally.failed, tally.passed, tally.unsure) == (0, 0, [])
    assert verdict(other + 'module "db" {\n  source = "x/rds/aws"\n  backup_retention_period = 14\n}\n') == "passes"


def cluster(backup: str = "", schedule: str = "", kind: str = "ScheduledBackup") -> str:
    made = f"apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {{name: a}}\nspec: {{instances: 3{backup}}}\n"
    if schedule:
        made += f"---\napiVersion: postgresql.cnpg.io/v1\nkind: {kind}\nmetadata: {{name: s}}\n"
        made += f"spec: {{schedule: '{schedule}', cluster: {{name: a}}}}\n"
    return made


STORE = ", backup: {barmanObjectStore: {destinationPath: s3://a}%s}"


@pytest.mark.parametrize(
    ("text", "facts", "told"),
    [
        (cluster(), "", "No backup: a deletion is repeated by every replica"),
        (cluster(", plugins: [{name: audit}]"), "", "No backup: a deletion is repeated by every replica"),
        (cluster(", plugins: [{name: barman-cloud.cloudnative-pg.io}]"), "", "unknown"),  # no base backup
        (cluster(", plugins: [{name: barman-cloud.cloudnative-pg.io}]", "0 0 3 * * *"), "", "passes"),
        (cluster(STORE % ""), "", "unknown"),
        (cluster(STORE % "", "0 0 3 * * *"), "backups: {detection_hours: 999}", "passes"),  # nothing ever leaves
        (cluster(STORE % ", retentionPolicy: 30d", "0 0 3 * * *"), "", "passes"),
        (cluster(STORE % ", retentionPolicy: 2d", "0 0 3 * * *"), "", "unknown"),
        (cluster(STORE % ", retentionPolicy: 2d", "0 0 3 * * *"), "backups: {detection_hours: 47}", "passes"),
        (cluster(STORE % ", retentionPolicy: 2d", "0 0 3 * * *"), "backups: {detection_hours: 48}",
         "Copies are gone after 2 days, corruption is noticed after 2"),
        (cluster("", "0 0 3 * * *").partition("---")[2], "", "passes"),  # its cluster is elsewhere
        (cluster("", "whenever").partition("---")[2], "", "unknown"),
    ],
)  # fmt: skip
def test_a_cluster_of_ones_own_is_backed_up_by_what_it_says(text: str, facts: str, told: str) -> None:
    assert verdict_of_yaml(text, facts) == told


def verdict_of_yaml(text: str, facts: str = "") -> str:
    files = [File("a.yaml", text)] + ([File("platform-risk.yaml", facts)] if facts else [])
    outcome = engine.run(reader.read(files), [CHECKS[META.id]])
    asked = [each for each in outcome.tallies[0].unsure if each.subject != "restore test"]
    assert outcome.tallies[0].failed + outcome.tallies[0].passed + len(asked) == 1
    return outcome.found[0].fail.title if outcome.found else "unknown" if asked else "passes"


ZALANDO = "apiVersion: acid.zalan.do/v1\nkind: postgresql\nmetadata: {{name: a}}\nspec: {{numberOfInstances: 2{}}}\n"


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("", "unknown"),
        (", enableLogicalBackup: true", "passes"),
        (", enableLogicalBackup: false", "unknown"),
        (", enableLogicalBackup: true, logicalBackupSchedule: '0 3 * * *'", "passes"),
        (", enableLogicalBackup: true, logicalBackupSchedule: sometimes", "unknown"),
        (", env: [{name: WAL_S3_BUCKET, value: a}]", "passes"),
        (", env: [{name: OTHER, value: a}]", "unknown"),
    ],
)
def test_a_cluster_of_zalandos_operator_is_backed_up_by_what_it_says(spec: str, told: str) -> None:
    assert verdict_of_yaml(ZALANDO.format(spec)) == told


@pytest.mark.parametrize(
    ("facts", "more", "failed", "passed", "asked"),
    [
        ("", "", 0, 1, 1),
        ("backups: {restore_tested: true}", "", 0, 2, 0),
        ("backups: {restore_tested: 2026-05-01}", "", 0, 2, 0),
        ("backups: {restore_tested: false}", "", 1, 1, 0),
        ("", 'resource "aws_backup_restore_testing_plan" "a" {}\n', 0, 2, 0),
    ],
)
def test_a_copy_that_was_never_restored_is_asked_for(
    facts: str, more: str, failed: int, passed: int, asked: int
) -> None:
    tally = judged(rds(stated="backup_retention_period = 14", more=more), facts).tallies[0]
    assert (tally.failed, tally.passed, len(tally.unsure)) == (failed, passed, asked)


SCHEDULE = """---
apiVersion: velero.io/v1
kind: Schedule
metadata: {name: nightly, namespace: velero}
spec: {schedule: "SCHEDULE", PAUSEDtemplate: {ttl: 720h0m0s, TEMPLATE}}
"""
CLAIM = """---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop}
spec: {accessModes: [ReadWriteOnce]}
"""
NOBODYS = "No schedule backs this volume up"


@pytest.mark.parametrize(
    ("schedule", "template", "paused", "told"),
    [
        ("@daily", "includedNamespaces: [shop]", "", []),
        ("@daily", "includedNamespaces: ['*']", "", []),
        ("@daily", "includedNamespaces: [search]", "", [NOBODYS]),
        ("@daily", "excludedNamespaces: [shop]", "", [NOBODYS]),
        ("@daily", "includedNamespaces: [shop], snapshotVolumes: false, defaultVolumesToFsBackup: false", "",
         ["The schedule that covers it leaves its volume out"]),
        ("@daily", "includedNamespaces: [shop], snapshotVolumes: false, defaultVolumesToFsBackup: true", "", []),
        ("@daily", "includedNamespaces: [shop]", "paused: true, ", ["Its schedule is paused"]),
        ("@daily", "includedNamespaces: [shop]", "paused: false, ", []),
        ("sometimes", "includedNamespaces: [shop]", "", ["unknown"]),
    ],
)  # fmt: skip
def test_a_schedule_of_velero_takes_the_volumes_of_its_namespaces(
    schedule: str, template: str, paused: str, told: list[str]
) -> None:
    text = SCHEDULE.replace("SCHEDULE", schedule).replace("TEMPLATE", template).replace("PAUSED", paused) + CLAIM
    outcome = engine.run(reader.read([File("a.yaml", text)]), [CHECKS[META.id]])
    asked = [each for each in outcome.tallies[0].unsure if each.subject.startswith("Schedule")]
    assert [each.fail.title for each in outcome.found] + ["unknown"] * len(asked) == told
    if not told:
        assert outcome.tallies[0].passed == 2  # the schedule and the claim


DATABASE = """apiVersion: apps/v1
kind: KIND
metadata: {name: db}
spec:
  template:
    spec:
      containers: [{name: db, image: a, volumeMounts: [{name: VOLUME, mountPath: PATH}]}]
      volumes: [{name: fleeting, emptyDir: {}}, {name: kept, persistentVolumeClaim: {claimName: a}}]
"""


@pytest.mark.parametrize(
    ("kind", "volume", "path", "is_told"),
    [
        ("StatefulSet", "fleeting", "/var/lib/postgresql/data", True),
        ("Deployment", "fleeting", "/data/db", True),
        ("Deployment", "kept", "/data/db", False),
        ("Deployment", "fleeting", "/tmp", False),
        ("Job", "fleeting", "/data/db", False),
    ],
)
def test_a_database_on_a_volume_that_goes_with_its_pod_is_told(
    kind: str, volume: str, path: str, is_told: bool
) -> None:
    text = DATABASE.replace("KIND", kind).replace("VOLUME", volume).replace("PATH", path)
    found = engine.run(reader.read([File("a.yaml", text)]), [CHECKS[META.id]]).found
    assert [each.fail.subject for each in found] == ([f"{kind}/db"] if is_told else [])


def told(text: str, facts: str = "") -> list[str]:
    """What is said of each schedule, claim and server: its failure's title, passes, or why it is unknown."""
    files = [File("a.yaml", text)] + ([File("platform-risk.yaml", facts)] if facts else [])
    outcome = engine.run(reader.read(files), [CHECKS[META.id]])
    asked = [each.reason for each in outcome.tallies[0].unsure if each.subject != "restore test"]
    return [each.fail.title for each in outcome.found] + asked + ["passes"] * outcome.tallies[0].passed


def nightly(template: str, name: str = "nightly") -> str:
    text = SCHEDULE.replace("SCHEDULE", "@daily").replace("PAUSED", "").replace("TEMPLATE", template)
    return text.replace("nightly", name)


LEFT_OUT = "The schedule that covers it leaves its volume out"
OF_SERVER = "whether its server copies files by default is not here"
OBJECTS_ONLY = "includedNamespaces: [shop], snapshotVolumes: false"
SERVER = """---
apiVersion: apps/v1
kind: Deployment
metadata: {name: velero, namespace: velero}
spec: {template: {spec: {containers: [{name: velero, image: "velero/velero:v1.15.0", args: [server]}]}}}
"""
SET = """---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  template: {metadata: {ANNOTATIONS}, spec: {containers: [{name: db}]}}
  volumeClaimTemplates: TEMPLATES
"""
COPIED = SET.replace("ANNOTATIONS", "annotations: {backup.velero.io/backup-volumes: data}")


@pytest.mark.parametrize(
    ("text", "facts", "expected"),
    [
        (CLAIM, "", ["what backs its volume up is not here"]),
        (CLAIM, "backups: {volumes: snapshots of the array}", ["passes"]),
        (CLAIM + CLAIM.replace("data", "more"), "backups: {volumes: true}", ["passes", "passes"]),
        (CLAIM, "backups: {volumes: false}", [NOBODYS]),
        (nightly("includedNamespaces: [shop]") + CLAIM, "backups: {volumes: false}", ["passes", "passes"]),
        (nightly("includedNamespaces: [search]") + CLAIM, "backups: {volumes: true}", ["passes", "passes"]),
        (nightly("").replace('schedule: "@daily", ', ""), "", ["its schedule cannot be read"]),
        # A schedule that takes no snapshot, beside a server that copies nothing by default.
        (nightly(OBJECTS_ONLY) + SERVER + CLAIM, "", [LEFT_OUT]),
        (nightly(OBJECTS_ONLY) + SERVER + CLAIM, "backups: {volumes: true}", ["passes", "passes"]),
        (nightly(OBJECTS_ONLY) + SERVER + CLAIM, "backups: {volumes: false}", [LEFT_OUT]),
        # What its server does by default is not here.
        (nightly(OBJECTS_ONLY) + CLAIM, "",
         [f"Schedule/velero/nightly takes no snapshot of it, and {OF_SERVER}"]),
        (nightly(OBJECTS_ONLY) + CLAIM, "backups: {volumes: false}", [LEFT_OUT]),
        (nightly(OBJECTS_ONLY), "",
         [f"it takes no snapshot of volumes (snapshotVolumes: false), and {OF_SERVER}"]),
        (nightly(OBJECTS_ONLY) + SERVER, "",
         ["it takes no snapshot of volumes (snapshotVolumes: false), nor does it copy their files"]),
        # Files of the volumes that a pod names, by a schedule that covers it.
        (nightly(OBJECTS_ONLY) + SERVER + COPIED.replace("TEMPLATES", "[{metadata: {name: data}}]"), "",
         ["passes", "passes"]),
        (nightly(OBJECTS_ONLY) + SERVER + COPIED.replace("TEMPLATES", "[{metadata: {name: data}}]") + CLAIM, "",
         [LEFT_OUT, "passes", "passes"]),
        (SERVER + COPIED.replace("TEMPLATES", "[{metadata: {name: data}}]"), "", [NOBODYS]),
        # No schedule, and hooks of Velero on pods that have another annotation too.
        (SET.replace("TEMPLATES", "[]").replace(
            "ANNOTATIONS", "annotations: {team: a, pre.hook.backup.velero.io/command: sync}") + CLAIM, "", [NOBODYS]),
        (SET.replace("TEMPLATES", "[]").replace("ANNOTATIONS", "annotations: {team: a}") + CLAIM, "",
         ["what backs its volume up is not here"]),
        # A set without templates has no claims of its own.
        (SET.replace("TEMPLATES", "[]").replace("ANNOTATIONS", ""), "", []),
    ],
)  # fmt: skip
def test_a_volume_is_backed_up_by_what_covers_it_or_by_what_the_facts_say(
    text: str, facts: str, expected: list[str]
) -> None:
    assert told(text, facts) == expected


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (SCHEDULE.replace("SCHEDULE", "@daily").replace("PAUSED", "paused: true, ").replace("TEMPLATE", ""), 5),
        (nightly(OBJECTS_ONLY) + SERVER + CLAIM, 5),
        (nightly("includedNamespaces: [shop], excludedResources: [pvc]") + CLAIM, 7),
        (nightly("includedNamespaces: [search]") + CLAIM, 7),
        (DATABASE.replace("KIND", "StatefulSet").replace("VOLUME", "fleeting").replace("PATH", "/data/db"), 7),
    ],
)
def test_what_keeps_no_copy_keeps_none_by_what_its_file_says(text: str, line: int) -> None:
    (found,) = engine.run(reader.read([File("a.yaml", text)]), [CHECKS[META.id]]).found
    (kept,) = [each for each in found.fail.quantities if each.name == "retention_days"]
    (term,) = kept.inputs
    assert (kept.value, term.value, term.source, term.path, term.line) == (0, 0, "file", "a.yaml", line)


def test_that_nothing_backs_volumes_up_is_the_facts_word() -> None:
    files = [File("a.yaml", CLAIM), File("platform-risk.yaml", "backups:\n  volumes: false\n")]
    (found,) = engine.run(reader.read(files), [CHECKS[META.id]]).found
    (term,) = found.fail.quantities[1].inputs
    assert (term.value, term.source, term.path, term.line) == (0, "facts", "platform-risk.yaml", 2)
    assert [each.path for each in found.fail.places] == ["a.yaml", "platform-risk.yaml"]


@pytest.mark.parametrize("odd", ["volumes: [5, {name: fleeting, emptyDir: {}}]", "volumes: odd"])
def test_odd_volumes_and_jobs_end_no_search_for_databases_on_what_goes(odd: str) -> None:
    job = DATABASE.replace("KIND", "Job").replace("{name: db}", "{name: first}")
    server = DATABASE.replace("KIND", "StatefulSet").replace("[{name: VOLUME", "[odd, {name: VOLUME")
    text = f"{job}---\n{server}".replace("VOLUME", "fleeting").replace("PATH", "/data/db")
    title = "A database keeps its data on a volume that goes with its pod"
    assert told(text) == [title]
    before, _, _ = text.rpartition("      volumes:")
    assert told(f"{before}      {odd}\n") == ([title] if "fleeting" in odd else [])


def test_a_field_that_leaves_a_claim_out_is_named() -> None:
    for field in ("excludedResources: [pvc]", "includedResources: [pods]", "labelSelector: {matchLabels: {a: b}}"):
        text = nightly(f"includedNamespaces: [shop], {field}") + CLAIM
        (found,) = engine.run(reader.read([File("a.yaml", text)]), [CHECKS[META.id]]).found
        name = field.partition(":")[0]
        assert found.fail.why == (
            f"Schedule/velero/nightly covers its namespace, but its {name} leaves this claim out."
        )


def test_a_schedule_loses_what_was_written_since_the_copy_before_the_damage() -> None:
    """A snapshot is of one moment. What keeps no time of its own keeps the thirty days of Velero's default."""
    files = [File("a.yaml", nightly("").replace("ttl: 720h0m0s, ", "")), File("platform-risk.yaml",
             "backups: {detection_hours: 800}")]  # fmt: skip
    (found,) = engine.run(reader.read(files), [CHECKS[META.id]]).found
    figures = {each.name: each for each in found.fail.quantities}
    assert {name: each.value for name, each in figures.items()} == {
        "rpo_minutes": 1440, "retention_days": 30, "margin_hours": -80, "hours_of_writes_at_risk": 824,
    }  # fmt: skip
    assert figures["retention_days"].inputs[0].source == "provider_default"
