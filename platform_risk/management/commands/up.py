"""manage.py up: the same as `make run`."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Run everything on this machine: database, Redis, worker, scheduler and web server."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        # Replaces this process: the supervisor must not be one that has Django, its threads and connections in it.
        os.chdir(settings.BASE_DIR)
        os.execv(sys.executable, [sys.executable, "-m", "platform_risk.local"])  # noqa: S606  no shell is meant
