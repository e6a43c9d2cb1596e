"""Addresses of the findings' endpoints, for platform_risk.api_urls."""

from rest_framework.routers import SimpleRouter

from findings.api import risk, views


def register(router: SimpleRouter) -> None:
    # Before findings/{id}/: the router takes the first that matches.
    router.register("findings/bulk", views.BulkDecisions, "finding-bulk")
    router.register("risk/inputs", risk.RiskInputs, "risk-input")
    router.register("risk", risk.Risk, "risk")
    router.register("findings", views.Findings, "finding")
