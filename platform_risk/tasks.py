"""Celery's side of the product as a whole."""

from celery import shared_task
from django.core.management import call_command


@shared_task(name="platform_risk.fill_demo")
def fill_demo() -> None:
    """Reads the demo's reports itself: a worker that waited for another worker might wait for itself."""
    call_command("demo", without_worker=True)
