import csv
from decimal import Decimal
from importlib.resources import files

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

LIST = files("findings.checks").joinpath("data/remedies.tsv")


def add_remedies(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    remedy = apps.get_model("planning", "Remedy")
    with LIST.open(encoding="utf-8", newline="") as file:
        rows = [
            remedy(
                slug=row["id"],
                title=row["title"],
                how=row["how"] or "",
                lane=row["lane"],
                effort_days=row["effort_days"],
                checks=row["fixes_checks"].split(","),
            )
            for row in csv.DictReader(file, delimiter="\t")
        ]
    remedy.objects.bulk_create(rows, ignore_conflicts=True)


class Migration(migrations.Migration):
    initial = True

    # What installations have that began before the migrations up to 0.1.0 became one.
    replaces = [
        ("planning", "0001_initial"),
        ("planning", "0002_remedies"),
        ("planning", "0003_incidents_in_order"),
    ]

    dependencies = [
        ("core", "0001_tables"),
        ("findings", "0001_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="Remedy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "slug",
                    models.CharField(
                        max_length=80,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9](?:[a-z0-9._-]{0,78}[a-z0-9])?$", "Use a-z, 0-9, dot, dash, underscore."
                            )
                        ],
                    ),
                ),
                ("title", models.CharField(max_length=200)),
                ("how", models.TextField(blank=True, max_length=4000)),
                (
                    "lane",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("immediate", "Immediate"),
                            ("critical", "Critical"),
                            ("important", "Important"),
                            ("optimization", "Optimization"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "effort_days",
                    models.DecimalField(
                        decimal_places=1,
                        max_digits=5,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal("0.1")),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                    ),
                ),
                (
                    "checks",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), size=50),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("planned", "Planned"),
                            ("done", "Done"),
                            ("declined", "Declined"),
                        ],
                        default="proposed",
                        max_length=10,
                    ),
                ),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                ("claimed", models.JSONField(blank=True, null=True)),
                ("is_demo", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="remedies",
                        to="core.team",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "remedies",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Digest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=6)),
                ("of_day", models.DateField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("sent_at", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("user", "kind", "of_day"), name="digest_once")],
            },
        ),
        migrations.CreateModel(
            name="Incident",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=300)),
                ("started_at", models.DateTimeField()),
                ("detected_at", models.DateTimeField(blank=True, null=True)),
                ("recovered_at", models.DateTimeField(blank=True, null=True)),
                (
                    "users_affected",
                    models.DecimalField(
                        blank=True,
                        decimal_places=6,
                        max_digits=7,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1),
                        ],
                    ),
                ),
                ("was_predicted", models.BooleanField(blank=True, null=True)),
                ("was_alerted", models.BooleanField(blank=True, null=True)),
                ("notes", models.TextField(blank=True, max_length=10000)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("findings", models.ManyToManyField(blank=True, related_name="incidents", to="findings.finding")),
                (
                    "service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="incidents", to="core.service"
                    ),
                ),
            ],
            options={
                "ordering": ["-started_at", "-id"],
                "constraints": [
                    models.UniqueConstraint(fields=("service", "started_at", "title"), name="incident_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("detected_at__isnull", True), ("detected_at__gte", models.F("started_at")), _connector="OR"
                        ),
                        name="incident_detected_after_start",
                        violation_error_message="It cannot be detected before it starts.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("recovered_at__isnull", True),
                            models.Q(("detected_at__isnull", True), ("recovered_at__gte", models.F("started_at"))),
                            models.Q(("detected_at__isnull", False), ("recovered_at__gte", models.F("detected_at"))),
                            _connector="OR",
                        ),
                        name="incident_recovered_in_order",
                        violation_error_message="It cannot be recovered before it starts or is detected.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReviewNote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("week", models.DateField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("decision", "Decision"), ("note", "Note")], default="decision", max_length=10
                    ),
                ),
                ("text", models.TextField(max_length=4000)),
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
                    "team",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="core.team",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "indexes": [models.Index(fields=["week"], name="review_note_by_week")],
            },
        ),
        migrations.CreateModel(
            name="ReviewSnapshot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("week", models.DateField()),
                ("figures", models.JSONField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "team",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="core.team"
                    ),
                ),
            ],
            options={
                "ordering": ["-week", "team_id"],
                "constraints": [
                    models.UniqueConstraint(fields=("week", "team"), name="review_snapshot_once", nulls_distinct=False)
                ],
            },
        ),
        # The list of remedies that comes along, as rows that people change from then on.
        migrations.RunPython(add_remedies, migrations.RunPython.noop),
    ]
