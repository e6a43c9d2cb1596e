"""Addresses of planning's endpoints, for platform_risk.api_urls."""

from rest_framework.routers import SimpleRouter

from platform_risk.planning.api import coverage, incidents, remedies, reviews


def register(router: SimpleRouter) -> None:
    router.register("alert-coverage", coverage.AlertCoverage, "alert-coverage")
    router.register("incidents", incidents.Incidents, "incident")
    # Before reviews/{id}/: the router takes the first that matches.
    router.register("reviews/notes", reviews.ReviewNotes, "review-note")
    router.register("reviews", reviews.Reviews, "review")
    router.register("remedies", remedies.Remedies, "remedy")
