"""PostgreSQL's backend that cannot connect: commands that need no database work, the others say what to do."""

from typing import Any, NoReturn

from django.db.backends.postgresql import base
from django.db.utils import OperationalError


class NoDatabaseError(OperationalError):
    """No server is running and none is configured."""


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> NoReturn:
        raise NoDatabaseError("no database: start one with 'make run', or set DATABASE_URL to a PostgreSQL server")
