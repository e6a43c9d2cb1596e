"""Celery's app. Settings come from Django's, under CELERY_."""

import os
import warnings
from typing import Any

from celery import Celery
from celery.signals import heartbeat_sent, setup_logging
from django.conf import settings
from django.utils.log import configure_logging

from platform_risk.core import health

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "platform_risk.settings")

# The warning is about pickled messages, which are not accepted here; in containers and CI the worker is often root.
warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")

app = Celery("platform_risk")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def _log_as_django_does(**_: Any) -> None:
    """Celery would set up loggers of its own format; connecting this signal keeps it from doing so."""
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)


@heartbeat_sent.connect
def _tell_that_a_worker_lives(**_: Any) -> None:
    """Sent every 2 s by a worker's parent process while it is connected to the broker; /readyz looks for the trace."""
    health.worker_seen()
