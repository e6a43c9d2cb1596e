"""manage.py demo: fills the workspace with the sample platform of demo/, through the very path an upload takes.

Everything it makes is marked and removed whole by `--remove`. It may be killed and started again: what is there stays.
"""

import hashlib
import io
import zipfile
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from costs.load import forget_imports
from findings import services as triage
from findings.actions import Action, Transition, Update
from findings.models import BulkAction, Comment, Finding
from findings.vocabulary import Status
from platform_risk.core.catalog import services as catalog
from platform_risk.core.imports import runner
from platform_risk.core.models import (
    Environment,
    Import,
    ImportKind,
    ImportState,
    Membership,
    OwnershipRule,
    Role,
    Service,
    Team,
    User,
)
from platform_risk.joint.receiving import hand_in
from platform_risk.management import demo_bill, demo_practice, demo_spend

FOLDER = settings.BASE_DIR / "demo"
WAIT_SECONDS = 120

TEAMS = {"ingest": "Ingest", "routing": "Routing", "cloud": "Cloud infrastructure"}
PEOPLE = {
    "noor": ("Noor", "Haddad", {"ingest": Role.MANAGER, "routing": Role.MEMBER}),
    "lee": ("Lee", "Okafor", {"ingest": Role.MEMBER}),
    "mika": ("Mika", "Lindqvist", {"cloud": Role.MANAGER, "routing": Role.MEMBER}),
}


class ServiceFacts(NamedTuple):
    team: str
    criticality: str
    slo: Decimal | None
    value_per_bad_minute: Decimal | None = None  # USD


# What a bad minute costs is stated for two of them, so that the demo shows money beside what nobody has priced.
SERVICES = {
    "data-collector": ServiceFacts("ingest", "critical", Decimal("0.999")),
    "data-processor": ServiceFacts("ingest", "high", Decimal("0.999")),
    "cell-router": ServiceFacts("routing", "critical", Decimal("0.9995"), Decimal(120)),
    "infrastructure": ServiceFacts("cloud", "high", None),
    # The twins of failure-modes/: each environment holds one of every failure mode.
    "failure-modes": ServiceFacts("cloud", "low", None),
    # Of no team, so that the queue of what nobody owns is not empty.
    "clean-platform": ServiceFacts("", "high", Decimal("0.999"), Decimal(45)),
}


# Where findings lie → whose they are, whatever service they were reported for.
RULES = {
    "/clean-platform/infrastructure/": "cloud",
    "/clean-platform/cell-router/": "routing",
    "/clean-platform/data-*/": "ingest",
}


class Sent(NamedTuple):
    file: str
    service: str
    days_ago: int
    source: str = ""
    environment: str = "production"


# The newer reports of data-collector and cell-router are left for whoever tries the product: drop one on /imports/.
SENT = (
    Sent("scans/first/data-collector.json", "data-collector", 38),
    Sent("scans/first/data-processor.json", "data-processor", 37),
    Sent("scans/first/cell-router.sarif", "cell-router", 31),
    Sent("scans/first/infrastructure.json", "infrastructure", 24),
    Sent("review/platform-review.csv", "clean-platform", 17, "architecture-review"),
    Sent("scans/newer/data-processor.json", "data-processor", 9),
    Sent("scans/newer/infrastructure.json", "infrastructure", 2),
)


# How much the platform uses, as its tools say it (demo/usage_files.py).
USAGE = (
    Sent("usage/prometheus-status-tsdb.json", "data-collector", 1, "prometheus"),
    Sent("usage/mimirtool-prometheus-metrics.json", "data-collector", 1, "prometheus"),
    Sent("usage/pods.jsonl", "data-collector", 1, "kubernetes"),
    Sent("usage/describe-log-groups.json", "infrastructure", 1, "aws"),
    Sent("usage/incoming-bytes.json", "infrastructure", 1, "aws"),
)


CONFIGURATION = FOLDER / "clean-platform"
FAILURE_MODES = CONFIGURATION / "failure-modes"
TWINS = ("bad", "good", "unknown")


def configuration() -> bytes:
    """The sample platform's services as one archive, the same in every run."""
    return _archive(each for each in CONFIGURATION.rglob("*") if not each.is_relative_to(FAILURE_MODES))


def failure_modes() -> list[str]:
    return sorted(path.name for path in FAILURE_MODES.iterdir())


def _archive(paths: Iterable[Path]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(each for each in paths if each.is_file()):
            archive.writestr(zipfile.ZipInfo(path.relative_to(FOLDER).as_posix()), path.read_bytes())
    return out.getvalue()


class Decided(NamedTuple):
    who: str
    service: str
    rules: tuple[str, ...]
    action: Action


def decisions() -> tuple[Decided, ...]:
    today = timezone.now().date()
    lee = User.objects.get(username="lee").pk
    mika = User.objects.get(username="mika").pk
    return (
        Decided("noor", "data-processor", ("CKV_K8S_16", "CKV_K8S_19", "CKV_K8S_20"), Update(fields={"owner": lee})),
        Decided("noor", "data-collector", ("CKV_K8S_14", "CKV_K8S_8", "CKV_K8S_9"), Update(fields={"owner": lee})),
        Decided("lee", "data-collector", ("CKV_K8S_9",), Transition(to=Status.IN_PROGRESS)),
        Decided(
            "lee",
            "data-collector",
            ("CKV_K8S_43",),
            Transition(
                to=Status.DISMISSED,
                reason="mitigated_elsewhere",
                comment="The admission policy resolves tags to digests when a pod is admitted.",
            ),
        ),
        Decided("mika", "infrastructure", ("CKV_AWS_293", "CKV_AWS_162"), Update(fields={"owner": mika})),
        Decided(
            "mika",
            "infrastructure",
            ("CKV_AWS_162",),
            Transition(
                to=Status.ACCEPTED,
                comment="The application cannot yet sign in with IAM; passwords rotate every week until it can.",
                expires_on=today + timedelta(days=90),
            ),
        ),
        Decided(
            "noor",
            "cell-router",
            ("CKV_K8S_40",),
            Transition(to=Status.SNOOZED, until=today + timedelta(days=14), comment="After the base image is rebuilt."),
        ),
    )


class Command(BaseCommand):
    help = "Fill the workspace with the demo, or take it out whole."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--remove", action="store_true", help="take the demo out")
        parser.add_argument(
            "--without-worker", action="store_true", help="read the reports in this process instead of a worker"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        admin = User.objects.filter(is_superuser=True, is_active=True).order_by("id").first()
        if admin is None:
            raise CommandError("there is no administrator yet: `manage.py prepare` makes one")
        if options["remove"]:
            self._remove(admin)
            return
        self._people()
        self._rules(admin)
        inline = options["without_worker"]
        for sent in SENT:
            path = FOLDER / sent.file
            self._import(sent, f"{path.parent.name}-{path.name}", path.read_bytes(), admin, inline=inline)
        sent = Sent("clean-platform.zip", "clean-platform", 1)
        self._import(sent, sent.file, configuration(), admin, inline=inline, kind="platform")
        for mode in failure_modes():
            for twin in TWINS:
                # Each by itself: facts of one twin are not those of another.
                sent = Sent(f"{mode}-{twin}.zip", "failure-modes", 1, source=mode, environment=twin)
                content = _archive((FAILURE_MODES / mode / twin).iterdir())
                self._import(sent, sent.file, content, admin, inline=inline, kind="platform")
        demo_spend.share_tax(admin)
        self._bill(admin, inline=inline)
        for sent in USAGE:
            path = FOLDER / sent.file
            self._import(sent, path.name, path.read_bytes(), admin, inline=inline, kind="usage")
        demo_spend.add_budgets(admin)
        demo_practice.add(admin)
        self._decide()
        self._say(f"{Finding.objects.filter(service__is_demo=True).count()} findings in {len(SERVICES)} services")

    def _say(self, words: str) -> None:
        self.stdout.write(f"demo       … {words}")

    @transaction.atomic
    def _people(self) -> None:
        taken = Service.objects.filter(slug__in=SERVICES, is_demo=False).values_list("slug", flat=True)
        if taken:
            raise CommandError(f"services of your own have the demo's names: {', '.join(taken)}")
        for slug in ("production", *TWINS):
            Environment.objects.get_or_create(slug=slug, defaults={"is_demo": True})
        teams = {}
        for slug, name in TEAMS.items():
            teams[slug], _ = Team.objects.get_or_create(slug=slug, defaults={"name": name, "is_demo": True})
        for username, (first, last, roles) in PEOPLE.items():
            user, made = User.objects.get_or_create(
                username=username, defaults={"first_name": first, "last_name": last, "is_demo": True}
            )
            if made:
                user.set_unusable_password()
                user.save()
                Membership.objects.bulk_create(
                    Membership(user=user, team=teams[slug], role=role) for slug, role in roles.items()
                )
        for slug, facts in SERVICES.items():
            Service.objects.get_or_create(
                slug=slug,
                defaults={
                    "team": teams.get(facts.team),
                    "criticality": facts.criticality,
                    "slo": facts.slo,
                    "value_per_bad_minute": facts.value_per_bad_minute,
                    "is_demo": True,
                },
            )

    def _rules(self, admin: User) -> None:
        for pattern, slug in RULES.items():
            team = Team.objects.get(slug=slug)
            if not OwnershipRule.objects.filter(pattern=pattern, team=team).exists():
                catalog.create_rule(user=admin, kind="path", pattern=pattern, team=team, note="Part of the demo")

    def _import(self, sent: Sent, name: str, content: bytes, admin: User, *, inline: bool, kind: str = "scan") -> None:
        digest = hashlib.sha256(content).hexdigest()
        row = Import.objects.filter(service__slug=sent.service, sha256=digest).order_by("-id").first()
        if row is None or row.state == ImportState.FAILED:
            row = hand_in(
                SimpleUploadedFile(name, content),
                user=admin,
                kind=kind,
                service=sent.service,
                environment=sent.environment,
                source=sent.source,
                observed_at=timezone.now() - timedelta(days=sent.days_ago),
            )
        if inline:
            runner.run(row.pk)
        row = runner.wait_for(row.pk, WAIT_SECONDS)
        if row.state != ImportState.DONE:
            why = row.error["message"] if row.error else "no worker took it"
            raise CommandError(f"{sent.file} is {row.state}: {why}")
        self._say(f"{sent.file}: {row.new} new, {row.closed} closed")

    def _bill(self, admin: User, *, inline: bool) -> None:
        """Up to the day before it is made, and its last whole month restated; once there they stay as they are."""
        first = _bills().order_by("id").first()
        last = (first.created_at if first else timezone.now()).date() - timedelta(days=1)
        for name, made in (("focus.csv.gz", demo_bill.bill), ("focus-restated.csv.gz", demo_bill.restated)):
            row = _bills().filter(file_name=name).order_by("-id").first()
            if row is None or row.state == ImportState.FAILED:
                row = hand_in(
                    SimpleUploadedFile(name, made(last)),
                    user=admin,
                    kind="bill",
                    export=demo_bill.EXPORT,
                    billing_account=demo_bill.BILLING_ACCOUNT,
                )
            if inline:
                runner.run(row.pk)
            row = runner.wait_for(row.pk, WAIT_SECONDS)
            if row.state != ImportState.DONE:
                why = row.error["message"] if row.error else "no worker took it"
                raise CommandError(f"the bill {name} is {row.state}: {why}")
            self._say(f"bill: {row.read:,} charges in {name}")

    def _decide(self) -> None:
        if BulkAction.objects.filter(actor__is_demo=True).exists():
            return
        with transaction.atomic():
            for decided in decisions():
                who = User.objects.get(username=decided.who)
                rows = Finding.objects.filter(service__slug=decided.service, rule__in=decided.rules)
                triage.act(rows, decided.action, user=who, source="page")
            probe = Finding.objects.filter(service__slug="data-collector", rule="CKV_K8S_9").first()
            if probe is not None:
                lee = User.objects.get(username="lee")
                triage.comment(probe, "The endpoint exists since 3.1; the manifest just never named it.", user=lee)

    def _remove(self, admin: User) -> None:
        bills = list(_bills())
        files = _files([*Import.objects.filter(service__is_demo=True), *bills])
        with transaction.atomic():
            demo_spend.remove(admin)
            demo_practice.remove()
            forget_imports([row.pk for row in bills])
            Import.objects.filter(pk__in=[row.pk for row in bills]).delete()
            people = User.objects.filter(is_demo=True)
            Comment.objects.filter(author__in=people, finding__service__is_demo=True).delete()
            BulkAction.objects.filter(actor__in=people).delete()
            services = list(Service.objects.filter(is_demo=True))
            for service in services:
                catalog.delete_service(service, user=admin, reason="The demo was removed")
            for team in Team.objects.filter(is_demo=True):
                catalog.delete_team(team, user=admin, reason="The demo was removed")
            for environment in Environment.objects.filter(is_demo=True):
                # Somebody's own service or usage is in it by now.
                if environment.targets.exists() or Import.objects.filter(environment=environment).exists():
                    Environment.objects.filter(pk=environment.pk).update(is_demo=False)
                else:
                    catalog.delete_environment(environment, user=admin, reason="The demo was removed")
            people.delete()
            transaction.on_commit(lambda: _delete(files))
        self._say(f"{len(services)} services removed with all that was theirs")


def _bills() -> QuerySet[Import]:
    return Import.objects.filter(
        kind=ImportKind.BILL, export=demo_bill.EXPORT, billing_account=demo_bill.BILLING_ACCOUNT
    )


def _files(rows: Iterable[Import]) -> list[Any]:
    """Files that no import but these has: the same upload may be kept for another."""
    mine = list(rows)
    others = set(Import.objects.exclude(pk__in=[row.pk for row in mine]).values_list("file", flat=True))
    return [row.file for row in mine if row.file.name not in others]


def _delete(files: list[Any]) -> None:
    for file in files:
        file.storage.delete(file.name)
