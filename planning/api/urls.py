"""Addresses of planning's endpoints, for platform_risk.api_urls."""

from rest_framework.routers import SimpleRouter

from planning.api import coverage, remedies


def register(router: SimpleRouter) -> None:
    router.register("alert-coverage", coverage.AlertCoverage, "alert-coverage")
    router.register("remedies", remedies.Remedies, "remedy")
