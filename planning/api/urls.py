"""Addresses of planning's endpoints, for platform_risk.api_urls."""

from rest_framework.routers import SimpleRouter

from planning.api import coverage, incidents, remedies


def register(router: SimpleRouter) -> None:
    router.register("alert-coverage", coverage.AlertCoverage, "alert-coverage")
    router.register("incidents", incidents.Incidents, "incident")
    router.register("remedies", remedies.Remedies, "remedy")
