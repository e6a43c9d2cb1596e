"""Addresses of the findings' endpoints, for platform_risk.api_urls."""

from rest_framework.routers import SimpleRouter

from findings.api import views


def register(router: SimpleRouter) -> None:
    # Before findings/{id}/: the router takes the first that matches.
    router.register("findings/bulk", views.BulkDecisions, "finding-bulk")
    router.register("findings", views.Findings, "finding")
