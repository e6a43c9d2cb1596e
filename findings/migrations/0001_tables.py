import datetime
from decimal import Decimal
from pathlib import Path

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


def sql(name: str) -> migrations.RunSQL:
    return migrations.RunSQL((SQL / name).read_text(encoding="utf-8"), migrations.RunSQL.noop)


class Migration(migrations.Migration):
    initial = True

    # What installations have that began before the migrations up to 0.1.0 became one.
    replaces = [
        ("findings", "0001_initial"),
        ("findings", "0002_risk"),
        ("findings", "0003_risk_order"),
        ("findings", "0004_groups"),
        ("findings", "0005_review_indexes"),
        ("findings", "0006_inherent"),
        ("findings", "0007_overdue"),
    ]

    dependencies = [
        ("core", "0001_tables"),
    ]

    operations = [
        sql("words.sql"),
        sql("risk_key.sql"),
        migrations.CreateModel(
            name="Simulation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("input_hash", models.CharField(max_length=64, unique=True)),
                ("state", models.CharField(default="queued", max_length=10)),
                ("years", models.IntegerField()),
                ("seed", models.BigIntegerField()),
                ("version", models.CharField(max_length=120)),
                ("units", models.JSONField()),
                ("done", models.IntegerField(default=0)),
                ("total", models.IntegerField(default=0)),
                ("result", models.JSONField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("used_at", models.DateTimeField(auto_now_add=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="BulkAction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("action", models.JSONField()),
                ("query", models.CharField(blank=True, max_length=2000)),
                ("finding_ids", models.JSONField(null=True)),
                ("state", models.CharField(default="queued", max_length=10)),
                ("matched", models.IntegerField(default=0)),
                ("applied", models.IntegerField(default=0)),
                ("refused", models.IntegerField(default=0)),
                ("results", models.JSONField(default=list)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("undone_at", models.DateTimeField(null=True)),
                (
                    "actor",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Estimate",
            fields=[
                ("key", models.BigIntegerField(primary_key=True, serialize=False)),
                ("check_id", models.CharField(blank=True, max_length=60)),
                (
                    "severity",
                    models.CharField(
                        choices=[
                            ("critical", "Critical"),
                            ("high", "High"),
                            ("medium", "Medium"),
                            ("low", "Low"),
                            ("info", "Info"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "risk_class",
                    models.CharField(
                        choices=[
                            ("stability", "Stability"),
                            ("security", "Security"),
                            ("data_loss", "Data loss"),
                            ("operational", "Operational"),
                            ("cost", "Cost"),
                        ],
                        max_length=12,
                    ),
                ),
                ("exploit", models.CharField(blank=True, max_length=8)),
                ("quantities", models.JSONField(null=True)),
                ("own_finding_id", models.BigIntegerField(null=True)),
                ("frequency", models.FloatField(null=True)),
                ("bad_minutes", models.FloatField(null=True)),
                ("hidden_minutes", models.FloatField(null=True)),
                ("minutes_p5", models.FloatField(null=True)),
                ("minutes_p50", models.FloatField(null=True)),
                ("minutes_p95", models.FloatField(null=True)),
                ("minutes_per_event", models.FloatField(null=True)),
                ("budget_share", models.FloatField(null=True)),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("annual_loss", models.DecimalField(decimal_places=2, max_digits=18, null=True)),
                ("loss_p5", models.DecimalField(decimal_places=2, max_digits=18, null=True)),
                ("loss_p50", models.DecimalField(decimal_places=2, max_digits=18, null=True)),
                ("loss_p95", models.DecimalField(decimal_places=2, max_digits=18, null=True)),
                ("loss_per_event", models.DecimalField(decimal_places=2, max_digits=18, null=True)),
                ("recurring_cost", models.DecimalField(decimal_places=2, max_digits=18, null=True)),
                (
                    "minutes_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.functions.comparison.Coalesce("bad_minutes", models.Value(-1.0)),
                        output_field=models.FloatField(),
                    ),
                ),
                (
                    "loss_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.functions.comparison.Coalesce(
                            "annual_loss", models.Value(Decimal("-1"))
                        ),
                        output_field=models.DecimalField(decimal_places=2, max_digits=18),
                    ),
                ),
                ("likelihood", models.SmallIntegerField(null=True)),
                ("impact", models.SmallIntegerField(null=True)),
                ("band", models.CharField(blank=True, max_length=8)),
                ("money_likelihood", models.SmallIntegerField(null=True)),
                ("money_impact", models.SmallIntegerField(null=True)),
                ("money_band", models.CharField(blank=True, max_length=8)),
                (
                    "controls",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20), default=list, size=None
                    ),
                ),
                ("inherent_minutes", models.FloatField(null=True)),
                ("inherent_loss", models.DecimalField(decimal_places=2, max_digits=18, null=True)),
                ("inherent_likelihood", models.SmallIntegerField(null=True)),
                ("inherent_impact", models.SmallIntegerField(null=True)),
                ("inherent_band", models.CharField(blank=True, max_length=8)),
                ("inherent_money_likelihood", models.SmallIntegerField(null=True)),
                ("inherent_money_impact", models.SmallIntegerField(null=True)),
                ("inherent_money_band", models.CharField(blank=True, max_length=8)),
                ("detection", models.SmallIntegerField(null=True)),
                ("lane", models.CharField(max_length=12)),
                ("lane_reason", models.CharField(max_length=300)),
                ("lane_version", models.CharField(max_length=20)),
                ("words", models.CharField(max_length=500)),
                (
                    "missing",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=30), default=list, size=None
                    ),
                ),
                (
                    "defaulted",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=30), default=list, size=None
                    ),
                ),
                ("input_hash", models.CharField(max_length=80)),
                ("version", models.CharField(max_length=120)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "service",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="core.service"),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["service"], name="estimate_by_service"),
                    models.Index(fields=["minutes_key"], name="estimate_by_minutes"),
                    models.Index(fields=["loss_key"], name="estimate_by_loss"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Finding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("branch", models.CharField(max_length=250)),
                ("is_default_branch", models.BooleanField()),
                ("fingerprint", models.CharField(max_length=32)),
                ("fingerprint_version", models.SmallIntegerField(db_default=1)),
                ("title", models.CharField(max_length=500)),
                ("message", models.TextField(blank=True, db_default="")),
                (
                    "severity",
                    models.CharField(
                        choices=[
                            ("critical", "Critical"),
                            ("high", "High"),
                            ("medium", "Medium"),
                            ("low", "Low"),
                            ("info", "Info"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "severity_source",
                    models.CharField(
                        choices=[
                            ("report", "Report"),
                            ("rule_table", "Rule table"),
                            ("unrated", "Unrated"),
                            ("user", "User"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "reported_severity",
                    models.CharField(
                        choices=[
                            ("critical", "Critical"),
                            ("high", "High"),
                            ("medium", "Medium"),
                            ("low", "Low"),
                            ("info", "Info"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "reported_severity_source",
                    models.CharField(
                        choices=[
                            ("report", "Report"),
                            ("rule_table", "Rule table"),
                            ("unrated", "Unrated"),
                            ("user", "User"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("architecture", "Architecture"),
                            ("security", "Security"),
                            ("performance", "Performance"),
                            ("data_consistency", "Data consistency"),
                            ("operations", "Operations"),
                            ("cost", "Cost"),
                            ("dependencies", "Dependencies"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "risk_class",
                    models.CharField(
                        choices=[
                            ("stability", "Stability"),
                            ("security", "Security"),
                            ("data_loss", "Data loss"),
                            ("operational", "Operational"),
                            ("cost", "Cost"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("cascade", "Cascade"),
                            ("data_loss", "Data loss"),
                            ("breach", "Breach"),
                            ("cost", "Cost"),
                            ("outage", "Outage"),
                        ],
                        db_default="",
                        max_length=10,
                    ),
                ),
                ("rule", models.CharField(max_length=200)),
                ("rule_name", models.CharField(blank=True, db_default="", max_length=500)),
                ("check_id", models.CharField(blank=True, db_default="", max_length=60)),
                (
                    "scanners",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100), db_default=[], size=None
                    ),
                ),
                ("path", models.CharField(blank=True, db_default="", max_length=1000)),
                ("line", models.IntegerField(null=True)),
                ("end_line", models.IntegerField(null=True)),
                ("resource", models.CharField(blank=True, db_default="", max_length=500)),
                ("namespace", models.CharField(blank=True, db_default="", max_length=253)),
                ("image", models.CharField(blank=True, db_default="", max_length=500)),
                ("package", models.CharField(blank=True, db_default="", max_length=300)),
                ("package_version", models.CharField(blank=True, db_default="", max_length=100)),
                ("endpoint", models.CharField(blank=True, db_default="", max_length=1000)),
                ("symbol", models.CharField(blank=True, db_default="", max_length=500)),
                (
                    "identifiers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100), db_default=[], size=None
                    ),
                ),
                ("evidence", models.JSONField(db_default=models.Value({}, models.JSONField()))),
                ("quantities", models.JSONField(null=True)),
                (
                    "remedies",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), db_default=[], size=None
                    ),
                ),
                ("exploit", models.CharField(blank=True, db_default="", max_length=8)),
                ("content_hash", models.CharField(db_default="", max_length=32)),
                (
                    "lane",
                    models.CharField(
                        choices=[
                            ("immediate", "Immediate"),
                            ("critical", "Critical"),
                            ("important", "Important"),
                            ("optimization", "Optimization"),
                        ],
                        max_length=12,
                    ),
                ),
                ("lane_reason", models.CharField(max_length=300)),
                ("lane_version", models.CharField(max_length=20)),
                ("lane_from", models.CharField(blank=True, db_default="", max_length=4)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("new", "New"),
                            ("triaged", "Triaged"),
                            ("in_progress", "In progress"),
                            ("fixed", "Fixed"),
                            ("verified", "Verified"),
                            ("snoozed", "Snoozed"),
                            ("accepted", "Accepted"),
                            ("dismissed", "Dismissed"),
                        ],
                        db_default="new",
                        max_length=12,
                    ),
                ),
                ("regressed", models.BooleanField(db_default=False)),
                (
                    "dismiss_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("inaccurate", "Inaccurate"),
                            ("not_applicable", "Not applicable"),
                            ("mitigated_elsewhere", "Mitigated elsewhere"),
                            ("duplicate", "Duplicate"),
                            ("wont_fix", "Wont fix"),
                        ],
                        db_default="",
                        max_length=24,
                    ),
                ),
                ("status_comment", models.TextField(blank=True, db_default="")),
                ("decided_severity", models.CharField(blank=True, db_default="", max_length=10)),
                ("suppressed_by_report", models.BooleanField(db_default=False)),
                ("snoozed_until", models.DateField(null=True)),
                ("snoozed_from", models.CharField(blank=True, db_default="", max_length=12)),
                ("acceptance_expires_on", models.DateField(null=True)),
                ("team_from", models.CharField(blank=True, db_default="", max_length=8)),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), db_default=[], size=None
                    ),
                ),
                ("opened_on", models.DateField()),
                ("due_on", models.DateField(null=True)),
                ("first_seen_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                ("version", models.IntegerField(db_default=1)),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "rank",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.Case(
                                    models.When(lane="immediate", then=models.Value(0)),
                                    models.When(lane="critical", then=models.Value(1)),
                                    models.When(lane="important", then=models.Value(2)),
                                    models.When(lane="optimization", then=models.Value(3)),
                                    default=models.Value(4),
                                    output_field=models.SmallIntegerField(),
                                ),
                                "*",
                                models.Value(10),
                            ),
                            "+",
                            models.Case(
                                models.When(severity="critical", then=models.Value(0)),
                                models.When(severity="high", then=models.Value(1)),
                                models.When(severity="medium", then=models.Value(2)),
                                models.When(severity="low", then=models.Value(3)),
                                models.When(severity="info", then=models.Value(4)),
                                default=models.Value(5),
                                output_field=models.SmallIntegerField(),
                            ),
                        ),
                        output_field=models.SmallIntegerField(),
                    ),
                ),
                ("has_own_inputs", models.BooleanField(db_default=False)),
                (
                    "risk_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func(
                            models.F("service"),
                            models.F("check_id"),
                            models.F("severity"),
                            models.F("risk_class"),
                            models.F("exploit"),
                            models.F("quantities"),
                            models.Case(
                                models.When(has_own_inputs=True, then=models.F("id")), default=models.Value(None)
                            ),
                            function="findings_risk_key",
                            output_field=models.BigIntegerField(),
                        ),
                        output_field=models.BigIntegerField(),
                    ),
                ),
                (
                    "search",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func(
                            models.Func(
                                models.F("title"),
                                models.F("rule"),
                                models.F("path"),
                                models.F("resource"),
                                models.F("image"),
                                models.F("package"),
                                models.F("endpoint"),
                                models.F("symbol"),
                                arg_joiner=" || ' ' || ",
                                function="",
                                output_field=models.TextField(),
                            ),
                            models.F("identifiers"),
                            function="findings_words",
                            output_field=django.contrib.postgres.search.SearchVectorField(),
                        ),
                        output_field=django.contrib.postgres.search.SearchVectorField(),
                    ),
                ),
                (
                    "created_by_import",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="core.import",
                    ),
                ),
                (
                    "environment",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.environment",
                    ),
                ),
                (
                    "estimate",
                    models.ForeignObject(
                        from_fields=["risk_key"],
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="findings.estimate",
                        to_fields=["key"],
                    ),
                ),
                (
                    "fixed_by_import",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="core.import",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="owned_findings",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="findings",
                        to="core.service",
                    ),
                ),
                (
                    "target",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="findings",
                        to="core.target",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="findings",
                        to="core.team",
                    ),
                ),
                (
                    "withdrawn_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="core.import",
                    ),
                ),
                (
                    "written_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["rank", "id"], name="finding_by_rank"),
                    models.Index(fields=["service", "rank", "id"], name="finding_by_service"),
                    models.Index(fields=["team", "rank", "id"], name="finding_by_team"),
                    models.Index(fields=["updated_at", "id"], name="finding_by_update"),
                    models.Index(fields=["first_seen_at", "id"], name="finding_by_first_seen"),
                    models.Index(
                        django.db.models.functions.comparison.Coalesce(
                            "due_on", models.Value(datetime.date(9999, 1, 1)), output_field=models.DateField()
                        ),
                        models.F("id"),
                        name="finding_by_due",
                    ),
                    models.Index(
                        condition=models.Q(("status__in", ["new", "triaged", "in_progress"])),
                        fields=["due_on"],
                        include=("service", "team", "is_default_branch", "withdrawn_by"),
                        name="finding_overdue",
                    ),
                    models.Index(
                        condition=models.Q(("closed_at__isnull", False)), fields=["closed_at"], name="finding_closed"
                    ),
                    models.Index(
                        condition=models.Q(("regressed", True)), fields=["opened_on"], name="finding_regressed"
                    ),
                    models.Index(
                        condition=models.Q(("status", "accepted")),
                        fields=["acceptance_expires_on"],
                        name="finding_expiring",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("status__in", ["new", "triaged", "in_progress"]), ("withdrawn_by__isnull", True)
                        ),
                        fields=["service", "rule", "due_on", "id"],
                        name="finding_open_by_rule",
                    ),
                    models.Index(
                        condition=models.Q(("status", "fixed")), fields=["fixed_by_import"], name="finding_to_verify"
                    ),
                    models.Index(fields=["risk_key", "id"], name="finding_by_risk"),
                    django.contrib.postgres.indexes.GinIndex(fields=["search"], name="finding_search"),
                ],
                "constraints": [models.UniqueConstraint(fields=("target", "fingerprint"), name="finding_once")],
            },
        ),
        migrations.CreateModel(
            name="Effect",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("changed", "Changed"),
                            ("reopened", "Reopened"),
                            ("closed", "Closed"),
                            ("verified", "Verified"),
                            ("seen_again", "Seen again"),
                        ],
                        max_length=10,
                    ),
                ),
                ("before", models.JSONField()),
                (
                    "import_row",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="effects", to="core.import"
                    ),
                ),
                (
                    "finding",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="effects", to="findings.finding"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("import_row", "finding", "kind"), name="effect_once")],
            },
        ),
        migrations.CreateModel(
            name="Comment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.TextField(max_length=10000)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "finding",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="comments", to="findings.finding"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="BulkItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("before", models.JSONField()),
                ("version_after", models.IntegerField()),
                (
                    "bulk",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="items", to="findings.bulkaction"
                    ),
                ),
                (
                    "finding",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="findings.finding"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("bulk", "finding"), name="bulk_item_once")],
            },
        ),
        migrations.CreateModel(
            name="GroupRollup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("is_default_branch", models.BooleanField()),
                ("rule", models.CharField(max_length=200)),
                ("check_id", models.CharField(max_length=60)),
                ("category", models.CharField(max_length=20)),
                ("risk_class", models.CharField(max_length=12)),
                ("severity", models.CharField(max_length=10)),
                ("severity_source", models.CharField(max_length=10)),
                ("lane", models.CharField(max_length=12)),
                ("rank", models.SmallIntegerField()),
                ("status", models.CharField(max_length=12)),
                ("regressed", models.BooleanField()),
                ("risk_key", models.BigIntegerField()),
                ("is_merged", models.BooleanField()),
                ("count", models.IntegerField()),
                (
                    "environment",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="core.environment"
                    ),
                ),
                (
                    "estimate",
                    models.ForeignObject(
                        from_fields=["risk_key"],
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="findings.estimate",
                        to_fields=["key"],
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="core.service"),
                ),
                (
                    "team",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="core.team"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["service"], name="group_rollup_by_service")],
            },
        ),
        migrations.CreateModel(
            name="History",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("source", models.CharField(max_length=8)),
                ("changes", models.JSONField()),
                ("reason", models.TextField(blank=True, db_default="")),
                (
                    "actor",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "bulk",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="history",
                        to="findings.bulkaction",
                    ),
                ),
                (
                    "finding",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="history",
                        to="findings.finding",
                    ),
                ),
                (
                    "import_row",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="core.import"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["finding", "id"], name="history_by_finding")],
            },
        ),
        migrations.CreateModel(
            name="RiskInput",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("check_id", models.CharField(blank=True, default="", max_length=60)),
                (
                    "name",
                    models.CharField(
                        choices=[
                            ("frequency", "frequency"),
                            ("users_affected", "users_affected"),
                            ("alert_probability", "alert_probability"),
                            ("detect_alerted", "detect_alerted"),
                            ("detect_silent", "detect_silent"),
                            ("recover", "recover"),
                            ("fixed_cost", "fixed_cost"),
                            ("secondary_probability", "secondary_probability"),
                            ("secondary_cost", "secondary_cost"),
                            ("recurring_cost", "recurring_cost"),
                        ],
                        max_length=30,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("number", "Number"),
                            ("range", "Range"),
                            ("interval", "Interval"),
                            ("days_between", "Days between"),
                            ("incidents", "Incidents"),
                        ],
                        max_length=12,
                    ),
                ),
                ("numbers", models.JSONField()),
                ("currency", models.CharField(blank=True, default="", max_length=3)),
                ("source", models.CharField(max_length=500)),
                (
                    "confidence",
                    models.CharField(
                        choices=[("low", "Low"), ("medium", "Medium"), ("high", "High")], default="medium", max_length=6
                    ),
                ),
                ("stated_on", models.DateField()),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "finding",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="risk_inputs",
                        to="findings.finding",
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="risk_inputs", to="core.service"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("service", "check_id", "finding", "name"), name="risk_input_once", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RiskPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("thresholds", models.JSONField(default=dict)),
                ("tolerance", models.JSONField(default=list)),
                ("currency", models.CharField(default="USD", max_length=3)),
                ("reason", models.CharField(max_length=2000)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="RiskRollup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("lane", models.CharField(max_length=12)),
                ("risk_key", models.BigIntegerField()),
                ("count", models.IntegerField()),
                (
                    "estimate",
                    models.ForeignObject(
                        from_fields=["risk_key"],
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="findings.estimate",
                        to_fields=["key"],
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="core.service"),
                ),
                (
                    "team",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="core.team"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["service", "team"], name="risk_rollup_by_service")],
            },
        ),
        migrations.CreateModel(
            name="Rollup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("lane", models.CharField(max_length=12)),
                ("severity", models.CharField(max_length=10)),
                ("status", models.CharField(max_length=12)),
                ("has_owner", models.BooleanField()),
                ("count", models.IntegerField()),
                (
                    "environment",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="core.environment"
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="core.service"),
                ),
                (
                    "team",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="core.team"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["service", "team"], name="rollup_by_service")],
            },
        ),
        migrations.CreateModel(
            name="Sighting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("content_hash", models.CharField(max_length=32)),
                (
                    "ended_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="core.import",
                    ),
                ),
                (
                    "finding",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="sightings", to="findings.finding"
                    ),
                ),
                (
                    "first_import",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="core.import",
                    ),
                ),
                (
                    "last_import",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="core.import",
                    ),
                ),
                (
                    "scope",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="sightings", to="core.scope"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("last_import__isnull", True)),
                        fields=("scope", "finding"),
                        name="sighting_open_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="WeekRollup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("week", models.DateField()),
                ("opened", models.IntegerField()),
                ("closed", models.IntegerField()),
                (
                    "service",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="core.service"),
                ),
                (
                    "team",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="core.team"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["service", "week"], name="week_by_service")],
            },
        ),
        sql("triggers.sql"),
        sql("risk_triggers.sql"),
        sql("group_triggers.sql"),
    ]
