from decimal import Decimal

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    # What installations have that began before the migrations up to 0.1.0 became one.
    replaces = [
        ("costs", "0001_bills"),
        ("costs", "0002_prices_usage_budgets"),
    ]

    dependencies = [
        ("core", "0001_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="PriceBook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "slug",
                    models.CharField(
                        max_length=40,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9](?:[a-z0-9._-]{0,78}[a-z0-9])?$", "Use a-z, 0-9, dot, dash, underscore."
                            )
                        ],
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("version", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["slug"],
            },
        ),
        migrations.CreateModel(
            name="BillScope",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("export", models.CharField(max_length=100)),
                ("billing_account", models.CharField(max_length=200)),
                ("period", models.DateField()),
                ("last_complete_at", models.DateTimeField(null=True)),
                ("last_seen_at", models.DateTimeField(null=True)),
                ("is_provisional", models.BooleanField(default=False)),
            ],
            options={
                "ordering": ["-period", "billing_account", "export"],
                "indexes": [models.Index(fields=["billing_account", "period"], name="bill_scope_by_account")],
                "constraints": [
                    models.UniqueConstraint(fields=("export", "billing_account", "period"), name="bill_scope_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="BillVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("observed_at", models.DateTimeField()),
                ("is_complete", models.BooleanField()),
                ("is_current", models.BooleanField()),
                ("is_provisional", models.BooleanField()),
                ("is_pruned", models.BooleanField(default=False)),
                ("lines", models.BigIntegerField()),
                ("first_day", models.DateField(null=True)),
                ("last_day", models.DateField(null=True)),
                ("totals", models.JSONField(default=list)),
                ("difference", models.JSONField(default=list)),
                (
                    "import_row",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="bill_versions", to="core.import"
                    ),
                ),
                (
                    "replaced_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="replaced",
                        to="costs.billversion",
                    ),
                ),
                (
                    "scope",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="versions", to="costs.billscope"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("scope", "import_row"), name="bill_version_once")],
            },
        ),
        migrations.CreateModel(
            name="Budget",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("account", models.CharField(blank=True, max_length=200)),
                (
                    "amount",
                    models.DecimalField(
                        decimal_places=4,
                        max_digits=20,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                    ),
                ),
                (
                    "currency",
                    models.CharField(
                        default="USD",
                        max_length=40,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Z][A-Z0-9_]{2,39}\\Z", "An ISO 4217 currency, as USD."
                            )
                        ],
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=500)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "environment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="budgets",
                        to="core.environment",
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="budgets",
                        to="core.service",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="budgets",
                        to="core.team",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("team", "service", "environment", "account", "currency"),
                        name="budget_once",
                        nulls_distinct=False,
                        violation_error_message="There is a budget of this in this currency already.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ChargeKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=32, unique=True)),
                ("provider", models.CharField(max_length=200)),
                ("cloud_service", models.CharField(max_length=300)),
                ("service_category", models.CharField(max_length=100)),
                ("account", models.CharField(max_length=200)),
                ("account_name", models.CharField(max_length=300)),
                ("region", models.CharField(max_length=100)),
                ("resource_group", models.CharField(max_length=300)),
                ("namespace", models.CharField(max_length=253)),
                ("unit", models.CharField(max_length=100)),
                ("tags", models.JSONField(default=dict)),
                ("team_from", models.CharField(blank=True, max_length=8)),
                (
                    "environment",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="core.environment"
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="core.service"
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="core.team"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ChargeDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("is_current", models.BooleanField()),
                ("day", models.DateField()),
                ("charge_category", models.CharField(max_length=20)),
                ("currency", models.CharField(max_length=40)),
                ("billed", models.DecimalField(decimal_places=28, max_digits=60)),
                ("effective", models.DecimalField(decimal_places=28, max_digits=60)),
                ("list", models.DecimalField(decimal_places=28, max_digits=60, null=True)),
                ("quantity", models.DecimalField(decimal_places=28, max_digits=60, null=True)),
                ("lines", models.IntegerField()),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="days", to="costs.billversion"
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="costs.chargekey",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("is_current", True)), fields=["day"], name="charge_by_day")
                ],
            },
        ),
        migrations.CreateModel(
            name="ChargeMonth",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.DateField()),
                ("charge_category", models.CharField(max_length=20)),
                ("currency", models.CharField(max_length=40)),
                ("billed", models.DecimalField(decimal_places=28, max_digits=60)),
                ("effective", models.DecimalField(decimal_places=28, max_digits=60)),
                ("list", models.DecimalField(decimal_places=28, max_digits=60, null=True)),
                ("quantity", models.DecimalField(decimal_places=28, max_digits=60, null=True)),
                (
                    "key",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="costs.chargekey",
                    ),
                ),
                (
                    "scope",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="costs.billscope"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["month"], name="charge_by_month")],
            },
        ),
        migrations.CreateModel(
            name="DayTotal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("provider", models.CharField(max_length=200)),
                ("cloud_service", models.CharField(max_length=300)),
                ("charge_category", models.CharField(max_length=20)),
                ("currency", models.CharField(max_length=40)),
                ("billed", models.DecimalField(decimal_places=28, max_digits=60)),
                ("effective", models.DecimalField(decimal_places=28, max_digits=60)),
                (
                    "environment",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="core.environment"
                    ),
                ),
                (
                    "scope",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="costs.billscope"
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="core.service"
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="core.team"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["day"], name="total_by_day")],
            },
        ),
        migrations.CreateModel(
            name="PriceRate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("item", models.CharField(max_length=200)),
                (
                    "provider",
                    models.CharField(
                        blank=True,
                        max_length=80,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9](?:[a-z0-9._-]{0,78}[a-z0-9])?$", "Use a-z, 0-9, dot, dash, underscore."
                            )
                        ],
                    ),
                ),
                (
                    "unit",
                    models.CharField(
                        choices=[
                            ("per_million_points", "per million data points"),
                            ("per_gb_ingested", "per GB ingested"),
                            ("per_active_series_month", "per active series and month"),
                            ("per_entity_month", "per entity and month"),
                            ("per_gb_month", "per GB stored and month"),
                            ("per_gb_once", "per GB, once"),
                            ("per_gb_scanned", "per GB searched"),
                            ("per_billion_points_read", "per billion data points read"),
                            ("per_host_hour", "per host and hour"),
                        ],
                        max_length=30,
                    ),
                ),
                (
                    "amount",
                    models.DecimalField(
                        decimal_places=12,
                        max_digits=24,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                    ),
                ),
                (
                    "currency",
                    models.CharField(
                        default="USD", max_length=3, validators=[django.core.validators.RegexValidator("^[A-Z]{3}\\Z")]
                    ),
                ),
                (
                    "free",
                    models.DecimalField(
                        decimal_places=12,
                        default=Decimal("0"),
                        max_digits=24,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                    ),
                ),
                ("tiers", models.JSONField(blank=True, default=list)),
                (
                    "gb_bytes",
                    models.BigIntegerField(
                        choices=[(1000000000, "GB, 10^9"), (1073741824, "GiB, 2^30")], default=1000000000
                    ),
                ),
                ("valid_from", models.DateField(blank=True, null=True)),
                ("valid_to", models.DateField(blank=True, null=True)),
                ("source", models.CharField(blank=True, max_length=500)),
                ("source_date", models.CharField(blank=True, max_length=40)),
                (
                    "confidence",
                    models.CharField(
                        choices=[("high", "high"), ("medium", "medium"), ("low", "low")], default="high", max_length=6
                    ),
                ),
                ("applies", models.BooleanField(default=True)),
                ("note", models.CharField(blank=True, max_length=1000)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "book",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="rates", to="costs.pricebook"
                    ),
                ),
            ],
            options={
                "ordering": ["book__slug", "provider", "item", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("book", "item", "valid_from"),
                        name="price_once_from_a_day",
                        nulls_distinct=False,
                        violation_error_message="The book has this item from this day on already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_to__isnull", True),
                            ("valid_from__isnull", True),
                            ("valid_to__gt", models.F("valid_from")),
                            _connector="OR",
                        ),
                        name="price_ends_after_it_begins",
                        violation_error_message="valid_to is after valid_from.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ResourceMonth",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("is_current", models.BooleanField()),
                ("month", models.DateField()),
                ("resource", models.CharField(max_length=1000)),
                ("currency", models.CharField(max_length=40)),
                ("billed", models.DecimalField(decimal_places=28, max_digits=60)),
                ("effective", models.DecimalField(decimal_places=28, max_digits=60)),
                ("quantity", models.DecimalField(decimal_places=28, max_digits=60, null=True)),
                (
                    "key",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="costs.chargekey",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="resources", to="costs.billversion"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("is_current", True)), fields=["month"], name="resource_by_month")
                ],
            },
        ),
        migrations.CreateModel(
            name="Scenario",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                (
                    "vector",
                    models.CharField(
                        choices=[("metrics", "metrics"), ("entities", "entities"), ("logs", "logs")], max_length=10
                    ),
                ),
                ("inputs", models.JSONField()),
                ("beside", models.JSONField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
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
                        related_name="scenarios",
                        to="core.team",
                    ),
                ),
            ],
            options={
                "ordering": ["name", "id"],
                "constraints": [models.UniqueConstraint(fields=("created_by", "name"), name="scenario_once")],
            },
        ),
        migrations.CreateModel(
            name="SeenAnomaly",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("currency", models.CharField(max_length=40)),
                ("reason", models.CharField(max_length=1000)),
                ("seen_at", models.DateTimeField(auto_now_add=True)),
                (
                    "seen_by",
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
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="core.team"
                    ),
                ),
            ],
            options={
                "ordering": ["-day", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("team", "day", "currency"), name="anomaly_seen_once", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SharedCost",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("account", "Account"),
                            ("cloud_service", "Cloud service"),
                            ("namespace", "Namespace"),
                            ("tag", "Tag"),
                        ],
                        max_length=13,
                    ),
                ),
                ("pattern", models.CharField(max_length=500)),
                (
                    "split",
                    models.CharField(
                        choices=[
                            ("proportional", "By what each team spends directly in the month"),
                            ("even", "The same for each team that spends in the month"),
                        ],
                        default="proportional",
                        max_length=12,
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=500)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [models.UniqueConstraint(fields=("kind", "pattern"), name="shared_cost_once")],
            },
        ),
        migrations.AddField(
            model_name="chargekey",
            name="shared",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="costs.sharedcost"
            ),
        ),
        migrations.CreateModel(
            name="UsageScope",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=100)),
                ("format", models.CharField(max_length=40)),
                ("account", models.CharField(blank=True, max_length=200)),
                ("provider", models.CharField(blank=True, max_length=80)),
                ("last_complete_at", models.DateTimeField(null=True)),
                ("last_seen_at", models.DateTimeField(null=True)),
                (
                    "environment",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.environment"
                    ),
                ),
                (
                    "last_applied",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="core.import"
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="usage_scopes",
                        to="core.service",
                    ),
                ),
            ],
            options={
                "ordering": ["source", "account", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "format", "account", "service", "environment"),
                        name="usage_scope_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="UsageFigure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "measure",
                    models.CharField(
                        choices=[
                            ("active_series", "active_series"),
                            ("unused_series", "unused_series"),
                            ("series_of_metric", "series_of_metric"),
                            ("unused_series_of_metric", "unused_series_of_metric"),
                            ("series_of_label", "series_of_label"),
                            ("series_of_target", "series_of_target"),
                            ("points", "points"),
                            ("interval_seconds", "interval_seconds"),
                            ("observed", "observed"),
                            ("ingested_bytes", "ingested_bytes"),
                            ("stored_bytes", "stored_bytes"),
                            ("primary_bytes", "primary_bytes"),
                            ("retention_days", "retention_days"),
                            ("pods", "pods"),
                            ("entities", "entities"),
                            ("entities_dead", "entities_dead"),
                            ("entities_new", "entities_new"),
                            ("lifetime_days", "lifetime_days"),
                            ("compute_units", "compute_units"),
                        ],
                        max_length=30,
                    ),
                ),
                ("subject", models.CharField(blank=True, max_length=500)),
                ("day", models.DateField(null=True)),
                ("value", models.DecimalField(decimal_places=10, max_digits=44, null=True)),
                ("is_part", models.BooleanField(default=False)),
                ("note", models.CharField(blank=True, max_length=200)),
                (
                    "import_row",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="usage_figures", to="core.import"
                    ),
                ),
                (
                    "scope",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="figures", to="costs.usagescope"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["scope", "measure", "day"], name="usage_by_scope")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("import_row", "measure", "subject", "day"),
                        name="usage_figure_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
    ]
