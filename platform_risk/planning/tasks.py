"""Celery's side of planning: tasks may run at any time, and twice."""

from celery import shared_task

from platform_risk.planning import digest, incidents, reviews


@shared_task(name="planning.keep_reviews")
def keep_reviews() -> int:
    """Every hour: the week that has ended is kept once, then the digests that tell of it go out."""
    return reviews.keep(reviews.last_week())


@shared_task(name="planning.send_digests")
def send_digests() -> int:
    keep_reviews()
    return digest.send_all()


@shared_task(name="planning.follow_the_calendar")
def follow_the_calendar() -> int:
    """Every hour, and something to do once a day at most: years without an incident count too."""
    return incidents.follow_the_calendar()
