"""One database with all tables, made by the process that needs it first; those that tests use are copies of it.

Migrating takes seven seconds of a core, copying a fraction of one.
"""

import os

import psycopg
from django.core.management import call_command
from django.db import connection

TEMPLATE = "platform_risk_tables"
# Any number: who comes second waits on it for who came first.
LOCK = 7_203_511_905


def use_one() -> None:
    """Name the template to Django, which makes the test database of this process from it."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone():
            server.execute(f"CREATE DATABASE {TEMPLATE}")
            _migrate()
    connection.settings_dict["TEST"]["TEMPLATE"] = TEMPLATE


def _migrate() -> None:
    name = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = TEMPLATE
    try:
        call_command("migrate", verbosity=0)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name
