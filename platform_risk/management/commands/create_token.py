"""manage.py create_token NAME: makes an API token and prints it, and nothing else, on stdout."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from platform_risk.core.access import services
from platform_risk.core.access.models import TokenScope
from platform_risk.core.errors import Refused
from platform_risk.core.models import User


class Command(BaseCommand):
    help = "Make an API token and print it on stdout: the only time it can be seen."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what the token is for")
        parser.add_argument("--user", default="admin", help="whose token it is (default: admin)")
        parser.add_argument("--scope", default="read", choices=TokenScope.values, help="what it may do (default: read)")
        parser.add_argument("--days", type=int, default=settings.TOKEN_DAYS, help="how many days it works")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"there is no user {options['user']}")
        if not 1 <= options["days"] <= 3650:
            raise CommandError("--days is a number from 1 to 3650")
        last = timezone.now().date() + timedelta(days=options["days"])
        try:
            _, secret = services.create_token(
                by=user, user=user, name=options["name"], scope=options["scope"], expires_on=last
            )
        except (Refused, PermissionDenied) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(secret)
