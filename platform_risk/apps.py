"""The project as an app: it carries the management commands, and loads Celery's app wherever Django is loaded."""

from django.apps import AppConfig

# Imported for its effect: tasks enqueued from a web request find their broker only when the Celery app exists.
from platform_risk.celery import app as celery_app

__all__ = ["PlatformRiskConfig", "celery_app"]


class PlatformRiskConfig(AppConfig):
    name = "platform_risk"
    label = "platform_risk"
    verbose_name = "Platform Risk"
