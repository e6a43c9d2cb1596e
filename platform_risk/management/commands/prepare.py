"""manage.py prepare: bring a database and the static files up to this version. Safe to run twice and at once."""

import hashlib
import os
import secrets
import time
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from costs import pricing
from platform_risk import __version__

# Any number that nobody else uses: two that migrate at once wait for each other on it.
MIGRATION_LOCK = 7_203_511_904
OLDEST_POSTGRESQL = 150000
# What a person or a report put there; a database with none of it is empty.
CONTENT_MODELS = ("Import", "Service", "Team")


class Command(BaseCommand):
    help = "Apply migrations, collect static files, create the first admin."
    # The checks ask for tables that the migrations are about to make.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--static-only", action="store_true", help="collect static files, touch no database")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["static_only"]:
            self._prepare_database()
        self._collect_static()

    def _prepare_database(self) -> None:
        self._check_server()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            self._migrate()
            self._create_admin()
            self._fill_price_books()
            self._note_demo()
        finally:
            # Closing gives the lock back too, also when an error left the connection useless.
            connection.close()

    def _check_server(self) -> None:
        try:
            with connection.cursor():
                version = connection.connection.info.server_version
        except OperationalError as error:
            raise CommandError(f"the database cannot be used: {' '.join(str(error).split())}") from error
        if version < OLDEST_POSTGRESQL:
            raise CommandError(f"the database is PostgreSQL {version // 10000}, and 15 is the oldest that will do")

    def _say(self, name: str, outcome: str, begun: float) -> None:
        self.stdout.write(f"{name:<11}… {outcome} in {time.monotonic() - begun:.1f} s")

    def _migrate(self) -> None:
        begun = time.monotonic()
        executor = MigrationExecutor(connection)
        pending = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        if pending:
            call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
        self._say("migrations", f"{pending} applied" if pending else "up to date", begun)

    def _create_admin(self) -> None:
        users = get_user_model()._default_manager
        if users.filter(is_superuser=True).exists():
            return
        begun = time.monotonic()
        path = settings.DATA_DIR / "admin-password"
        password = secrets.token_urlsafe(15)
        # Written before the account is made: killed in between, the next start writes another. The other way round
        # there would be an admin whose password nobody ever saw.
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(password + "\n")
        user, _ = users.get_or_create(username="admin")
        user.is_superuser = user.is_staff = user.is_active = True
        user.set_password(password)
        user.save()
        self._say("admin", f"created (password in {path})", begun)

    def _fill_price_books(self) -> None:
        begun = time.monotonic()
        filled = pricing.fill_built_in()
        if filled:
            self._say("prices", f"{filled} books filled", begun)

    def _note_demo(self) -> None:
        """The demo is loaded once the servers are up; a note in the data folder survives a kill until it was."""
        wanted, done = settings.DATA_DIR / "demo-wanted", settings.DATA_DIR / "demo-done"
        if settings.DEMO and not done.exists() and _is_empty():
            wanted.touch()

    def _collect_static(self) -> None:
        begun = time.monotonic()
        stamp = settings.STATIC_ROOT / ".collected"
        state = _static_state()
        if _read(stamp) == state:
            self._say("static", "up to date", begun)
            return
        stamp.unlink(missing_ok=True)
        with_hashes = {**settings.STORAGES["staticfiles"]}
        with_hashes["BACKEND"] = "whitenoise.storage.CompressedManifestStaticFilesStorage"
        settings.STORAGES = {**settings.STORAGES, "staticfiles": with_hashes}
        call_command("collectstatic", interactive=False, verbosity=0, clear=True, skip_checks=True)
        stamp.write_text(state, encoding="ascii")
        self._say("static", "collected", begun)


def _is_empty() -> bool:
    models = {model.__name__: model for model in apps.get_app_config("core").get_models()}
    return not any(models[name]._default_manager.exists() for name in CONTENT_MODELS if name in models)


def _static_state() -> str:
    """Names, sizes and times of all static files: collecting, hashing and compressing them takes seconds."""
    digest = hashlib.sha256(__version__.encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return None
