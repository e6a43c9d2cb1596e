#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys

from django.core.management import execute_from_command_line

from platform_risk.env import SettingError
from platform_risk.local.no_database.base import NoDatabaseError


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "platform_risk.settings")
    try:
        execute_from_command_line(sys.argv)
    except (SettingError, NoDatabaseError) as error:
        # The person at the keyboard can act on this one line; a traceback would hide it.
        sys.stderr.write(f"platform-risk: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
